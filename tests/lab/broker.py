"""A RabbitMQ node of the tests' own, and everything that can go wrong with one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping

from lib.local.sandbox.supervisor import SYSTEM_PATH, Supervisor
from tests.lab.certificates import Certificates
from tests.lab.ports import HeldPort
from tests.lab.waiting import wait_until

PROGRAMS = "/usr/lib/rabbitmq/bin"  # those in /usr/sbin insist on the user rabbitmq
STARTED = "completed with"
SETTINGS = """loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
"""


def tls_settings(certificates: Certificates, port: int) -> str:
    return f"""listeners.ssl.1 = 127.0.0.1:{port}
ssl_options.cacertfile = {certificates.ca}
ssl_options.certfile = {certificates.server}
ssl_options.keyfile = {certificates.server_key}
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = true
"""


class BrokerError(Exception):
    pass


class Broker:
    """A running node; `uri` is its address for AMQP clients, `port` the port in it."""

    def __init__(self, certificates: Certificates | None = None) -> None:
        """With certificates it also speaks TLS, at `tls_port`, and wants to see one of theirs."""
        if not os.path.exists(f"{PROGRAMS}/rabbitmq-server"):
            raise BrokerError("RabbitMQ is not installed: install the package rabbitmq-server")
        self.supervisor = Supervisor("broker", patience=20)
        self.folder = self.supervisor.folder
        self._ports = [HeldPort() for _ in range(5)]
        self.port, self.tls_port, names, talk, tools = (port.number for port in self._ports)
        self._tls = tls_settings(certificates, self.tls_port) if certificates else ""
        self.uri = f"amqp://guest:guest@127.0.0.1:{self.port}/%2F"
        self._environment = self._settings(names, talk, tools)
        self.start()

    def start(self) -> None:
        """Up (again), on the same port, with the durable things that were there."""
        with open(self.supervisor.log, "w", encoding="utf-8"):
            pass  # what an earlier run said is no sign of this one
        self.supervisor.start([f"{PROGRAMS}/rabbitmq-server"], self._environment)
        try:
            wait_until(self._is_up, "RabbitMQ to start")
        except BaseException:
            self.close()
            raise

    def ctl(self, *arguments: str) -> str:
        """What `rabbitmqctl ARGUMENTS` prints."""
        command = [f"{PROGRAMS}/rabbitmqctl", "--quiet", *arguments]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BrokerError(f"rabbitmqctl {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def close_connections(self) -> None:
        """Every client sees 320 CONNECTION_FORCED; its unacknowledged messages come again."""
        self.ctl("close_all_connections", "maintenance")

    def stop_app(self) -> None:
        """The broker stops, its port refuses connects; queues that are not durable are gone."""
        self.ctl("stop_app")

    def start_app(self) -> None:
        self.ctl("start_app")

    def delete_queue(self, name: str) -> None:
        """Consumers of the queue get a `basic.cancel`."""
        self.ctl("delete_queue", name)

    def alarm(self) -> None:
        """Out of memory: publishers are blocked until `calm`."""
        self.ctl("set_vm_memory_high_watermark", "absolute", "1")

    def calm(self) -> None:
        self.ctl("set_vm_memory_high_watermark", "absolute", "256MB")

    def depth(self, queue: str) -> int:
        """Messages in the queue, unacknowledged ones too."""
        for line in self.ctl("list_queues", "--no-table-headers", "name", "messages").splitlines():
            name, _, count = line.rpartition("\t")
            if name == queue:
                return int(count)
        raise BrokerError(f"there is no queue {queue}")

    @property
    def pid(self) -> int:
        with open(f"{self.folder}/pid", encoding="utf-8") as file:
            return int(file.read())

    def kill(self) -> None:
        """Clients see a reset, then refusals; `start` brings the node and its durable messages back."""
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.supervisor.running, "RabbitMQ to die")

    def freeze(self) -> None:
        """Silence, until heartbeats notice or `thaw` is called."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        self.supervisor.close()
        for port in self._ports:
            port.close()

    def _is_up(self) -> bool:
        if not self.supervisor.running:
            raise BrokerError(f"RabbitMQ did not start: {self.supervisor.last_words()}")
        with open(self.supervisor.log, encoding="utf-8", errors="replace") as file:
            return STARTED in file.read()

    def _settings(self, names: int, talk: int, tools: int) -> Mapping[str, str]:
        folder = self.folder
        with open(f"{folder}/rabbitmq.conf", "w", encoding="utf-8") as file:
            file.write(SETTINGS + self._tls)
        with open(f"{folder}/plugins", "w", encoding="utf-8") as file:
            file.write("[].")
        return {
            "PATH": SYSTEM_PATH,
            "HOME": folder,
            "LANG": "C.UTF-8",
            "RABBITMQ_NODENAME": f"broker{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(talk),
            "RABBITMQ_CTL_DIST_PORT_MIN": str(tools),
            "RABBITMQ_CTL_DIST_PORT_MAX": str(tools + 50),
            "ERL_EPMD_PORT": str(names),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_MNESIA_BASE": f"{folder}/mnesia",
            "RABBITMQ_LOG_BASE": f"{folder}/logs",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }
