"""Makes docs/screens.md: what the local runner shows on a real engine. `python -m tests.local.screens` writes it.

Ids, times and numbers of seconds differ from run to run: they are replaced by others of the same length, so
that columns stay where they are. `tests/local/test_screens.py` compares what does not differ.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import DEADLINE
from tests.local.running import ROOT, command, environment

PAGE = ROOT / "docs" / "screens.md"
WIDTHS = (80, 120)
_HEAD = """# Screens

What `scripts/run` shows, in terminals of 80 and 120 columns. Written by `python -m tests.local.screens` on an engine of
its own; ids, times and seconds are replaced.
"""
_DIGITS = re.compile(r"\d")
_REPLACED = (
    (re.compile(r"\b[0-9a-f]{64}\b"), lambda _found: "0123456789abcdef" * 4),
    (re.compile(r"\b(?=[0-9a-f]*[0-9])[0-9a-f]{12}\b"), lambda _found: "0123456789ab"),
    (re.compile(r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b"), lambda _found: "2026-01-31 12:00:00"),
    (re.compile(r"\d+(?= (?:seconds?|minutes?)\b)"), lambda found: "5" * len(found[0])),
    (re.compile(r"(?<=durationSeconds\": )[\d.]+"), lambda _found: "1.25"),
    (re.compile(r"(?<=done    )\d+\.\d+"), lambda found: _DIGITS.sub("0", found[0])),
)
_BUILD = {
    "t": "shop:1",
    "version": "1",
    "nocache": True,
    "files": [{"name": "Dockerfile", "content": f"FROM {IMAGE}\nLABEL team=shop\nRUN echo hello"}],
}


@dataclass(frozen=True)
class Shown:
    """One screen: its title, the words after scripts/run, its width, and its text."""

    title: str
    words: tuple[str, ...]
    width: int
    text: str


def taken(engine: LabEngine, folder: Path) -> list[Shown]:
    """Return all screens; what they need on the engine is made, and removed again."""
    made = [
        engine.run(name="screens-web"),
        engine.run(name="screens-a-container-with-a-rather-long-name"),
    ]
    state = folder / "state.json"
    watch = ("trigger", "containerStateChanged", "--times", "1", "--state", str(state))
    _run(watch, WIDTHS[0], engine)
    try:
        made.append(engine.run(["sh", "-c", "exit 3"], name="screens-crashed"))
        engine.wait(made[-1])
        kept = state.read_text("utf-8")
        screens = []
        for title, words in (
            ("Finding an action", ("list", "log")),
            ("Containers", ("action", "ContainerList", "--body", '{"filters": {"name": ["screens-"]}}')),
            ("A running trigger", watch),
            ("A build", ("action", "ImageBuild", "--body", json.dumps(_BUILD))),
        ):
            for width in WIDTHS:
                state.write_text(kept, "utf-8")
                screens.append(Shown(title, words, width, _stable(_run(words, width, engine), folder)))
        return screens
    finally:
        for container in made:
            engine.remove(container)


def page(screens: Sequence[Shown]) -> str:
    """Return the text of docs/screens.md."""
    parts = [_HEAD]
    for title in dict.fromkeys(shown.title for shown in screens):
        parts.append(f"## {title}\n")
        for shown in (one for one in screens if one.title == title):
            words = [re.sub(r"^/.*/", "", word) for word in shown.words]
            parts.append(
                f"{shown.width} columns:\n\n```text\n$ scripts/run {shlex.join(words)}\n{shown.text}\n```\n"
            )
    return "\n".join(parts)


def _run(words: Sequence[str], width: int, engine: LabEngine) -> str:
    done = subprocess.run(
        command(*words, component=None),
        env=environment(COLUMNS=str(width), DOCKER_HOST=engine.url, PYTHONUNBUFFERED="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=DEADLINE,
        check=True,
    )
    return done.stdout


def _stable(text: str, folder: Path) -> str:
    text = text.replace(str(folder), ".")
    for pattern, replaced in _REPLACED:
        text = pattern.sub(replaced, text)
    return "\n".join(line.rstrip() for line in text.splitlines())


def main() -> None:
    engine = LabEngine.begin()
    try:
        with tempfile.TemporaryDirectory() as folder:
            PAGE.write_text(page(taken(engine, Path(folder))), "utf-8")
    finally:
        engine.close()


if __name__ == "__main__":
    main()
