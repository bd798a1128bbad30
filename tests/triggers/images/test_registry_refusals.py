"""What a failed look-up means: the status and the words of the registry count, names of images do not."""

from __future__ import annotations

import pytest

from lib.engine.errors import EngineFault, NoSuchOperation, NotFound, Refused, TimedOut
from lib.trigger.images.reference import problem
from lib.trigger.images.registry_refusals import Outcome, outcome

HOST = "127.0.0.1:5000"


def refused(status: int, text: str) -> Refused:
    return EngineFault(text, status=status)


@pytest.mark.parametrize(
    ("reference", "status", "text", "meaning"),
    [
        # Numbers and words in names.
        (f"{HOST}/app:429", 500, f"no manifest of {HOST}/app:429", "failed"),
        (f"{HOST}/app:429", 404, f"{HOST}/app:429: not found", "notFound"),
        ("app:429", 500, 'failed to resolve reference "docker.io/library/app:429": odd', "failed"),
        ("app:2.0.404", 500, "docker.io/library/app:2.0.404: odd", "failed"),
        (f"{HOST}/401/app:1", 500, f"Get https://{HOST}/v2/401/app/manifests/1: odd", "failed"),
        (f"{HOST}/401/app:1", 500, f"{HOST}/401/app:1: 500 Internal Server Error", "failed"),
        (f"{HOST}/unauthorized/denied:1", 500, f"{HOST}/unauthorized/denied: odd", "failed"),
        ("denied:1", 500, "denied: requested access to the resource is denied", "unauthorized"),
        ("toomanyrequests:1", 500, "toomanyrequests: You have reached your limit", "rateLimited"),
        ("toomanyrequests:1", 500, "toomanyrequests:1: odd", "failed"),
        # What registries say, as engines of each age pass it on.
        ("app", 500, "received unexpected HTTP status: 429 Too Many Requests", "rateLimited"),
        ("app", 500, 'error parsing HTTP 429 response body: invalid character: "x"', "rateLimited"),
        ("app", 429, "slow down", "rateLimited"),
        ("app", 500, "unexpected status code [manifests 1]: 401 Unauthorized", "unauthorized"),
        ("app", 500, "error parsing HTTP 403 response body: no", "unauthorized"),
        ("app", 401, "no", "unauthorized"),
        (
            "app",
            500,
            "errors:\ndenied: requested access\nunauthorized: authentication required\n",
            "unauthorized",
        ),
        ("app", 500, "manifest unknown: manifest unknown", "notFound"),
        ("app", 404, "no such image", "notFound"),
        # No answer from the registry, and what is none of all this.
        ("app", 500, f"Get https://{HOST}/v2/: dial tcp {HOST}: connect: connection refused", "unreachable"),
        ("app", 500, "Get https://x/v2/: dial tcp: lookup x: no such host", "unreachable"),
        ("app", 500, f'Head "https://{HOST}/v2/app/manifests/1": EOF', "unreachable"),
        ("app", 500, "received unexpected HTTP status: 500 Internal Server Error", "failed"),
        ("app", 500, "invalid checksum digest format", "failed"),
    ],
)
def test_fault_9_19_names_are_no_statuses(reference: str, status: int, text: str, meaning: Outcome) -> None:
    """Fault 9.19: app:429 was "rate limited", tag 2.0.404 "not found", 401/app "unauthorized"."""
    assert outcome(refused(status, text), reference) == meaning


def test_failures_of_other_kinds() -> None:
    assert outcome(TimedOut("late"), "app") == "unreachable"
    assert outcome(ValueError("odd"), "app") == "failed"
    assert outcome(NoSuchOperation("page not found", status=404), "app") == "failed"
    assert outcome(NotFound("", status=404), "app") == "notFound"


@pytest.mark.parametrize(
    "reference",
    [
        "nginx",
        "nginx:1.27",
        "shop/web:2.4_a-B",
        "registry.example.org/shop/web",
        "localhost/a__b/c--d.e:latest",
        "Registry.example.org:5000/web",
        "[::1]:5000/web:1",
    ],
)
def test_references_that_are_taken(reference: str) -> None:
    assert problem(reference) is None


@pytest.mark.parametrize(
    ("reference", "part"),
    [
        ("https://registry.example.org/web:1", "Leave https:// out"),
        ("nginx:1 redis:2", "separate them by commas"),
        ("Nginx:1", "no upper case: nginx"),
        ("registry.example.org/Shop/web", "no upper case: registry.example.org/shop/web"),
        ("nginx@sha256:" + "a" * 64, "pinned to a digest and can never change"),
        ("nginx:", "no tag"),
        ("nginx:" + "a" * 129, "no tag"),
        ("nginx:-1", "no tag"),
        ("/nginx", "Write it as in"),
        ("a//b", "Write it as in"),
        ("-.example.org:x/web", "no host"),
        ("a" * 256, "Write it as in"),
        ("ä", "Write it as in"),
    ],
)
def test_fault_8_21_references_that_can_never_be_looked_up_are_known_as_such(
    reference: str, part: str
) -> None:
    """Fault 8.21: they were told as "unreachable"."""
    assert part in (problem(reference) or "")


@pytest.mark.parametrize("repeated", ["a", "a.", "a_", "-", "a-", ":", "/", "a/", "A", "."])
def test_long_nonsense_takes_no_time(repeated: str) -> None:
    assert problem(repeated * 100_000 + "!") is not None
    assert outcome(refused(500, repeated * 100_000), "app") == "failed"
