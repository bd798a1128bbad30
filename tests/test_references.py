"""What comments, docstrings and documents refer to is there: sections, headings, files, modules and names.

The forms of references are listed in CONTRIBUTING.md#references. Each kind has a finder, which yields every reference
of its kind in a text and whether it leads somewhere; a text is a comment, a docstring, or a whole document or script.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = (
    "lib",
    "actions",
    "triggers",
    "bench",
    "docs",
    "tests",
    "scripts",
    "bin",
    "examples",
    "schemas",
    ".ci",
    ".github",
)
WHOLE = (".md", ".toml", "")
"""Files of these endings are read as a whole; of Python files comments and docstrings are."""
FOREIGN = {
    "config.json": "where Docker's client keeps its logins",
    "daemon.json": "the configuration of an engine",
    "manifest.json": "what BackupVolume puts first into an archive",
    "report.json": "an attachment of ReportEngine",
    "tickets.json": "what the reader of docs/own-component.md makes",
}
"""Files of other people that texts name without a folder."""
FENCED = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
SHOWN = re.compile(r"<!-- file: (\S+) -->")
"""A file whose content a page shows."""

PYTHON = re.compile(
    r'#[^\n]*|"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL
)
NUMBER = r"(?:D-\d+|\d+(?:\.\d+)?)"
PROTOCOL = re.compile(rf"\bprotocol\s+({NUMBER}(?:(?:,\s|\sand\s|-){NUMBER})*)")
OWN = re.compile(
    r"(?<=[(| ])(\d{1,2}\.\d)(?=[),;:| ]|\.\s)(?! m?s\b)|\bsections? (\d+)\b|\b(D-\d+)\b|\((\d{1,2})\)"
)
"""How docs/protocol.md refers to itself."""
STATEMENT = re.compile(r"\b[Ss]tatements? (\d+)(?: to (\d+))?\b")
ROOM = "|".join(re.escape(room) for room in ROOMS)
PATH = re.compile(rf"(?<![\w./~$}}-])(?:\./)?((?:{ROOM})/[\w./*<>-]*[\w>*])")
NAMED = re.compile(r"(?<![\w./<>*{}$~@-])(?<!\]\()([A-Za-z_][\w-]*\.(?:md|py|json|toml))\b(?![\w/(])")
LINK = re.compile(r"\]\(([^)\s]+)\)|((?<![\w./])[\w./-]+\.md#[\w-]+)")
MODULE = re.compile(
    r"(?<![\w./-])((?:lib|tests|bench|actions|triggers)(?:\.(?!py\b|md\b|lab\b(?!\.\w))\w+)+)(?![\w/])"
)
SEE = re.compile(r"\b[Ss]ee (?:`(\w+)`|([A-Z]\w*[a-z]\w*|\w+_\w+)(?=[:;,.)]|$))")
GIVEN = re.compile(r"^\s*(?:(?:async )?def|class) (\w+)|^\s*(\w+)(?:: [^=\n]+)? = ", re.MULTILINE)
GONE = re.compile(r"\b[Dd]esign \d|\(triggers?, \w+|\w+\.json, \w+, \w+|\b[Ii]ssue #?\d|\b\w+, T\d\b")
"""Forms of references to what is not in this repository."""

Found = Iterator[tuple[int, str, str]]
"""Where in the text, the reference, and what is wrong with it; "" when nothing is."""


@dataclass(frozen=True)
class Text:
    """A comment, a docstring or a document; `line` is where it begins in its file."""

    file: Path
    line: int
    text: str

    def at(self, offset: int) -> str:
        line = self.line + self.text.count("\n", 0, offset)
        return f"{self.file.relative_to(ROOT)}:{line}"


Finder = Callable[[Text], Found]


@cache
def files() -> list[Path]:
    found = [file for file in ROOT.iterdir() if file.is_file()]
    for room in ROOMS:
        found += [file for file in (ROOT / room).rglob("*") if file.is_file()]
    return [file for file in found if not {"node_modules", "__pycache__"} & set(file.parts)]


@cache
def texts() -> list[Text]:
    found = []
    for file in files():
        if file.suffix in WHOLE or file == ROOT / "component.json":
            found.append(Text(file, 1, file.read_text("utf-8")))
        elif file.suffix == ".py":
            whole = file.read_text("utf-8")
            for match in PYTHON.finditer(whole):
                begins = whole.rfind("\n", 0, match.start()) + 1
                own_line = not whole[begins : match.start()].strip()
                if match[0][0] == "#" or (match[0].startswith('"""') and own_line):
                    found.append(Text(file, whole.count("\n", 0, begins) + 1, match[0]))
    return found


@cache
def protocol() -> frozenset[str]:
    """Numbers of sections, of differences (D-01) and of statements (statement 34)."""
    page = (ROOT / "docs/protocol.md").read_text("utf-8")
    sections = re.findall(r"^##+ (\d+(?:\.\d+)?)\b", page, re.MULTILINE)
    differences = re.findall(r"^\| (D-\d\d) \|", page, re.MULTILINE)
    checklist = re.split(r"^## ", page.partition("\n## 14. ")[2], flags=re.MULTILINE)[0]
    statements = re.findall(r"^(\d+)\. ", checklist, re.MULTILINE)
    return frozenset([*sections, *differences, *(f"statement {number}" for number in statements)])


