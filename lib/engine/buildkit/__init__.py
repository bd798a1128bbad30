"""What a BuildKit build needs from its client: the session, over which the engine asks for logins and secrets."""
