"""The command verify: runs the component's check of a credential."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from lib.local.catalog.catalog import Catalog
from lib.local.commands import factory, surroundings
from lib.local.component_folder import folder_of
from lib.local.output.emission import Output
from lib.local.problems import UsageError
from lib.local.values import json_object
from lib.sailor.coroutines import awaited
from lib.sailor.secrets.names import secrets_within


def verify(options: Namespace, output: Output) -> int:
    """Verify the credential of options and environment; return the exit code: 0, or 1 when it is refused."""
    catalog = Catalog.read(folder_of(options))
    around = surroundings(options, output, catalog)
    given = json_object("--config", options.config) if options.config else {}
    config = around.configuration(given)
    why = {"engineFrom": around.why(given)} if "server" in catalog.credential else {}
    with factory(options, output) as steps, output.working("verifying the credential"):
        manifest = steps.component.manifest.get("credentials", {})
        try:
            module = steps.component.load(str(manifest.get("verifier", "verify_credentials")))
        except FileNotFoundError as error:
            raise UsageError("The component has no file verify_credentials.py") from error
        context = steps.service_context()
        secrets = context.logger.secrets
        secrets.add(secrets_within(config))
        try:
            found = awaited(module.verify(context, config))
        except Exception as error:  # noqa: BLE001 - any exception means that the credential is refused
            output.verdict({"verified": False, "reason": secrets.mask(str(error)), **why})
            return 1
    verdict = secrets.masked({**_verdict(found), **why})
    output.verdict(verdict)
    return 0 if verdict["verified"] else 1


def _verdict(found: Any) -> dict[str, Any]:
    """Return the result with a key `verified`; where it has none, only False means refused (protocol 7.2)."""
    if isinstance(found, Mapping) and "verified" in found:
        return dict(found)
    details = dict(found) if isinstance(found, Mapping) else {}
    return {"verified": found is not False, **details}
