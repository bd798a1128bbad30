"""Prints the words that are missing, grouped by TOML table: `python -m lib.metadata.missing`.

A key is printed as it has to be in the table. A dotted key is a property of an inline object; an entry for its last
name in the table `_any` is enough.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable

from lib.metadata import facts as fact_files
from lib.metadata import words as word_files
from lib.metadata.facts import Facts
from lib.metadata.schema_in import schema_in
from lib.metadata.schema_out import schema_out
from lib.metadata.words import Words


def report(words: Words, facts: Facts) -> list[str]:
    """Return a line for each table that lacks words, and a line for each table with words that nothing uses."""
    lines = [f"words missing: [{table}] {', '.join(keys)}" for table, keys in _grouped(words.missing)]
    orphans = [(f"{key}.fields", name) for key, name in _field_words(words) if (key, name) not in words.used]
    orphans += [(key, "(no such operation)") for key in words.operations if key not in facts.operations]
    orphans += [
        (owner, path)
        for owner, table in words.definitions.items()
        if owner != "_any"
        for path in table
        if (owner, path) not in words.used
    ]
    return lines + [f"words for nothing: [{table}] {', '.join(keys)}" for table, keys in _grouped(orphans)]


def _field_words(words: Words) -> list[tuple[str, str]]:
    return [(key, name) for key, table in words.operations.items() for name in table.get("fields", {})]


def _grouped(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    tables: dict[str, list[str]] = defaultdict(list)
    for table, key in sorted(pairs):
        tables[table].append(key)
    return sorted(tables.items())


def main() -> int:
    """Print what is missing; return the exit code: 1 if words are missing, else 0."""
    facts, words = fact_files.load(), word_files.load()
    for key in facts.operations:
        schema_in(key, facts, words)
        schema_out(key, facts, words)
        words.operation(key, "description")
    lines = report(words, facts)
    print("\n".join(lines) or "No words are missing.")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
