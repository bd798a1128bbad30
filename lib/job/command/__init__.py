"""RunCommand: commands in containers that run, each at most once for a message."""
