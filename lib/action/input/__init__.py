"""The input of an action: the message, checked field by field, and the files that it names."""
