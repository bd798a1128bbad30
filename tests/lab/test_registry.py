from __future__ import annotations

from tests.lab.engine import LabEngine
from tests.lab.registry import PASSWORD, Registry, bcrypt
from tests.lab.search_index import SearchIndex


def test_an_image_goes_to_the_registry_and_comes_back(engine_lab: LabEngine, registry: Registry) -> None:
    name = registry.push(engine_lab, "round/trip:one")
    engine_lab.wire.do("DELETE", f"/images/{name}")
    engine_lab.wire.do("POST", "/images/create", fromImage=name)
    assert registry.tags("round/trip") == ["one"]
    engine_lab.wire.do("DELETE", f"/images/{name}")


def test_the_secured_registry_wants_its_password(engine_lab: LabEngine, secured_registry: Registry) -> None:
    name = secured_registry.push(engine_lab, "guarded:one")
    engine_lab.wire.do("DELETE", f"/images/{name}")
    assert engine_lab.wire.ask("POST", "/images/create", fromImage=name).status == 500
    answer = engine_lab.wire.ask("POST", "/images/create", headers=secured_registry.header, fromImage=name)
    assert answer.status == 200
    assert secured_registry.tags("guarded") == ["one"]
    engine_lab.wire.do("DELETE", f"/images/{name}")


def test_its_account_needs_the_url_safe_alphabet(secured_registry: Registry) -> None:
    assert {"-", "_"} & set(secured_registry.header["X-Registry-Auth"])


def test_the_same_password_has_another_hash_each_time() -> None:
    assert bcrypt(PASSWORD) != bcrypt(PASSWORD)


def test_the_index_is_searched_by_the_engine(engine_lab: LabEngine) -> None:
    with SearchIndex(engine_lab, ["lab/one", "lab/two"]) as index:
        found = engine_lab.wire.do("GET", "/images/search", term=f"{index.address}/one").json()
    assert [entry["name"] for entry in found] == ["lab/one"]
