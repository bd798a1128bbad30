"""Podman's service, which speaks much of the Engine's API: a second opinion, no substitute."""

from __future__ import annotations

import os
import shutil

from lib.local.sandbox.busybox_image import busybox_archive
from lib.local.sandbox.supervisor import SYSTEM_PATH, Supervisor
from tests.lab.engine import IMAGE, LabEngine
from tests.lab.waiting import wait_until
from tests.lab.wire import Wire

SYSTEM_FOLDERS = ("/run/libpod", "/run/containers", "/var/lib/containers", "/var/lib/cni", "/run/netns")
STORAGE = """[storage]
driver = "overlay"
graphroot = "{folder}/data"
runroot = "{folder}/run"
"""
# Limits that need no rights which a container on a build machine may lack.
CONTAINERS = """[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
tmp_dir = "{folder}/tmp"
[network]
network_config_dir = "{folder}/networks"
"""


class PodmanError(Exception):
    pass


class PodmanService:
    """A running service with the image `busybox:local`; `url`, `socket`, `version`, `wire` as engines have."""

    def __init__(self) -> None:
        if shutil.which("podman") is None:
            raise PodmanError("podman is not installed: install the package podman")
        if os.geteuid() != 0:
            raise PodmanError("podman's service is started by root only")
        self.supervisor = Supervisor(
            "podman", private=SYSTEM_FOLDERS, network=True, cgroup="libpod_parent", patience=5
        )
        folder = self.supervisor.folder
        self.socket = f"{folder}/podman.sock"
        self.url = f"unix://{self.socket}"
        self.wire = Wire(self.url)
        self.image = IMAGE
        for name, text in (("storage.conf", STORAGE), ("containers.conf", CONTAINERS)):
            with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                file.write(text.format(folder=folder))
        try:
            self._start(folder)
        except BaseException:
            self.close()
            raise

    def _start(self, folder: str) -> None:
        environment = {
            "PATH": SYSTEM_PATH,
            "HOME": folder,
            "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf",
            "CONTAINERS_CONF": f"{folder}/containers.conf",
        }
        self.supervisor.start(["podman", "system", "service", "--time", "0", self.url], environment)
        wait_until(self._answers, "podman's service to start")
        self.version: str = self.wire.do("GET", "/version").json()["Version"]
        # its import ignores the tag
        self.wire.do(
            "POST", "/images/create", busybox_archive(), fromSrc="-", repo="lab", changes='CMD ["sh"]'
        )
        images = self.wire.do("GET", "/images/json").json()
        self.wire.do("POST", f"/images/{images[0]['Id']}/tag", repo="busybox", tag="local")

    def _answers(self) -> bool:
        if not self.supervisor.running:
            raise PodmanError(f"podman's service did not start: {self.supervisor.last_words()}")
        try:
            return self.wire.ask("GET", "/_ping").status == 200
        except OSError:
            return False

    def close(self) -> None:
        self.supervisor.close()


class PodmanEngine(LabEngine):
    """Podman's service with what an engine of the lab has, but for a TCP address, and its ends and starts."""

    def __init__(self) -> None:
        self._service = PodmanService()
        self.private = self._certificates = self._door = self._port = None
        self.url, self.socket, self.wire = self._service.url, self._service.socket, self._service.wire
        self.tcp_url, self.image, self.kind = "", IMAGE, "podman"
        about = self.wire.do("GET", "/version").json()
        self.version, self.api, self.minimum_api = (
            about["Version"],
            about["ApiVersion"],
            about["MinAPIVersion"],
        )

    def close(self) -> None:
        self._service.close()
