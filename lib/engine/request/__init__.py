"""What becomes of an input on its way to the engine: names, ports, bodies, logins."""
