"""The platform's checklist has 90 statements; each has a test with its number in the name."""

from __future__ import annotations

import glob
import os
import re

STATEMENTS = range(1, 91)


def test_every_statement_of_the_checklist_has_a_test() -> None:
    found = set()
    for path in glob.glob(os.path.join(os.path.dirname(__file__), "test_checklist_*.py")):
        with open(path, encoding="utf-8") as file:
            for name in re.findall(r"^def (test_\w+)", file.read(), re.MULTILINE):
                found |= {int(number) for number in re.findall(r"(?:test|and)_(\d\d)_", name)}

    assert sorted(set(STATEMENTS) - found) == []
    assert sorted(found - set(STATEMENTS)) == []
