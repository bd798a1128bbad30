"""Reads the logs of containers from poll to poll: new lines, the position in each log, and gaps."""
