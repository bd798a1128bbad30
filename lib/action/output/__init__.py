"""The output of an action: messages from whole answers, streams, archives and the output of processes."""
