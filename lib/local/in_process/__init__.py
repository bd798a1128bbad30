"""Runs a flow in this process."""
