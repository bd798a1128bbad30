"""Makes the environment variables of a step's process, as the platform does (protocol 1)."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib.local.broker.platform_server import USER

_ALWAYS = ("EXEC_ID", "CONTAINER_ID", "WORKSPACE_ID", "USER_ID", "COMP_ID")


@dataclass(frozen=True)
class Surroundings:
    """The values that all steps of a run share; `iv` has 16 characters, `rebound_pause` is in seconds."""

    flow: str
    exchange: str
    amqp_uri: str = field(repr=False)
    api_uri: str
    api_key: str = field(repr=False)
    password: str = field(repr=False)
    iv: str = field(repr=False)
    rebound_pause: float
    debug: bool

    def of(self, step: str, function: str, queue: str, *, startup: bool = False) -> dict[str, str]:
        """Return the variables of one step, which listens on `queue`; with `startup` it calls its hook startup."""
        own = {
            "FLOW_ID": self.flow,
            "STEP_ID": step,
            "FUNCTION": function,
            "API_URI": self.api_uri,
            "API_USERNAME": USER,
            "API_KEY": self.api_key,
            "AMQP_URI": self.amqp_uri,
            "LISTEN_MESSAGES_ON": queue,
            "PUBLISH_MESSAGES_TO": self.exchange,
            "MESSAGE_CRYPTO_IV": self.iv,
            "MESSAGE_CRYPTO_PASSWORD": self.password,
            "REBOUND_INITIAL_EXPIRATION": str(max(1, round(self.rebound_pause * 1000))),
            "STARTUP_REQUIRED": "true" if startup else "false",
        }
        own |= dict.fromkeys(_ALWAYS, "local")
        for kind in ("data", "error", "rebound", "snapshot"):
            own[f"{kind.upper()}_ROUTING_KEY"] = f"{step}.{kind}"
        variables = {f"ELASTICIO_{name}": value for name, value in own.items()}
        return {**variables, "LOG_LEVEL": "debug" if self.debug else "info"}
