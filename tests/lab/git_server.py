"""A git repository behind HTTP and a password, beside an engine: git's own server, called for each request."""

from __future__ import annotations

import base64
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType

from tests.lab.engine import LabEngine
from tests.lab.http_beside import HttpBeside
from tests.lab.skipping import missing

# As BuildKit gives a token; GitHub and others take any user with it.
USER = "x-access-token"


class GitServer(HttpBeside):
    """Has the repository `url` with one commit of `files`, for those who show `token`; `refused` counts the others."""

    def __init__(self, engine: LabEngine, files: Mapping[str, str], token: str) -> None:
        if shutil.which("git") is None:
            missing("git is not installed: install the package git")
        self._folder = tempfile.TemporaryDirectory(prefix="git-")
        _commit(Path(self._folder.name), files)
        super().__init__(engine, _Handler)
        self.root, self.refused = self._folder.name, 0
        self.login = "Basic " + base64.b64encode(f"{USER}:{token}".encode()).decode()
        self.url = f"http://{self.address}/shop.git"

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, problem, trace)
        self._folder.cleanup()


def _commit(root: Path, files: Mapping[str, str]) -> None:
    work = root / "work"
    for name, content in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(content)
    nobody = ["-c", "user.name=lab", "-c", "user.email=lab@example.org"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*nobody, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", "-C", str(work), *command], check=True, capture_output=True)
    clone = ["git", "clone", "-q", "--bare", str(work), str(root / "shop.git")]
    subprocess.run(clone, check=True, capture_output=True)


class _Handler(BaseHTTPRequestHandler):
    server: GitServer

    def do_GET(self) -> None:
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Authorization", "").lower() != self.server.login.lower():
            self.server.refused += 1
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="lab"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_PROJECT_ROOT": self.server.root,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "REMOTE_USER": USER,
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(sent)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=sent, capture_output=True, env=environment, check=True
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(fields.pop("Status", "200 OK").split()[0]))
        for name, value in (fields | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET  # noqa: N815 - as http.server calls it

    def log_message(self, *_: object) -> None:
        """Tests have enough to say."""
