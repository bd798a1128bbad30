"""Checks a credential: opens the engine it names and says what answered, or the exact fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lib.credentials import new_engine
from lib.engine import EngineError
from lib.sailor import Context


def verify(context: Context, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return {verified, ...} with engine, its version range and the version in use, or {verified: False, reason}."""
    try:
        with new_engine(config) as engine:
            told = engine.get("/version").json()
            facts = {
                "verified": True,
                "engine": str(engine.endpoint),
                "product": _product(told),
                "apiVersions": engine.full_facts.range,
                "apiVersion": str(engine.version),
                "access": "reads only" if engine.read_only else "full",
                "registries": sorted(engine.registries.logins),
            }
    except EngineError as error:
        context.logger.warning("The credential does not work", reason=str(error))
        return {"verified": False, "reason": str(error)}
    context.logger.info("The credential works", **{key: facts[key] for key in ("engine", "apiVersion")})
    return facts


def _product(told: Mapping[str, Any]) -> str:
    name = (told.get("Platform") or {}).get("Name") or "Docker Engine"
    return f"{name} {told.get('Version', '')}, {told.get('Os')}/{told.get('Arch')}"
