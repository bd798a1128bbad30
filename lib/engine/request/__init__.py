"""Turns a step's input into parts of a request: paths, queries, bodies, ports, logins."""
