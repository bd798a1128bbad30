"""Logs of containers from poll to poll: how far each is read, and what was lost."""
