"""Installs Debian packages if it has the rights: `python -m lib.local.sandbox.packages docker.io busybox-static`."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence

ENGINE_PACKAGES = ("docker.io", "busybox-static", "iproute2", "procps")
POLICY = "/usr/sbin/policy-rc.d"
INSTALL = ("apt-get", "install", "--yes", "--no-install-recommends", "-o", "DPkg::Lock::Timeout=300")


class PackagesMissing(Exception):
    """Packages are missing and cannot be installed; the text has a command that installs them."""


def ensure_packages(names: Sequence[str], say: Callable[[str], None]) -> None:
    """Install those of `names` that are missing; raises PackagesMissing. `say` is called with lines for people."""
    if shutil.which("dpkg-query") is None:
        raise PackagesMissing("this system does not use Debian's packages")
    missing = missing_packages(names)
    if not missing:
        return
    wanted = " ".join(missing)
    by_hand = f"apt-get install --no-install-recommends {wanted}"
    if os.geteuid() != 0:
        raise PackagesMissing(f"packages are missing that only root may install: run `sudo {by_hand}`")
    say(f"installing packages: {wanted}")
    with services_kept_still():
        if _apt(*INSTALL, *missing) is not None:
            _apt("apt-get", "update")  # apt's lists may be old or missing
            if (problem := _apt(*INSTALL, *missing)) is not None:
                raise PackagesMissing(f"`{by_hand}` failed: {problem}")


def missing_packages(names: Sequence[str]) -> list[str]:
    """Return those of `names` that are not installed."""
    command = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\n", *names]
    shown = subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()
    return [name for name in names if f"{name} installed" not in shown]


@contextlib.contextmanager
def services_kept_still(policy: str = POLICY) -> Iterator[None]:
    """Forbid packages to start their services inside the block, on machines without systemd: installing would fail."""
    if os.path.exists("/run/systemd/system") or os.path.exists(policy):
        yield
        return
    with open(policy, "w", encoding="utf-8") as file:
        file.write("#!/bin/sh\nexit 101\n")
    os.chmod(policy, 0o755)  # noqa: S103 - all users may run it
    try:
        yield
    finally:
        os.remove(policy)


def _apt(*command: str) -> str | None:
    """Run a command; return None if it succeeded, else the last three lines of its output."""
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env=environment, stdin=subprocess.DEVNULL
    )
    return None if done.returncode == 0 else " / ".join((done.stdout + done.stderr).strip().splitlines()[-3:])


def main() -> int:
    try:
        ensure_packages(sys.argv[1:], lambda line: print(line, file=sys.stderr, flush=True))
    except PackagesMissing as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
