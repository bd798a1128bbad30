"""Flow files: reads and checks them, and maps and routes messages from step to step."""
