"""A build by BuildKit whose files come back, in memory and time: `python -m bench.builds [MiB ...]`.

For each size a step writes so many bytes of noise, and the build gives its files as an attachment in a folder. The
growth is that of the resident memory at its highest, as the kernel tells it; it must not depend on the size. Before
that, what loading the session's library costs.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time

from bench.memory import resident
from lib.sailor.standalone.folder import FolderStorage
from tests.actions.stepping import forget_engines, run_step
from tests.lab.engine import LabEngine

ALLOWED = 40
SIZES = (15, 150)
_LOADED = """
import time
import lib.engine.client, actions.images
from bench.memory import resident
before, began = resident("VmRSS"), time.perf_counter()
import lib.engine.buildkit.build
seconds = time.perf_counter() - began
print(f"loading the session: {seconds * 1000:.0f} ms, {resident('VmRSS') - before:.1f} MiB", flush=True)
"""


def main() -> int:
    """Measure; the exit code says whether the memory stayed within what is allowed."""
    subprocess.run([sys.executable, "-c", _LOADED], check=True)
    engine = LabEngine.begin()
    highest = 0.0
    try:
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            storage = FolderStorage(folder)
            for size in map(int, sys.argv[1:] or SIZES):
                highest = max(highest, _measured(engine, storage, size))
        print(f"at most {highest:.1f} MiB more, {ALLOWED} are allowed")
        return int(highest > ALLOWED)
    finally:
        forget_engines()
        engine.close()


def _measured(engine: LabEngine, storage: FolderStorage, size: int) -> float:
    text = f"FROM {engine.image}\nRUN dd if=/dev/urandom of=/big bs=1048576 count={size}\n"
    body = {"dockerfileText": text, "networkmode": "host", "outputs": [{"type": "tar"}]}
    config = {"server": engine.url, "maxSeconds": "3600"}
    run_step("ImageBuild", {**body, "outputs": [], "version": "2"}, config)  # the step itself is not measured
    with open("/proc/self/clear_refs", "w", encoding="ascii") as peak:
        peak.write("5")  # the highest figure starts anew
    before, began = resident("VmRSS"), time.perf_counter()
    outcome = run_step("ImageBuild", body, config, storage=storage)
    seconds, growth = time.perf_counter() - began, resident("VmHWM") - before
    if outcome.errors:
        sys.exit(f"the build failed: {outcome.errors[0]['message']}")
    amount = outcome.bodies[0]["attachment"]["size"] / (1 << 20)
    rate = amount / seconds
    print(f"{amount:7.0f} MiB {seconds:7.1f} s {rate:7.0f} MiB/s {growth:7.1f} MiB more", flush=True)
    return growth


if __name__ == "__main__":
    sys.exit(main())
