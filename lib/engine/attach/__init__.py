"""Connections that carry data in both directions at once: upgrades and websockets."""
