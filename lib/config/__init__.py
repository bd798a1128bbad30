"""The configuration of a step: its fields, their labels, and what was filled in."""
