from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.engine.errors import BadInput
from lib.engine.request.registry_auth import (
    HUB,
    Registries,
    RegistryAuth,
    RegistryConfig,
    encode,
    host_of_reference,
)

TEXT = st.text(min_size=1)
LOGINS = st.fixed_dictionaries({"username": TEXT}, optional={"password": TEXT, "identitytoken": TEXT})
HUB_SERVER = "https://index.docker.io/v1/"
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
        assert read(AUTH.write({"name": "x", "X_Registry_Auth": form}, NOBODY)) == {
            "serveraddress": HUB_SERVER,
            **login,
        }


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
    assert read(AUTH.write({"name": "web", "X_Registry_Auth": mine}, logins)) == {
        **mine,
        "serveraddress": HUB_SERVER,
    }


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
    assert set(read(RegistryConfig().write({}, logins))) == {"a.lab", HUB_SERVER}
    assert RegistryConfig().write({}, NOBODY) is None
    own = {"b.lab": {"username": "b", "password": "p"}}
    assert read(RegistryConfig().write({"X_Registry_Config": own}, logins)) == {
        "b.lab": {**own["b.lab"], "serveraddress": "b.lab"}
    }


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


TOKEN = {"identitytoken": "token-1"}
NULL_USER = "00000000-0000-0000-0000-000000000000"


def auth_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_token_beside_auth_is_sent() -> None:
    """Fault 8.11: logins of clouds have both; with `auth` alone the registry sees nobody."""
    logins = Registries.parse({"shop.azurecr.io": {"auth": auth_of(f"{NULL_USER}:"), **TOKEN}})
    assert logins.login_for("shop.azurecr.io/web") == {
        "username": NULL_USER,
        "serveraddress": "shop.azurecr.io",
        **TOKEN,
    }


def test_auth_goes_before_user_and_password_and_leaves_the_rest() -> None:
    """Fault 8.11: the order of Docker's client."""
    entry = {"username": "old", "password": "old", "auth": auth_of("new:pass"), "registrytoken": "bearer"}
    forms: list[Any] = [entry, json.dumps(entry), auth_of(json.dumps(entry))]
    for form in forms:
        sent = read(AUTH.write({"name": "a.lab/x", "X_Registry_Auth": form}, NOBODY))
        assert sent == {
            "username": "new",
            "password": "pass",
            "registrytoken": "bearer",
            "serveraddress": "a.lab",
        }
        build = RegistryConfig().write({"X_Registry_Config": {"a.lab": entry}}, NOBODY)
        assert read(build) == {"a.lab": sent}


@pytest.mark.parametrize(
    "bad", ["not base64 ☃", "ab c!", "abcde", auth_of("nocolon"), auth_of(":nobody"), "//79/A=="]
)
def test_an_auth_that_cannot_be_read_is_named_with_its_registry(bad: str) -> None:
    """Fault 8.11."""
    with pytest.raises(BadInput) as caught:
        Registries.parse({"good.lab": {"username": "me"}, "a.lab": {"auth": bad}})
    assert caught.value.field == "registries.a.lab.auth"
    assert bad not in str(caught.value)
    with pytest.raises(BadInput) as caught:
        AUTH.write({"name": "x", "X_Registry_Auth": {"auth": bad}}, NOBODY)
    assert caught.value.field == "X_Registry_Auth.auth"


def test_the_logins_of_a_whole_config_json_are_taken() -> None:
    """Fault 8.11."""
    whole = {"auths": {HUB_SERVER: {"auth": auth_of("me:p")}, "a.lab:5000": TOKEN}, "HttpHeaders": {"x": "y"}}
    for form in (whole, json.dumps(whole)):
        logins = Registries.parse(form)
        assert logins.login_for("web") == {"username": "me", "password": "p", "serveraddress": HUB_SERVER}
        assert logins.login_for("a.lab:5000/x") == {"serveraddress": "a.lab:5000", **TOKEN}


def test_a_login_that_is_kept_elsewhere_is_named() -> None:
    """Fault 8.11: an entry without a login would be an anonymous pull."""
    with pytest.raises(BadInput, match="credential store") as caught:
        Registries.parse({"auths": {"a.lab": {}}, "credsStore": "desktop"})
    assert caught.value.field == "registries.auths.a.lab"
    for entry in ({}, {"auth": ""}, {"email": "me@a.lab"}, {"password": "p"}):
        with pytest.raises(BadInput, match="has no login"):
            Registries.parse({"a.lab": entry})


@pytest.mark.parametrize(
    "server",
    [
        "docker.io",
        "index.docker.io",
        "https://index.docker.io/v1/",
        "https://index.docker.io/v2/",
        "HTTPS://Docker.IO",
        "registry-1.docker.io",
        "hub.docker.com",
        "registry.hub.docker.com",
    ],
)
def test_docker_hub_has_one_name_for_engines(server: str) -> None:
    """Fault 8.11: engines find a login of Docker Hub by this name only, in both headers."""
    logins = Registries.parse({server: {"username": "me", "password": "p"}})
    expected = {"username": "me", "password": "p", "serveraddress": HUB_SERVER}
    for reference in ("web", "shop/web:1", "docker.io/shop/web", "index.docker.io/shop/web"):
        assert read(AUTH.write({"name": reference}, logins)) == expected
    assert read(RegistryConfig().write({}, logins)) == {HUB_SERVER: expected}
    mine = {"username": "me", "password": "p", "serveraddress": server}
    assert read(AUTH.write({"name": "web", "X_Registry_Auth": mine}, NOBODY)) == expected


@pytest.mark.parametrize(
    "server", ["a.lab", "A.lab", "https://a.lab", "http://a.lab/v1/", "https://a.lab/v2/"]
)
def test_a_server_is_found_in_each_spelling(server: str) -> None:
    """Fault 8.11."""
    assert Registries.parse({server: TOKEN}).login_for("a.lab/x") == {"serveraddress": "a.lab", **TOKEN}


def test_of_several_entries_for_one_host_dockers_choice_counts() -> None:
    """Fault 8.11: the plain host before its URL; for Docker Hub the name that Docker looks for."""
    old, new = {"username": "old"}, {"username": "new"}
    for entries in ({"a.lab": new, "https://a.lab/v1/": old}, {"https://a.lab/v1/": old, "a.lab": new}):
        login = Registries.parse(entries).login_for("a.lab/x")
        assert login is not None
        assert login["username"] == "new"
    hub = {f"{HUB_SERVER}access-token": old, HUB_SERVER: new, f"{HUB_SERVER}refresh-token": old, HUB: old}
    login = Registries.parse(hub).login_for("web")
    assert login is not None
    assert login["username"] == "new"


def test_what_a_mapper_left_empty_is_no_login() -> None:
    """Fault 8.11: the credential's login is taken, an anonymous call would be a surprise."""
    logins = Registries.parse({"a.lab": TOKEN})
    fields = {"name": "a.lab/x", "X_Registry_Auth": {"username": "", "password": None}}
    assert read(AUTH.write(fields, logins)) == {"serveraddress": "a.lab", **TOKEN}


@pytest.mark.parametrize("value", [auth_of("me:pass"), auth_of("[]"), {"password": "p"}, {"email": "x"}])
def test_a_login_of_the_message_that_an_engine_would_take_for_none_is_refused(value: Any) -> None:
    """Fault 8.11."""
    with pytest.raises(BadInput) as caught:
        AUTH.write({"name": "x", "X_Registry_Auth": value}, NOBODY)
    assert caught.value.field == "X_Registry_Auth"
