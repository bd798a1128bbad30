"""What the user's SSH client knows of the host of an ssh:// address, as fields of the credential.

The client itself is asked (`ssh -G`, `ssh-keygen`), so that ~/.ssh/config counts with all that it can say: names of its
own, user, port, key, known hosts. A key without a password goes into the credential; for others there is the agent,
which the step asks itself (SSH_AUTH_SOCK).
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, quote, unquote, urlsplit

from lib.credentials import server_url
from lib.engine.errors import BadInput
from lib.engine.ssh import KINDS, PORT
from lib.local.problems import UsageError

LONGEST = 64 * 1024
"""Bytes of a private key, and of what a program may say."""
PATIENCE = 10.0
"""Seconds that a program has; those of the configuration's own (Match exec) are among them."""
_USUAL = ("id_rsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "id_dsa", "id_xmss")
_ACCOUNT = Path(pwd.getpwuid(os.getuid()).pw_dir)
_UNCHECKED = ("no", "off", "false")


def with_ssh_files(config: Mapping[str, Any], environ: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration whose ssh:// address is complete, with key and host keys unless it has them.

    Other configurations come back as they are. Raises UsageError for a host that is reached by way of another one.
    """
    fields = dict(config)
    parts = _address(config)
    if parts is None:
        return fields
    user = str(config.get("sshUser") or "") or unquote(parts.username or "")
    said = _asked(environ, parts, user)
    for key in ("proxyjump", "proxycommand"):
        if said.get(key, ["none"])[0] != "none":
            raise UsageError(
                f"the SSH client reaches {parts.hostname} by way of another host ({key}), which steps cannot do",
                hint=f"`ssh -N -L /tmp/docker.sock:/var/run/docker.sock {parts.hostname}` makes a socket here; "
                "give unix:///tmp/docker.sock",
            )
    user = user or said.get("user", [""])[0]
    host = said.get("hostname", [parts.hostname or ""])[0]
    port = parts.port or int(said.get("port", [str(PORT)])[0])
    where = f"[{host}]" if ":" in host else host
    place = "server" if "://" in str(config.get("server") or "") else "otherServer"
    login = f"{quote(user)}@" if user else ""
    fields[place] = f"ssh://{login}{where}:{port}{parts.path}"
    fields.pop("sshUser", None)
    if not config.get("sshKey") and (text := _key(environ, said)):
        fields["sshKey"] = text
    if not config.get("sshHostKey") and config.get("sshHostKeyCheck") != "skip":
        name = said.get("hostkeyalias", [host if port == PORT else f"[{host}]:{port}"])[0]
        if keys := _known(environ, said, name):
            fields["sshHostKey"] = "\n".join(keys)
        elif said.get("stricthostkeychecking", [""])[0] in _UNCHECKED:
            fields["sshHostKeyCheck"] = "skip"
    return fields


def _address(config: Mapping[str, Any]) -> SplitResult | None:
    """Return the address of an engine behind SSH; None for others, and for what the step itself will refuse."""
    with suppress(BadInput, ValueError):
        parts = urlsplit(server_url(config))
        usable = parts.scheme == "ssh" and parts.hostname and not parts.hostname.startswith("-")
        if usable and parts.port != 0 and parts.password is None:
            return parts
    return None


def _asked(environ: Mapping[str, str], parts: SplitResult, user: str) -> dict[str, list[str]]:
    """Return what the SSH client would do for a host: its settings by name, each with all of its values."""
    command = ["ssh", "-G"]
    if _home(environ) != _ACCOUNT:  # the client itself does not look at HOME
        own = _home(environ) / ".ssh" / "config"
        command += ["-F", str(own) if own.is_file() else "none"]
    if parts.port:
        command += ["-p", str(parts.port)]
    if user:
        command += ["-l", user]
    said: dict[str, list[str]] = {}
    for line in _output(environ, [*command, "--", parts.hostname or ""]).splitlines():
        name, _, value = line.partition(" ")
        said.setdefault(name.lower(), []).append(value.strip())
    return said


def _key(environ: Mapping[str, str], said: Mapping[str, list[str]]) -> str | None:
    """Return the text of the key to log in with; None where the agent has keys, and where there is none."""
    files = [_path(environ, value) for value in said.get("identityfile", [])]
    files = [file for file in files if file.is_file() and not file.name.endswith("_sk")]
    usual = {_home(environ) / ".ssh" / name for name in _USUAL}
    open_ones = [file for file in files if _output(environ, ["ssh-keygen", "-y", "-P", "", "-f", str(file)])]
    named = [file for file in open_ones if file not in usual]
    if not named and environ.get("SSH_AUTH_SOCK") and _output(environ, ["ssh-add", "-L"]):
        return None
    chosen = next(iter([*named, *open_ones, *files]), None)
    if chosen is None:
        return None
    with suppress(OSError, ValueError), chosen.open(encoding="ascii") as source:
        return source.read(LONGEST)
    return None


def _known(environ: Mapping[str, str], said: Mapping[str, list[str]], name: str) -> list[str]:
    """Return the keys of a host, without names, from all files of known hosts."""
    files = " ".join(
        [*said.get("userknownhostsfile", ["~/.ssh/known_hosts"]), *said.get("globalknownhostsfile", [])]
    )
    found: dict[str, None] = {}
    for file in files.split():
        for line in _output(
            environ, ["ssh-keygen", "-F", name, "-f", str(_path(environ, file))]
        ).splitlines():
            words = line.split()
            if len(words) > 2 and not words[0].startswith(("#", "@")) and words[1] in KINDS:  # noqa: PLR2004
                found[f"{words[1]} {words[2]}"] = None
    return list(found)


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or "/")


def _path(environ: Mapping[str, str], text: str) -> Path:
    """Return the path of a file that the client names, in the home of `environ` where it is in the client's."""
    for home in ("~/", f"{_ACCOUNT}/"):
        if text.startswith(home):
            return _home(environ) / text.removeprefix(home)
    return Path(text)


def _output(environ: Mapping[str, str], command: list[str]) -> str:
    """Return what a program prints, nothing if it fails, is not there or takes longer than PATIENCE."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
            timeout=PATIENCE,
        )
        return done.stdout[:LONGEST].decode(errors="replace")
    return ""
