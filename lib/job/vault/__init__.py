"""Secrets and configs of a swarm: content that cannot be changed, so another one needs another object."""
