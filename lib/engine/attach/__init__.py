"""Connections that become a conversation: upgrades and websockets, in both directions at once."""
