"""`python -m lib.sailor.service METHOD`: verify a credential or describe a function, post one result (protocol 7)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib import jsontext
from lib.sailor.component import Component
from lib.sailor.coroutines import awaited
from lib.sailor.ending import end_process
from lib.sailor.errors import RequestError, SailorError, error_text
from lib.sailor.logging import Logger, catch_uncaught, open_logger
from lib.sailor.net.addresses import shown, without_user
from lib.sailor.platform import http as rest
from lib.sailor.platform.api import Platform
from lib.sailor.secrets.names import secrets_in_text, secrets_within
from lib.sailor.settings import Settings
from lib.sailor.stdlog import forward_library_logs
from lib.sailor.step.context import Context

METHODS = ("verifyCredentials", "getMetaModel", "selectModel")
VERIFIER = "./verify_credentials.py"


class ServiceError(SailorError):
    """The service call cannot be made; its text is posted as the result."""


@dataclass(frozen=True)
class ServiceEmitter:
    """The emitter of a service call: `update_keys` alone can be emitted (protocol 7.2). Its failure is only logged."""

    platform: Platform
    account: str | None
    logger: Logger

    def update_keys(self, keys: Mapping[str, Any]) -> None:
        try:
            self.platform.update_account(str(self.account), keys)
        except RequestError as error:
            self.logger.error("The account cannot be updated", err=error)


def main(arguments: list[str], environment: Mapping[str, str]) -> int:
    """Make the call and post its result; return the exit code: 0, or 1 when nothing could be posted (protocol 7.3)."""
    logger = open_logger(environment)
    catch_uncaught(logger)
    forward_library_logs(logger)
    settings = Settings.read(environment, for_service=True)
    logger.secrets.add(settings.secrets())
    if not (url := environment.get("ELASTICIO_POST_RESULT_URL")):
        logger.fatal("ELASTICIO_POST_RESULT_URL is not provided")
        return 1
    logger.secrets.add(secrets_in_text(url))
    result: dict[str, Any]
    try:
        data = call(arguments[0] if arguments else "", settings, environment, logger)
        result = {"status": "success", "data": data}
        body = jsontext.encode(result)
    except BaseException as error:  # noqa: BLE001 - the platform waits for a result after any exception
        logger.error(error_text(error), err=error)
        text = logger.secrets.mask(error_text(error))
        body = jsontext.encode({"status": "error", "data": {"message": text}})
    try:
        post(url, body, settings)
    except RequestError as error:
        logger.fatal(f"Failed to POST data to {shown(url)}", err=error)
        return 1
    return 0


def call(method: str, settings: Settings, environment: Mapping[str, str], logger: Logger) -> Any:
    """Return the result of one service method, a JSON value (protocol 7.2).

    Raises ServiceError for an unknown method or a missing variable, ComponentError, and what the function raises.
    """
    if method not in METHODS:
        raise ServiceError(f'Unknown service method "{method}"')
    _check(method, environment)
    try:
        config = jsontext.decode(environment["ELASTICIO_CFG"].encode())
    except ValueError:
        raise ServiceError("Unable to parse CFG") from None
    logger.secrets.add(secrets_within(config))
    component = Component.at(settings.component_path)
    context = _context(settings, config, logger)
    if method == "verifyCredentials":
        return _verify(component, context, config)
    function = component.function(environment["ELASTICIO_ACTION_OR_TRIGGER"])
    name = "getMetaModel" if method == "getMetaModel" else environment["ELASTICIO_GET_MODEL_METHOD"]
    return awaited(function.method(name)(context, config))


def post(url: str, body: bytes, settings: Settings) -> None:
    """Post a result, JSON in `body`; RequestError when the last attempt was not answered with 2xx."""
    address, authorization = without_user(url)
    headers = {"Content-Type": rest.JSON, **({"Authorization": authorization} if authorization else {})}

    def send() -> None:
        response = rest.send("POST", address, headers, body)
        if response.status not in rest.GOOD:
            raise RequestError(f"The result was answered with {response.status}", response.status)

    delay = settings.api_request_retry_delay
    rest.retrying(send, settings.api_request_retry_attempts, lambda _: delay)


def _check(method: str, environment: Mapping[str, str]) -> None:
    wanted = ["CFG", "API_URI", "API_USERNAME", "API_KEY"]
    if method != "verifyCredentials":
        wanted.append("ACTION_OR_TRIGGER")
    if method == "selectModel":
        wanted.append("GET_MODEL_METHOD")
    for name in wanted:
        if not environment.get(f"ELASTICIO_{name}"):
            raise ServiceError(f"ELASTICIO_{name} is not provided")


def _context(settings: Settings, config: Any, logger: Logger) -> Context:
    platform = Platform(settings)
    account = config.get("_account") if isinstance(config, dict) else None
    component_logger = logger.named("component")
    emitter: Any = ServiceEmitter(platform, account, component_logger)
    return Context(emitter, component_logger, {}, settings, platform, None, threading.Event())


def _verify(component: Component, context: Context, config: Any) -> Any:
    """Return the result of verifying (protocol 7.2); with a verifier that cannot be loaded it is not verified."""
    credentials = component.manifest.get("credentials") or {}
    file = str(credentials.get("verifier") or VERIFIER)
    if "verifier" not in credentials and not os.path.exists(os.path.join(component.folder, file)):
        return {"verified": True}
    try:
        result = awaited(component.load(file).verify(context, config))
    except BaseException as error:  # noqa: BLE001 - any exception means that it is not verified
        context.logger.warning("The credential is not verified", err=error)
        text = context.logger.secrets.mask(error_text(error))
        return {"verified": False, "reason": text}
    if isinstance(result, Mapping) and "verified" in result:
        return context.logger.secrets.masked(result)
    return {"verified": result is not False}


if __name__ == "__main__":
    end_process(main(sys.argv[1:], os.environ))  # a verifier may have left threads running
