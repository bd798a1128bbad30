"""A container that shall be there like this: compared with what is there, and brought to it."""
