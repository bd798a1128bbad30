"""The local runner: runs steps and flows of a component on this machine, without platform and, by default, broker."""
