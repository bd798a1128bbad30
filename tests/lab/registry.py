"""Image registries beside an engine, open or with a password."""

from __future__ import annotations

import base64
import ctypes
import ctypes.util
import json
import secrets
import shutil
from typing import Any

from lib.local.sandbox.supervisor import SYSTEM_PATH, Supervisor
from tests.lab.engine import LabEngine
from tests.lab.ports import HeldPort
from tests.lab.waiting import wait_until
from tests.lab.wire import Wire

USER = "lab"
# In standard base64 this one has + and /, which engines take as no account at all.
PASSWORD = "pass?~>word~~"


class RegistryError(Exception):
    pass


class Registry:
    """A registry in an engine's network; `address` begins the names of its images, as the engine sees them."""

    def __init__(self, engine: LabEngine, *, secured: bool = False, read_only: bool = False) -> None:
        if shutil.which("docker-registry") is None:
            raise RegistryError("docker-registry is not installed: install the package docker-registry")
        self._port = HeldPort(engine.namespace)
        self.supervisor = Supervisor("registry", patience=5)
        self.address = f"127.0.0.1:{self._port.number}"
        self._read_only = read_only
        self.user, self.password = (USER, PASSWORD) if secured else ("", "")
        self.wire = Wire(f"http://{self.address}", namespace=engine.namespace)
        with open(f"{self.supervisor.folder}/settings.json", "w", encoding="utf-8") as file:
            json.dump(self._settings(), file)
        command = ["docker-registry", "serve", f"{self.supervisor.folder}/settings.json"]
        self.supervisor.start(engine.inside(command), {"PATH": SYSTEM_PATH, "OTEL_TRACES_EXPORTER": "none"})
        try:
            wait_until(self._answers, "the registry to start")
        except BaseException:
            self.close()
            raise

    @property
    def account(self) -> dict[str, str]:
        """The body of `POST /auth` and of the X-Registry-Auth header."""
        return {"username": self.user, "password": self.password, "serveraddress": self.address}

    @property
    def header(self) -> dict[str, str]:
        """X-Registry-Auth for engine calls of the lab itself; an open registry still wants one on push."""
        account = self.account if self.user else {}
        return {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(account).encode()).decode()}

    def tags(self, repository: str) -> list[str]:
        """The tags that the registry has of a repository."""
        answer = self.wire.ask("GET", f"/v2/{repository}/tags/list", headers=self.login)
        return sorted(answer.json().get("tags") or [])

    def push(self, engine: LabEngine, name: str, image: str = "") -> str:
        """Push an image of the engine as `name` ("repository:tag") and return its full name."""
        repository, _, tag = name.partition(":")
        full = f"{self.address}/{repository}"
        engine.wire.do("POST", f"/images/{image or engine.image}/tag", repo=full, tag=tag)
        answer = engine.wire.ask("POST", f"/images/{full}/push", headers=self.header, tag=tag)
        if any("error" in line for line in answer.lines()):
            raise RegistryError(f"push of {full}:{tag}: {answer.body.decode()}")
        return f"{full}:{tag}"

    def close(self) -> None:
        self.supervisor.close()
        self._port.close()

    def _answers(self) -> bool:
        if not self.supervisor.running:
            raise RegistryError(f"the registry did not start: {self.supervisor.last_words()}")
        try:
            return self.wire.ask("GET", "/v2/").status in {200, 401}
        except OSError:
            return False

    @property
    def login(self) -> dict[str, str]:
        """The header with which the lab itself asks the registry."""
        account = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {account}"} if self.user else {}

    def _settings(self) -> dict[str, Any]:
        folder = self.supervisor.folder
        settings: dict[str, Any] = {
            "version": 0.1,
            "log": {"level": "error"},
            "http": {"addr": self.address},
            "storage": {"filesystem": {"rootdirectory": f"{folder}/data"}, "delete": {"enabled": True}},
        }
        if self._read_only:
            settings["storage"]["maintenance"] = {"readonly": {"enabled": True}}
        if self.user:
            with open(f"{folder}/accounts", "w", encoding="utf-8") as file:
                file.write(f"{self.user}:{bcrypt(self.password)}\n")
            settings["auth"] = {"htpasswd": {"realm": "lab", "path": f"{folder}/accounts"}}
        return settings


def bcrypt(password: str) -> str:
    """The only kind of hash that the registry takes; Python has none, the system's C library has."""
    library = ctypes.CDLL(ctypes.util.find_library("crypt") or "libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p
    salt = "$2b$05$" + secrets.token_hex(11)  # 22 characters of bcrypt's alphabet
    hashed: bytes | None = library.crypt(password.encode(), salt.encode())
    if not hashed or not hashed.startswith(b"$2b$"):
        raise RegistryError("this system's libcrypt has no bcrypt")
    return hashed.decode()
