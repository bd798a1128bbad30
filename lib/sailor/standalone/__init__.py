"""A step without platform and broker: messages stay in this process, files in a folder."""
