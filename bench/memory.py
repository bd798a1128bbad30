"""2 GiB out of an engine and back: `python -m bench.memory [GiB]` prints what it costs in memory and time.

A container's files are exported, its image is saved and loaded again, each by the step of the operation, with
attachments in a folder. The growth is that of the resident memory at its highest, as the kernel tells it.
"""

from __future__ import annotations

import sys
import tempfile
import time
from typing import Any

from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import forget_engines, run_step
from tests.lab.engine import LabEngine

ALLOWED = 100
GIB = 1 << 30
WIDE = {"maxBytes": str(1 << 40)}


def resident(field: str) -> float:
    """A memory figure of this process in MiB: VmRSS is the present one, VmHWM the highest."""
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith(f"{field}:"))
    return int(line.split()[1]) / 1024


def measured(
    key: str,
    body: Any,
    url: str,
    storage: FolderStorage,
    settings: dict[str, str] | None = None,
    **given: Any,
) -> tuple[Any, float]:
    """Run a step once; its message and the growth of memory in MiB."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
        peak.write("5")  # the highest figure starts anew
    before, began = resident("VmRSS"), time.perf_counter()
    config = {"server": url, "maxSeconds": "3600", **(settings or {})}
    outcome = run_step(key, body, config, storage=storage, **given)
    seconds, growth = time.perf_counter() - began, resident("VmHWM") - before
    if outcome.errors:
        sys.exit(f"{key} failed: {outcome.errors[0]['message']}")
    message = outcome.messages[0]
    size = message.body.get("size") or given["attachments"]["image.tar"]["size"]
    amount = size / GIB
    speed = amount * 1024 / seconds
    print(
        f"{key:16} {amount:7.2f} GiB {seconds:7.1f} s {speed:7.0f} MiB/s {growth:7.1f} MiB more", flush=True
    )
    return message, growth


def main() -> int:
    """Measure; the exit code says whether every step stayed within what is allowed."""
    size = float(sys.argv[1]) if len(sys.argv) > 1 else 2
    engine = LabEngine.begin()
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            storage = FolderStorage(folder)
            write = f"dd if=/dev/zero of=/big bs=1048576 count={int(size * 1024)}"
            container = engine.run(["sh", "-c", write])
            if engine.wait(container) != 0:
                sys.exit("The container could not write its file")
            _, export = measured("ContainerExport", {"id": container}, engine.url, storage, WIDE)
            made = engine.wire.do("POST", "/commit", {}, container=container, repo="bench", tag="big")
            saved, get = measured("ImageGet", {"name": "bench:big"}, engine.url, storage, WIDE)
            engine.remove(container)
            engine.wire.do("DELETE", "/images/bench:big")
            _, load = measured(
                "ImageLoad", {"attachment": "image.tar"}, engine.url, storage, attachments=saved.attachments
            )
            found = engine.wire.do("GET", "/images/bench:big/json").json()["Id"]
            assert found == made.json()["Id"], "the image came back as another one"
            highest = max(export, get, load)
            print(f"at most {highest:.1f} MiB more, {ALLOWED} are allowed")
            return int(highest > ALLOWED)
    finally:
        forget_engines()
        engine.close()


if __name__ == "__main__":
    sys.exit(main())
