"""Shows a run: to people in a terminal, to programs as JSON lines."""
