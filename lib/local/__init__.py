"""Runs steps and flows of a component on this machine, without platform and broker."""
