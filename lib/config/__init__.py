"""The configuration of a step: its fields, their labels, and their values."""
