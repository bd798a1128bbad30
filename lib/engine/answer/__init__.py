"""Readers of an engine's answers: whole bodies, streams of lines, logs, progress, archives."""
