"""Upper bounds of an answer: whatever answers at an address must not fill the memory."""

from __future__ import annotations

HEAD_BYTES = 65536
"""Bytes in a row without a byte of body: heads and the interim answers before them, chunk extensions, trailers."""

ANSWER_BYTES = 32 * 1024 * 1024
"""Bytes of a whole answer. Messages are smaller; a list that is emitted item by item may be a few times longer."""

FRAME_BYTES = 16 * 1024 * 1024
"""Bytes of one frame of a websocket; engines write 32 KiB at most."""

ERROR_BYTES = 65536
"""Bytes of an error's text; the rest is not read."""

ERROR_SECONDS = 10.0
"""Seconds to wait for the rest of an error's text after its head."""
