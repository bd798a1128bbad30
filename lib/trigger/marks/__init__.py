"""Compact encodings for snapshots, which must stay under 4 KB."""
