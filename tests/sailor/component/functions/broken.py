"""Cannot be loaded, as a file with a syntax error."""

compile("def (", "broken.py", "exec")
