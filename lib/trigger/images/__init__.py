"""Image references and the digests that registries give for them."""
