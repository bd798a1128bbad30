"""Compares images, volumes, networks and swarm objects from poll to poll."""
