"""Calls of the platform's HTTP APIs: steps, accounts, objects, attachments, states."""
