"""The settings of one step, read once from the environment (protocol 1).

A field has the name of its variable in lower case, without the prefix `ELASTICIO_`. Times are in milliseconds and
sizes in bytes, as the platform sets them; `Destinations` alone has seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from lib.sailor import environment
from lib.sailor.errors import SettingsError
from lib.sailor.net.destinations import Destinations
from lib.sailor.secrets.names import secrets_in_text

MANDATORY = (
    *("FLOW_ID", "EXEC_ID", "STEP_ID", "CONTAINER_ID", "WORKSPACE_ID", "USER_ID", "COMP_ID", "FUNCTION"),
    *("API_URI", "API_USERNAME", "API_KEY"),
)
MANDATORY_FOR_MESSAGES = (
    *("AMQP_URI", "LISTEN_MESSAGES_ON", "PUBLISH_MESSAGES_TO", "DATA_ROUTING_KEY", "ERROR_ROUTING_KEY"),
    *("REBOUND_ROUTING_KEY", "SNAPSHOT_ROUTING_KEY", "MESSAGE_CRYPTO_IV", "MESSAGE_CRYPTO_PASSWORD"),
)
IV_BYTES = 16
OF_THEIR_OWN = 6
"""Number of fields at the end of `Settings` whose variables have no prefix, or that are made of several variables."""


@dataclass(frozen=True)
class Settings:
    """All settings of a step; the defaults suit a run without a platform."""

    flow_id: str = "local"
    exec_id: str = "local"
    step_id: str = "step_1"
    container_id: str = "local"
    workspace_id: str = "local"
    user_id: str = "local"
    comp_id: str = "local"
    function: str = ""
    api_uri: str = ""
    api_username: str = ""
    api_key: str = field(default="", repr=False)

    amqp_uri: str = field(default="", repr=False)
    listen_messages_on: str = ""
    publish_messages_to: str = ""
    data_routing_key: str = "data"
    error_routing_key: str = "error"
    rebound_routing_key: str = "rebound"
    snapshot_routing_key: str = "snapshot"
    message_crypto_iv: str = field(default="", repr=False)
    message_crypto_password: str = field(default="", repr=False)

    rebound_initial_expiration: int = 15_000
    rebound_limit: int = 20
    component_path: str = ""
    rabbitmq_prefetch_sailor: int = 1
    startup_required: bool = False
    hook_shutdown: bool = False
    api_request_retry_attempts: int = 3
    api_request_retry_delay: int = 100
    data_rate_limit: int = 10
    error_rate_limit: int = 2
    snapshot_rate_limit: int = 2
    rate_interval: int = 100
    process_amqp_drain: bool = True
    """No effect: each publish waits for its confirm anyway (protocol 1.2)."""
    amqp_publish_retry_delay: int = 100
    amqp_publish_retry_attempts: int | None = None
    """None: no limit, so that a full queue of a later step slows this step down."""
    amqp_publish_max_retry_delay: int = 300_000
    amqp_persistent_messages: bool = False
    outgoing_message_size_limit: int = 10_485_760
    no_self_passtrhough: bool = False
    """The platform's spelling, which is wrong (protocol 1.2)."""
    protocol_version: int = 1
    no_error_replies: bool = False
    input_format: str = "default"
    object_storage_uri: str = ""
    object_storage_token: str = field(default="", repr=False)
    object_storage_size_threshold: int = 1_048_576
    emit_lightweight_message: bool = False
    amqp_reconnect_attempts: int = 3
    amqp_reconnect_timeout: int = 100
    flow_type: str = ""
    flow_webhook_uri: str = ""

    shutdown_deadline: int = 25_000
    """Milliseconds from SIGTERM to the end of the process (protocol 9); the platform does not set it."""
    request_timeout: int = 15_000
    request_max_retry: int = 3
    urls: Destinations = field(default_factory=Destinations)
    """Which hosts a message's inputs may name in addresses: URL_ALLOWED_HOSTS, URL_REFUSED_NETWORKS and so on."""
    attachments: Destinations = field(default_factory=Destinations)
    """The same for the addresses of attachments: ATTACHMENT_ALLOWED_HOSTS and so on."""

    additional_headers: Mapping[str, str] = field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    """Warnings for the log: one for each value that looks like a mistake (protocol 1.3)."""

    @classmethod
    def read(cls, variables: Mapping[str, str], *, for_service: bool = False) -> Settings:
        """Return the settings of an environment; SettingsError names the first variable that is missing or wrong.

        With `for_service` nothing is mandatory: a service call checks its few variables itself (protocol 7.1).
        """
        values: dict[str, Any] = {}
        doubts = []
        for slot in fields(cls)[:-OF_THEIR_OWN]:
            name = environment.PREFIX + slot.name.upper()
            text = variables.get(name)
            parsed = _parse(text, str(slot.type), slot.default)
            values[slot.name] = environment.bounded(slot.name, parsed)
            if text and (values[slot.name] != parsed or environment.looks_mistaken(text, str(slot.type))):
                doubts.append(f"{name}={text[:50]!r} is read as {values[slot.name]!r}")
        values |= environment.request_limits(variables)
        if not for_service:
            _check(variables, values)
            values["urls"] = Destinations.read("URL", variables)
            values["attachments"] = Destinations.read("ATTACHMENT", variables)
        headers = environment.additional_headers(variables)
        return cls(**values, additional_headers=headers, doubts=tuple(doubts))

    def secrets(self) -> list[str]:
        """Return the secrets among the settings; no log line may hold them."""
        own = [self.api_key, self.message_crypto_password, self.object_storage_token]
        return [*own, *secrets_in_text(self.amqp_uri)]


def _parse(text: str | None, kind: str, default: Any) -> Any:
    if kind == "bool":
        return environment.boolean(text, default)
    if kind.startswith("int"):
        return environment.integer(text, default)
    return text or default


def _check(variables: Mapping[str, str], values: Mapping[str, Any]) -> None:
    wanted = MANDATORY if values["hook_shutdown"] else MANDATORY + MANDATORY_FOR_MESSAGES
    for name in wanted:
        if not variables.get(environment.PREFIX + name):
            raise SettingsError(f"{environment.PREFIX}{name} is missing")
    if not values["hook_shutdown"] and len(values["message_crypto_iv"].encode()) != IV_BYTES:
        raise SettingsError("ELASTICIO_MESSAGE_CRYPTO_IV must have 16 bytes; no message could be decrypted")
