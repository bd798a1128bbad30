"""A network that shall be there, or not."""
