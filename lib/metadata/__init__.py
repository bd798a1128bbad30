"""Builds schemas, manifest, pages of docs/ from facts of the Engine API and our own words."""
