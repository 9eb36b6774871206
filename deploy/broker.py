"""The embedded broker: a RabbitMQ node of its own for each home, reachable from this machine only."""

import os
import secrets
import shutil
import subprocess
from pathlib import Path

from amqp import Connection
from amqp.exceptions import AMQPError

from deploy.home import Home, write_privately
from deploy.ports import Ports, answers
from deploy.supervisor import Program
from deploy.trouble import Trouble

PROGRAMS = Path("/usr/lib/rabbitmq/bin")  # those on Debian's PATH would change to the system's own user
USER = "kexie"

SETTINGS = """\
listeners.tcp.local = 127.0.0.1:{port}
default_user = {user}
default_pass = {password}
log.console = true
log.console.use_colors = off
log.file = false
log.connection.level = warning
raft.wal_max_size_bytes = 64000000
"""

# Two schedulers that sleep when idle, since broker, database and services share the machine.
ERLANG = (
    "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} "
    "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
)


class Broker:
    """RabbitMQ with the port mapper (epmd) that lets its control program find it."""

    name = "broker"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.ports = Ports(home)
        self.folder = home.subfolder("broker")

    @property
    def uri(self) -> str:
        return f"amqp://{USER}:{self._password}@127.0.0.1:{self.ports['broker']}//"

    @property
    def product(self) -> str:
        return f"RabbitMQ on 127.0.0.1:{self.ports['broker']}"

    def port_mapper(self) -> Program:
        port = self.ports.take("epmd")
        command = (_found("epmd"), "-port", str(port), "-address", "127.0.0.1")
        return Program(name="epmd", command=command, environment=os.environ, port=port)

    def program(self) -> Program:
        """Takes the ports and writes the settings."""
        port = self.ports.take("broker")
        self.ports.take("broker distribution")
        settings = SETTINGS.format(port=port, user=USER, password=self._password)
        self.home.secret("broker/.erlang.cookie", lambda: secrets.token_hex(16))
        write_privately(self.folder / "rabbitmq.conf", settings)
        write_privately(self.folder / "enabled_plugins", "[].\n")
        command = (_found("rabbitmq-server"),)
        return Program(name=self.name, command=command, environment=self.environment, port=port)

    def is_ready(self) -> bool:
        """Whether it lets us in."""
        port = self.ports["broker"]
        if not answers(port):
            return False
        connection = Connection(f"127.0.0.1:{port}", userid=USER, password=self._password, connect_timeout=2)
        try:
            connection.connect()
        except (AMQPError, OSError):
            return False
        connection.collect()
        return True

    def control(self, *arguments: str) -> str:
        """What `rabbitmqctl` answers, for example to `stop_app`; CalledProcessError when it fails."""
        command = (_found("rabbitmqctl"), "--quiet", *arguments)
        done = subprocess.run(command, env=self.environment, check=True, stdout=subprocess.PIPE, text=True)
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of a RabbitMQ that the machine may have besides."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return ours | {
            "HOME": str(self.folder),  # the cookie lies here
            "RABBITMQ_NODENAME": self._node,
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_DIST_PORT": str(self.ports["broker distribution"]),
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "true",  # makes the start script become the server, which then has our pid
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        }

    @property
    def _node(self) -> str:
        return self.home.secret("broker/node", lambda: f"kexie-{secrets.token_hex(4)}@localhost")

    @property
    def _password(self) -> str:
        return self.home.secret("broker/password", lambda: secrets.token_hex(16))


def _found(program: str) -> str:
    beside = shutil.which(program, path=str(PROGRAMS))
    path = beside or shutil.which(program)
    if path is None:
        raise Trouble(f"There is no {program} here: install rabbitmq-server, or point AMQP_URI at a broker.")
    return path
