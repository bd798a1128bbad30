"""Cleaning up: what nothing uses is chosen here, told, and removed one by one."""
