from __future__ import annotations

from datetime import UTC, datetime

from triggers.start_flow import process


def test_it_emits_the_time_the_configuration_and_the_snapshot() -> None:
    message = process(None, None, {"server": "unix", "note": "hello"}, {"offset": 5})  # type: ignore[arg-type]
    assert message.body["config"] == {"server": "unix", "note": "hello"}
    assert message.body["snapshot"] == {"offset": 5}
    age = datetime.now(UTC) - datetime.fromisoformat(message.body["now"])
    assert age.total_seconds() < 5


def test_what_is_secret_stays_out() -> None:
    config = {
        "otherServer": "https://me:hush@engine.example.org:2376",
        "tlsKey": "hush",
        "tlsKeyPassword": "hush",
        "registries": '{"r": {"username": "me", "password": "hush"}}',
        "apiKey": "hush",
        "tlsCa": "-----BEGIN CERTIFICATE-----",
    }
    body = process(None, None, config, None).body  # type: ignore[arg-type]
    assert "hush" not in str(body)
    assert body["config"]["otherServer"] == "https://engine.example.org:2376"
    assert (body["config"]["tlsCa"], body["snapshot"]) == ("-----BEGIN CERTIFICATE-----", {})
