"""The work on one input: call the function, encode and publish what it emits, then ack or reject."""
