"""Checks a credential: connects to its engine and returns what answered, or why the connection failed."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from lib.config.declared_fields import checked_credential
from lib.credentials import new_engine
from lib.engine import Engine, EngineError
from lib.engine.errors import Unauthorized
from lib.engine.expected import expected_form
from lib.sailor import Context

# Reads that triggers and most flows need, as calls that are cheap for the engine.
_PROBES: dict[str, tuple[str, dict[str, str]]] = {
    "SystemVersion": ("/version", {}),
    "SystemInfo": ("/info", {}),
    "SystemEvents": ("/events", {"since": "0", "until": "1"}),
    "ContainerList": ("/containers/json", {"limit": "1"}),
}


def verify(context: Context, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return {verified: True, engine, proxy, product, apiVersions, apiVersion, access, registries, forbidden}.

    `proxy` is the address of the HTTP proxy on the way to the engine, None without one.
    `forbidden` lists the calls of _PROBES that a proxy before the engine refuses. If the engine does not answer or the
    credential is wrong, returns {verified: False, reason} with a text for people; raises no EngineError.
    """
    try:
        with new_engine(checked_credential(config)) as engine, expected_form():
            told = _about(engine)
            facts = {
                "verified": True,
                "engine": str(engine.endpoint),
                "proxy": str(engine.endpoint.proxy) if engine.endpoint.proxy else None,
                "product": _product(told),
                "apiVersions": engine.full_facts.range,
                "apiVersion": str(engine.version),
                "access": "reads only" if engine.read_only else "full",
                "registries": sorted(engine.registries.logins),
                "forbidden": [key for key, call in _PROBES.items() if not _allowed(engine, *call)],
            }
    except EngineError as error:
        context.logger.warning("The credential does not work", reason=str(error))
        return {"verified": False, "reason": str(error)}
    context.logger.info("The credential works", **{key: facts[key] for key in ("engine", "apiVersion")})
    return facts


def _about(engine: Engine) -> Mapping[str, Any]:
    about: Mapping[str, Any] = {}
    engine.version  # noqa: B018 - fails if there is no engine; /version may be refused by a proxy
    with suppress(Unauthorized):
        about = engine.get("/version").json()
    return about


def _allowed(engine: Engine, path: str, fields: Mapping[str, str]) -> bool:
    try:
        engine.get(path, fields, query=tuple(fields))
    except Unauthorized:
        return False
    return True


def _product(told: Mapping[str, Any]) -> str:
    if not told:
        return "Docker Engine"
    name = (told.get("Platform") or {}).get("Name") or "Docker Engine"
    return f"{name} {told.get('Version', '')}, {told.get('Os')}/{told.get('Arch')}"