@cache
def anchors(file: Path) -> frozenset[str]:
    """The anchors of a document's headings, as the common servers of repositories make them."""
    seen: Counter[str] = Counter()
    found = set()
    prose = FENCED.sub("", file.read_text("utf-8"))
    for heading in re.findall(r"^#+ (.+)$", prose, re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{slug}-{seen[slug]}" if seen[slug] else slug)
        seen[slug] += 1
    return frozenset(found)


@cache
def names(file: Path) -> frozenset[str]:
    """Every name that a Python file gives to something."""
    return frozenset(one or other for one, other in GIVEN.findall(file.read_text("utf-8")))


@cache
def all_names() -> frozenset[str]:
    return frozenset().union(*(names(file) for file in files() if file.suffix == ".py"))


def to_sections(text: Text) -> Found:
    own = text.file == ROOT / "docs/protocol.md"
    prose = re.sub(r"`[^`\n]*`", lambda code: " " * len(code[0]), text.text) if own else text.text
    for match in (OWN if own else PROTOCOL).finditer(prose):
        for number in re.findall(NUMBER, match[0]):
            yield match.start(), match[0], "" if number in protocol() else f"no {number} in docs/protocol.md"
    for match in STATEMENT.finditer(prose):
        for number in filter(None, match.groups()):
            wrong = (
                "" if f"statement {number}" in protocol() else f"no {number} in docs/protocol.md, section 14"
            )
            yield match.start(), match[0], wrong


def to_paths(text: Text) -> Found:
    for match in PATH.finditer(text.text):
        path = re.sub(r"<\w+>", "*", match[1])
        there = any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()
        yield match.start(), match[1], "" if there else "no such file"


def to_named_files(text: Text) -> Found:
    here = {file.name for file in files()} | FOREIGN.keys() | set(SHOWN.findall(text.text))
    # What a command in a fence names may be a file that the command makes.
    prose = FENCED.sub(lambda fence: re.sub(r"\S", " ", fence[0]), text.text)
    for match in NAMED.finditer(prose):
        yield match.start(), match[1], "" if match[1] in here else "no file of this name, and none in FOREIGN"


def to_headings(text: Text) -> Found:
    for match in LINK.finditer(text.text):
        link = match[1] or match[2]
        if (match[1] and text.file.suffix != ".md") or "://" in link:
            continue
        name, _, anchor = link.partition("#")
        beside = text.file.parent / name if name else text.file
        file = beside if match[1] or beside.exists() else ROOT / name
        if not file.exists():
            yield match.start(), link, "no such file"
        else:
            there = not anchor or anchor in anchors(file.resolve())
            yield match.start(), link, "" if there else f"no heading #{anchor}"


def to_modules(text: Text) -> Found:
    for match in MODULE.finditer(text.text):
        parts = match[1].split(".")
        while not (place := ROOT.joinpath(*parts)).is_dir() and not place.with_suffix(".py").is_file():
            parts.pop()
        file = place.with_suffix(".py") if place.with_suffix(".py").is_file() else place / "__init__.py"
        rest = match[1].split(".")[len(parts) :]
        there = not rest or (file.is_file() and names(file).issuperset(rest))
        yield match.start(), match[1], "" if there else "no such module or name"


def to_names(text: Text) -> Found:
    if text.file.suffix != ".py":
        return
    for match in SEE.finditer(text.text):
        name = match[1] or match[2]
        yield match.start(), match[0], "" if name in all_names() else "nothing has this name"


def to_nowhere(text: Text) -> Found:
    for match in GONE.finditer(text.text):
        yield match.start(), match[0], "this form leads to no document of this repository"


FINDERS: dict[Finder, int] = {
    to_sections: 250,
    to_paths: 500,
    to_named_files: 150,
    to_headings: 240,
    to_modules: 35,
    to_names: 8,
    to_nowhere: 0,
}
"""Each finder, and how many references of its kind there are at least."""


@pytest.mark.parametrize("finder", FINDERS)
def test_references_lead_somewhere(finder: Finder) -> None:
    found = [(text.at(where), what, wrong) for text in texts() for where, what, wrong in finder(text)]
    lost = [f"{place}: {what}: {wrong}" for place, what, wrong in found if wrong]

    assert lost == [], "\n".join(lost)
    assert len(found) >= FINDERS[finder]


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("as it says (protocol 5.3, 99.1)", ["protocol 5.3, 99.1"]),
        ("protocol 2 and 98", ["protocol 2 and 98"]),
        ("protocol D-99, but no protocol version 9", ["protocol D-99"]),
        ("Statements 70 to 99 of the checklist", ["Statements 70 to 99"]),
        ("see lib/nowhere.py, lib/sailor/run.py, and .venv/lib/python3.11", ["lib/nowhere.py"]),
        ("write triggers/<name>.py, actions/<resource>.txt", ["actions/<resource>.txt"]),
        ("as in versions.md, operations.json and config.json", ["versions.md"]),
        ("docs/triggers.md#nothing, docs/triggers.md#containerlogs", ["docs/triggers.md#nothing"]),
        ("[a](gone.md) [b](../README.md) [c](../README.md#nothing)", ["gone.md", "../README.md#nothing"]),
        ("python -m lib.sailor.stop, lib.sailor.run.Run, registry.lab", ["lib.sailor.stop"]),
        ("see `never_written_name`, see Duplex.", ["see `never_written_name`"]),
        (
            "(design 4), (triggers, T2), (shapes.json, general, x)",
            ["design 4", "(triggers, T2", "shapes.json, general, x"],
        ),
    ],
)
def test_what_leads_nowhere_is_found(text: str, lost: list[str]) -> None:
    file = ROOT / "docs/made_up.md" if "](" in text else ROOT / "lib/made_up.py"
    made = Text(file, 7, text)
    found = [(made.at(where), what) for find in FINDERS for where, what, wrong in find(made) if wrong]
    assert found == [(f"{file.relative_to(ROOT)}:7", what) for what in lost]
