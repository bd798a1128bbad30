"""What runs show: to people in a terminal, to programs as JSON lines."""
