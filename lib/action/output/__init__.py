"""What an action emits: whole answers, streams, the output of processes."""
