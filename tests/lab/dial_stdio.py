"""Does what `docker --host unix://PATH system dial-stdio` does: connects stdin and stdout with the engine's socket."""

from __future__ import annotations

import socket
import sys
import threading


def main(arguments: list[str]) -> int:
    option, host, *command = arguments
    if option != "--host" or command != ["system", "dial-stdio"]:
        print(f"unknown command: {' '.join(arguments)}", file=sys.stderr)
        return 2
    path = host.removeprefix("unix://")
    engine = socket.socket(socket.AF_UNIX)
    try:
        engine.connect(path)
    except OSError as fault:
        text = (fault.strerror or "").lower()
        print(f"failed to open the raw stream connection: dial unix {path}: connect: {text}", file=sys.stderr)
        return 1

    def send() -> None:
        while data := sys.stdin.buffer.raw.read(65536):  # type: ignore[attr-defined]
            engine.sendall(data)
        engine.shutdown(socket.SHUT_WR)

    threading.Thread(target=send, daemon=True).start()
    while data := engine.recv(65536):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
