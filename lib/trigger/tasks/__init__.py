"""Tasks of a swarm: which failed, which are stuck."""
