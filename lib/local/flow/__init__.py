"""Flow files: read, checked as a whole, and what goes from step to step."""
