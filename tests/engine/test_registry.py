from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.registry import HUB, Registries, RegistryAuth, RegistryConfig, encode, host_of_reference

LOGINS = st.dictionaries(st.sampled_from(["username", "password", "identitytoken"]), st.text(), min_size=1)
AUTH = RegistryAuth("name")
NOBODY = Registries()


def read(header: tuple[str, str] | None) -> Any:
    assert header is not None
    return json.loads(base64.urlsafe_b64decode(header[1]))


@given(LOGINS)
def test_a_login_is_url_safe_base64_with_padding(login: dict[str, str]) -> None:
    text = encode(login)
    assert not set(text) & set("+/ \r\n")
    assert len(text) % 4 == 0
    assert json.loads(base64.urlsafe_b64decode(text)) == login


@given(LOGINS)
def test_every_form_of_a_login_comes_to_the_same(login: dict[str, str]) -> None:
    data = json.dumps(login).encode()
    standard, safe = base64.b64encode(data).decode(), base64.urlsafe_b64encode(data).decode()
    for form in (login, json.dumps(login), standard, safe, safe.rstrip("="), standard.rstrip("=")):
        assert read(AUTH.write({"name": "x", "X_Registry_Auth": form}, NOBODY)) == login


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("web", HUB),
        ("shop/web:1", HUB),
        ("docker.io/shop/web", HUB),
        ("index.docker.io/shop/web", HUB),
        ("registry.lab/web", "registry.lab"),
        ("registry.lab:5000/shop/web:1@sha256:00", "registry.lab:5000"),
        ("localhost/web", "localhost"),
        ("localhost:5000/web", "localhost:5000"),
        ("Registry.LAB/web", "registry.lab"),
        ("", HUB),
    ],
)
def test_the_host_of_a_reference(reference: str, host: str) -> None:
    assert host_of_reference(reference) == host


def test_a_login_of_the_credential_goes_to_its_host_only() -> None:
    logins = Registries.parse({"https://registry.lab/v2/": {"username": "me", "password": "p"}})
    sent = read(AUTH.write({"name": "registry.lab/web"}, logins))
    assert sent == {"serveraddress": "registry.lab", "username": "me", "password": "p"}
    assert AUTH.write({"name": "registry.evil/web"}, logins) is None
    assert AUTH.write({"name": "registry.lab.evil/web"}, logins) is None
    assert AUTH.write({"name": "web"}, logins) is None


def test_the_field_goes_before_the_credential() -> None:
    logins = Registries.parse({HUB: {"username": "stored", "password": "p"}})
    mine = {"username": "mine", "password": "q"}
    assert read(AUTH.write({"name": "web", "X_Registry_Auth": mine}, logins)) == mine


def test_a_push_always_has_a_header() -> None:
    assert read(RegistryAuth("name", always=True).write({"name": "web"}, NOBODY)) == {}


def test_the_image_of_a_service_names_its_registry() -> None:
    auth = RegistryAuth("requestBody.TaskTemplate.ContainerSpec.Image")
    spec = {"TaskTemplate": {"ContainerSpec": {"Image": "registry.lab/web"}}}
    logins = Registries.parse({"registry.lab": {"username": "me", "password": "p"}})
    for body in (spec, json.dumps(spec)):
        assert read(auth.write({"requestBody": body}, logins))["username"] == "me"
    odd: list[dict[str, Any]] = [{}, {"TaskTemplate": None}, {"TaskTemplate": []}]
    for other in odd:
        assert auth.write({"requestBody": other}, logins) is None


def test_a_build_gets_all_logins() -> None:
    logins = Registries.parse({"a.lab": {"username": "a", "password": "p"}, HUB: {"identitytoken": "t"}})
    assert set(read(RegistryConfig().write({}, logins))) == {"a.lab", HUB}
    assert RegistryConfig().write({}, NOBODY) is None
    own = {"b.lab": {"username": "b", "password": "p"}}
    assert read(RegistryConfig().write({"X_Registry_Config": own}, logins)) == own


def test_user_and_password_in_one_as_docker_keeps_them() -> None:
    both = base64.b64encode(b"me:pass:word").decode()
    logins = Registries.parse({"a.lab": {"auth": both}})
    assert logins.login_for("a.lab/x") == {
        "serveraddress": "a.lab",
        "username": "me",
        "password": "pass:word",
    }


@pytest.mark.parametrize("value", ["{", "[]", {"a.lab": "x"}, {"a.lab": {"user": "x"}}, 5])
def test_what_are_no_logins_is_refused(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        Registries.parse(value)
    assert str(caught.value.field).startswith("registries")


@pytest.mark.parametrize("value", ["not base64 ☃", "{bad", ["x"], {"user": "x"}])
def test_what_is_no_login_is_refused(value: Any) -> None:
    with pytest.raises(BadInput) as caught:
        AUTH.write({"name": "x", "X_Registry_Auth": value}, NOBODY)
    assert str(caught.value.field).startswith("X_Registry_Auth")


def test_logins_are_in_no_representation() -> None:
    assert "canary" not in repr(Registries.parse({"a.lab": {"username": "me", "password": "canary"}}))
