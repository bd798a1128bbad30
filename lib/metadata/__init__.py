"""Facts of the Engine API and our own words; builds the schemas, the manifest and the tables of the README."""
