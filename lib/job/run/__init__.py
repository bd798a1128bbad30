"""Running a program: RunContainer."""
