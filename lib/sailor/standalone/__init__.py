"""A step without platform and broker: messages stay in this process, files are kept in a folder."""
