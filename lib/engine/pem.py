"""Cleans PEM texts as people paste them: line breaks lost or escaped, several blocks, words around them.

The blocks are found by their BEGIN and END lines, and each is written again with lines of 64 characters.
"""

from __future__ import annotations

from collections.abc import Iterator

from lib.engine.errors import BadInput

BEGIN, END, DASHES = "-----BEGIN ", "-----END ", "-----"
LONGEST = 1024 * 1024
"""Characters of a PEM text (1 Mi); all authorities that a system trusts fit into a quarter of it."""
LONGEST_LABEL = 64
LINE = 64
_BASE64 = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def pem(value: object, *, field: str, kind: str) -> str:
    """Return the blocks of a PEM text with correct line breaks.

    `kind` is a word that a block's label must hold ("CERTIFICATE", "PRIVATE KEY"); other blocks are dropped. Raises
    BadInput that names `field` and never quotes the text, which may be a key. The text is never used as the name of a
    file: a credential must not read files of the machine on which the step runs.
    """
    if not isinstance(value, str):
        raise BadInput(f"{field} must be a PEM text", field=field)
    if len(value) > LONGEST:
        raise BadInput(f"{field} is longer than {LONGEST} characters", field=field)
    text = value.replace("\\n", "\n")
    blocks = [_clean(label, body) for label, body in _blocks(text) if kind in label]
    if not blocks or None in blocks:
        raise BadInput(
            f"{field} holds no {kind} in PEM form",
            field=field,
            hint=f"Paste the whole text from -----BEGIN to -----END ({kind}), not the name of a file",
        )
    return "\n".join(block for block in blocks if block)


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """Yield (label, body) of each block, in linear time: from each END back to the BEGIN before it."""
    done = 0
    while (end := text.find(END, done)) >= 0:
        begin = text.rfind(BEGIN, done, end)
        if begin >= 0:
            start = begin + len(BEGIN)
            label, dashes, _ = text[start : min(end, start + LONGEST_LABEL)].partition(DASHES)
            if dashes and text.startswith(f"{label}{DASHES}", end + len(END)):
                yield label, text[start + len(label) + len(DASHES) : end]
        done = end + len(END)


def _clean(label: str, body: str) -> str | None:
    """Return a block with correct line breaks, or None if its body is not base64."""
    headers: list[str] = []
    data: list[str] = []
    words = iter(body.split())
    for word in words:
        # An encrypted key in the older form has headers (Proc-Type, DEK-Info): one a line, then a blank line.
        if word.endswith(":"):
            headers.append(f"{word} {next(words, '')}")
        else:
            data.append(word)
    joined = "".join(data)
    if not set(joined) <= _BASE64:
        return None
    lines = [joined[start : start + LINE] for start in range(0, len(joined), LINE)]
    head = [*headers, ""] if headers else []
    return "\n".join([f"{BEGIN}{label}{DASHES}", *head, *lines, f"{END}{label}{DASHES}", ""])
