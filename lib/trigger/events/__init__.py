"""The engine's events: its memory of 256, its stream, and what is chosen of them."""
