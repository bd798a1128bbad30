"""What an engine answers: whole bodies, streams of lines, logs, progress, archives."""
