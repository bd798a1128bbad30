"""The services of a swarm: changed, and looked at until they have arrived."""
