"""Builds schemas, manifest, README tables and docs/operations.md from facts of the Engine API and our own words."""
