"""Puts a new container in the place of an old one, with a check and a way back."""
