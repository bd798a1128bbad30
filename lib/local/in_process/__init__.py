"""Runs a flow in this process, without a broker."""
