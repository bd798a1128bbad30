"""Looks up image references in their registries and compares the digests from poll to poll."""
