"""Another content for a secret or config: a new version, services that go over to it, old versions that go."""
