"""How much of an answer is read at most: whatever stands behind an address must not fill the memory."""

from __future__ import annotations

HEAD_BYTES = 65536
"""Bytes that bring no body: heads with the interim answers before them, chunk extensions, trailers."""

ANSWER_BYTES = 32 * 1024 * 1024
"""A whole answer. Messages are smaller; a list that is emitted item by item may be a few times longer."""

FRAME_BYTES = 16 * 1024 * 1024
"""One frame of a websocket; engines write 32 KiB at most."""

ERROR_BYTES = 65536
"""The text of an error. What comes after it is not read."""

ERROR_SECONDS = 10.0
"""The wait for the rest of an error's text, once its head is there."""
