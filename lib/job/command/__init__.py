"""RunCommand: a command in containers that run, by an exec that carries the mark of its run."""
