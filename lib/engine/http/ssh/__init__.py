"""Connections to an engine's socket on another host, over SSH. Loaded only where a server is ssh://."""
