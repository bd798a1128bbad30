"""A reference of one registry that another one shall have, by way of the engine."""
