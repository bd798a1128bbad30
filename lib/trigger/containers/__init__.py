"""Compares containers from poll to poll and finds what happened to each."""
