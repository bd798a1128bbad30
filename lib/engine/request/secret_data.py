"""Checks the content of secrets and configs: engines need base64, and plain text is the common mistake."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from lib.engine.errors import BadInput


def check_data(body: Mapping[str, Any], name: str = "requestBody") -> None:
    """Raise BadInput for a `Data` that is not base64 as engines read it; the error quotes nothing of it."""
    data = body.get("Data")
    if not isinstance(data, str):
        return
    field = f"{name}.Data"
    bare = data.replace("\n", "").replace("\r", "")
    try:
        base64.b64decode(bare.encode(), validate=True)
        valid = len(bare) % 4 == 0  # engines need the right padding
    except (binascii.Error, ValueError):
        valid = False
    if not valid:
        raise BadInput(
            f"{field} is no base64",
            field=field,
            hint="Encode the text first; the mapper does it with $base64encode(text)",
        )
