"""The embedded broker: a RabbitMQ node for each home, reachable from this machine only."""

import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile
from typing import Any

from amqp import Connection
from amqp.exceptions import AMQPError

from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.local.ports import Ports, answers
from deploy.local.supervisor import Program
from deploy.secrets.private_files import write_privately
from services.contract.topology import MESSAGE_LIMIT, policies

PROGRAMS = Path("/usr/lib/rabbitmq/bin")  # those on Debian's PATH switch to the system's rabbitmq user
USER = "kexie"

SETTINGS = """\
listeners.tcp.local = 127.0.0.1:{port}
load_definitions = {definitions}
max_message_size = {message_limit}
log.console = true
log.console.use_colors = off
log.file = false
log.connection.level = warning
raft.wal_max_size_bytes = 64000000
"""

CLUSTER = """\
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = {founder}
cluster_partition_handling = pause_minority
net_ticktime = 4
"""  # net_ticktime in seconds: both sides of a partition notice it within five

# Two schedulers that sleep when idle, since broker, database and services share the machine.
ERLANG = (
    "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1} "
    "+S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
)


class Broker:
    """A RabbitMQ node with the port mapper (epmd) by which its control program finds it.

    With a founder (perhaps itself) it is a node of a cluster; the founder of that name has to start first.
    """

    def __init__(self, home: Home, *, name: str = "broker", founder: str | None = None) -> None:
        self.home = home
        self.name = name
        self.ports = Ports(home)
        self.folder = home.subfolder(name)
        self._founder = founder

    @property
    def uri(self) -> str:
        """The address with user and password; valid once the port is taken."""
        return f"amqp://{USER}:{self._shared('password')}@127.0.0.1:{self.ports[self.name]}/%2F"

    @property
    def server(self) -> str:
        """The address without user and virtual host; valid once the port is taken."""
        return f"amqp://127.0.0.1:{self.ports[self.name]}"

    @property
    def product(self) -> str:
        """Product and address, for people."""
        return f"RabbitMQ on 127.0.0.1:{self.ports[self.name]}"

    def port_mapper(self) -> Program:
        """Take a port for epmd and return how to run it."""
        port = self.ports.take("epmd")
        command = (_path_of("epmd"), "-port", str(port), "-address", "127.0.0.1")
        return Program(name="epmd", command=command, environment=os.environ, port=port)

    def program(self) -> Program:
        """Take the ports, write the settings, and return how to run the node."""
        port = self.ports.take(self.name)
        self.ports.take(f"{self.name} distribution")
        definitions = self.folder / "definitions.json"
        settings = SETTINGS.format(port=port, definitions=definitions, message_limit=MESSAGE_LIMIT)
        if self._founder:
            settings += CLUSTER.format(founder=self._node_of(self._founder))
        write_privately(self.folder / ".erlang.cookie", self._shared("cookie"))
        write_privately(self.folder / "rabbitmq.conf", settings)
        write_privately(definitions, json.dumps(self._definitions("/")))
        write_privately(self.folder / "enabled_plugins", "[].\n")
        command = (_path_of("rabbitmq-server"),)
        return Program(name=self.name, command=command, environment=self.environment, port=port, folder=self.folder)

    def is_ready(self) -> bool:
        """Return whether the node accepts our login."""
        port = self.ports[self.name]
        if not answers(port):
            return False
        connection = Connection(f"127.0.0.1:{port}", userid=USER, password=self._shared("password"), connect_timeout=2)
        try:
            connection.connect()
        except (AMQPError, OSError):
            return False
        connection.collect()
        return True

    def control(self, *arguments: str) -> str:
        """Run `rabbitmqctl` and return its output; raise CalledProcessError, with its words, where it fails."""
        command = (_path_of("rabbitmqctl"), "--quiet", *arguments)
        log = self.home.log("rabbitmqctl")
        with TemporaryFile("w+") as answer, log.open("a") as errors:  # reading pipes would hold up other greenthreads
            began = errors.tell()
            done = subprocess.run(command, env=self.environment, check=False, stdout=answer, stderr=errors)
            answer.seek(0)
            if done.returncode:
                words = log.read_bytes()[began:].decode(errors="replace")
                raise subprocess.CalledProcessError(done.returncode, command, answer.read(), words)
            return answer.read()

    def add_virtual_hosts(self, *names: str) -> None:
        """Add places for queues apart from all others; an address ends in such a name instead of the last slash."""
        self.import_definitions(self._definitions(*names))  # it starts a virtual machine, which takes a second

    def import_definitions(self, definitions: Mapping[str, Any]) -> None:
        """Make what the definitions name; nothing is removed."""
        with NamedTemporaryFile("w", dir=self.folder, suffix=".json") as file:
            json.dump(definitions, file)
            file.flush()
            self.control("import_definitions", file.name)

    def _definitions(self, *vhosts: str) -> dict[str, Any]:
        """Virtual hosts with the policies of a site, and our user, who may do everything."""
        everything = {"user": USER, "configure": ".*", "write": ".*", "read": ".*"}
        return {
            "vhosts": [{"name": name} for name in vhosts],
            "users": [{"name": USER, "password": self._shared("password"), "tags": ["administrator"]}],
            "permissions": [{"vhost": name, **everything} for name in vhosts],
            "policies": [policy for name in vhosts for policy in policies(name)],
        }

    @property
    def environment(self) -> dict[str, str]:
        """The environment, without the variables of another RabbitMQ on this machine."""
        others = {name: value for name, value in os.environ.items() if not name.startswith(("RABBITMQ_", "ERL_"))}
        return others | {
            "HOME": str(self.folder),  # holds the Erlang cookie
            "RABBITMQ_NODENAME": self._node_of(self.name),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_DIST_PORT": str(self.ports[f"{self.name} distribution"]),
            "ERL_CRASH_DUMP": str(self.folder / "erl_crash.dump"),
            "ERL_EPMD_PORT": str(self.ports["epmd"]),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_ALLOW_INPUT": "true",  # the start script then becomes the server, whose pid we know
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": ERLANG,
        }

    def _node_of(self, name: str) -> str:
        return self.home.secret(f"{name}/node", lambda: f"kexie-{secrets.token_hex(4)}@localhost")

    def _shared(self, secret: str) -> str:
        """A secret that all nodes of the cluster share."""
        return self.home.secret(f"{self._founder or self.name}/{secret}", lambda: secrets.token_hex(16))


def _path_of(program: str) -> str:
    path = shutil.which(program, path=str(PROGRAMS)) or shutil.which(program)
    if path is None:
        raise CommandFailed(f"There is no {program} here: install rabbitmq-server, or point AMQP_URI at a broker.")
    return path
