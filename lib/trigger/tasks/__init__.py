"""Finds the tasks of a swarm that failed or are stuck."""
