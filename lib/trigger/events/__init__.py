"""The engine's events: its ring of the last 256, its stream, and the filter of the step."""
