"""Containers from poll to poll: what became of each."""
