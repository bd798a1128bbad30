"""The work on one message: the function is called, what it emits is encoded and published, then comes the ack."""
