"""The world of a campaign: a replica set of three, one broker node or three, and two replicas of each program.

A process that dies is started again. Import `deploy.image.greenthreads` first: supervision and faults are greenthreads.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import eventlet
import pymongo
from pymongo.errors import PyMongoError

from deploy.local.broker import Broker
from deploy.local.database import Database
from deploy.local.embedded import READY_WITHIN, Stores
from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.ports import Ports, answers
from deploy.local.processes import Process, end
from deploy.local.programs import PROGRAMS, replica
from deploy.local.supervisor import Program, StopRequested, Supervisor
from deploy.secrets.keys import Keys
from services.chassis.amqp import BROKEN, connect
from services.chassis.provisioning import declare_shared
from services.chassis.settings import Settings
from tests.chaos.world import firewall, operator_repair, small_disk
from tests.chaos.world.firewall import GROUPS, Network, in_group
from tests.chaos.world.outside_bureau import OutsideBureau
from tests.waiting import wait_until

MEMBERS = ("mongo.1", "mongo.2", "mongo.3")
RUN = (sys.executable, "-m", "tests.chaos.injection.process")
SETTINGS = {"HEARTBEAT": "5", "AUDIT_EVERY": "0", "CALLER_RATE": "0"}  # notice soon; no audit but ours; no limit

MEMBER_OPTIONS = (
    *("--setParameter", "enableTestCommands=1"),  # fail points
    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=1000"),
)
ELECTION = 3_000  # milliseconds without a primary until another one stands for election

ON_SMALL_DISKS = {"mongo.3": 1_500, "broker.1": 1_500}  # megabytes

Client = pymongo.MongoClient[dict[str, Any]]


@dataclass
class Poison:
    """A message that nobody can handle; it has to be parked where it is `certain` that a queue kept it."""

    id: str  # its message_id
    queue: str
    body: bytes
    certain: bool = False


@dataclass(frozen=True)
class Death:
    """The end of a process, `how` in words for people."""

    name: str
    when: float  # seconds since 1970
    how: str


class World:
    """Used by `with`, inside which everything is ready. `environment` holds variables that all replicas get besides.

    Faults note what the invariants have to know: `deaths`, `poison`, the `hits` of each crash point, and in
    `needs_repair` the listeners whose queues may have lost messages.
    """

    names = tuple(f"{name}.{number}" for name in PROGRAMS for number in (1, 2))

    def __init__(
        self, home: Home, *, brokers: int = 1, say: Callable[[str], None], environment: Mapping[str, str] | None = None
    ) -> None:
        self.home = home
        self.say = say
        self.deaths: list[Death] = []
        self.poison: list[Poison] = []
        self.hits: Counter[str] = Counter()
        self.needs_repair: set[str] = set()
        self._environment = SETTINGS | dict(environment or {})
        self._keys = token_keys(home)
        self._bureau = OutsideBureau(home)
        self._ports = Ports(home)
        nodes = tuple(f"broker.{number}" for number in range(1, brokers + 1))
        founder = nodes[0] if brokers > 1 else None
        self._nodes = {name: Broker(home, name=name, founder=founder) for name in nodes}
        self._members = {name: Database(home, name=name, members=MEMBERS, options=MEMBER_OPTIONS) for name in MEMBERS}
        self._everything = ("epmd", *nodes, *MEMBERS, *self.names)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.home.claimed())
            self.offers = self._what_is_possible()
            self._mount_small_disks(stack)
            if "a firewall" in self.offers:
                self.network = stack.enter_context(Network())
            self._supervisor = stack.enter_context(Supervisor(self.home, say=self.say, died=self._note_death))
            stack.callback(self._thaw)
            self._start()
            stack.callback(self._keep_up().kill)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._stack.__exit__(*raised)

    def _mount_small_disks(self, stack: ExitStack) -> None:
        if "a small disk" in self.offers:
            for name, size in ON_SMALL_DISKS.items():
                stack.enter_context(small_disk.mounted(self.folder(name), megabytes=size))

    # --- addresses and keys -------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        """The settings of a client that works as the services do, with both keys."""
        return Settings(
            amqp_uri=self._stores.amqp_uri,
            mongo_uri=self._stores.mongo_uri,
            token_public_key=self._keys.public,
            token_private_key=self._keys.private,
            heartbeat=int(self._environment["HEARTBEAT"]),
        )

    @property
    def keys(self) -> Keys:
        """The keys that make tokens of any subject and role."""
        return self._keys

    @property
    def gateway_urls(self) -> list[str]:
        """The URL of each gateway, without a path."""
        return [f"http://127.0.0.1:{self._ports[f'{name} http']}" for name in replicas("gateway")]

    @property
    def bureau_uri(self) -> str:
        """The outside bureau's address at the broker."""
        return self._bureau.uri(node.uri for node in self._nodes.values())

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the broker's nodes."""
        return tuple(self._nodes)

    def folder(self, name: str) -> Path:
        """Return the folder in which this member or node keeps its data."""
        return (self._members[name] if name in self._members else self._nodes[name]).folder

    def port(self, name: str) -> int:
        """Return the port of a member or node, or that of a replica's health."""
        return self._ports[f"{name} health" if name in self.names else name]

    def distribution_port(self, node: str) -> int:
        """Return the port at which the other nodes of the broker reach this one."""
        return self._ports[f"{node} distribution"]

    def group(self, name: str) -> int:
        """Return the group that only this process is in, where there is a firewall."""
        return GROUPS[self._everything.index(name)]

    def grouped(self, name: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command as one that runs in the group of this process."""
        return in_group(self.group(name), command) if "a firewall" in self.offers else command

    # --- processes ----------------------------------------------------------------------------------------------------

    def process(self, name: str) -> Process | None:
        """Return the process that runs now under this name; None while none does."""
        process = self._supervisor.child(name).part.process
        return process if process.is_alive else None

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send it a signal where it runs; a process that dies of it is started again."""
        if process := self.process(name):
            os.kill(process.pid, number)

    def relaunch(self, name: str, **environment: str) -> None:
        """Kill it and start it with these variables besides; the start after that has none of them."""
        before = self.process(name)
        self._supervisor.child(name).relaunch(environment)
        wait_until(lambda: self.process(name) not in (None, before), f"{name} to start again", within=60)

    def stop(self, *names: str, at_once: bool = False) -> None:
        """End them, and keep them from starting again until `start` was called as often as this."""
        for name in names:
            self._supervisor.child(name).hold()
        end(filter(None, map(self.process, names)), grace=0 if at_once else 20)

    def start(self, *names: str) -> None:
        """Take back one `stop` of each of these."""
        for name in names:
            self._supervisor.child(name).let_go()

    @contextmanager
    def down(self, *names: str, at_once: bool = False) -> Iterator[None]:
        """Stop them for the time of the block."""
        self.stop(*names, at_once=at_once)
        try:
            yield
        finally:
            self.start(*names)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Freeze them for the time of the block: they do nothing, and none of their connections is closed."""
        for name in names:
            self.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.kill(name, signal.SIGCONT)

    def is_ready(self, name: str) -> bool:
        """Whether this replica says that it is ready."""
        return says_ready(self.port(name))

    def wait_ready(self, *names: str, within: float = READY_WITHIN) -> None:
        """Wait until each of these replicas is ready; raise NotInTime after so many seconds for one of them."""
        for name in names:
            wait_until(partial(self.is_ready, name), f"{name} to get ready", within=within)

    # --- broker and database ------------------------------------------------------------------------------------------

    def control(self, *arguments: str, node: int = 1) -> str:
        """Run `rabbitmqctl` at this node and return what it prints; raise CalledProcessError where it fails."""
        return self._nodes[f"broker.{node}"].control(*arguments)

    def provision(self) -> None:
        """Make what is missing at the broker, as an operator does who sees that something is."""
        wait_until(self._is_provisioned, "what services share at the broker", within=READY_WITHIN)
        self.let_bureau_in()

    def let_bureau_in(self) -> None:
        """Make what the broker has for the outside bureau, once a node takes it."""
        wait_until(self._has_let_in, "the outside bureau to be let in", within=READY_WITHIN)

    def _has_let_in(self) -> bool:
        for node in self._nodes.values():
            with suppress(subprocess.CalledProcessError):
                node.import_definitions(self._bureau.definitions)
                return True
        return False

    def _is_provisioned(self) -> bool:
        with suppress(*BROKEN), self.channel() as channel:
            declare_shared(channel)
            return True
        return False

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """Open a channel of our own, as soon as the broker accepts a connection, however long that takes."""
        while (connection := self._connection()) is None:
            time.sleep(0.2)
        try:
            yield connection.default_channel
        finally:
            connection.collect()

    def _connection(self) -> Any:
        with suppress(*BROKEN):
            return connect(self.settings, "chaos")
        return None

    def cut_connections(self) -> None:
        """Close every connection that clients have with the broker; the first node that is there does it for all."""
        for node in range(1, len(self._nodes) + 1):
            with suppress(subprocess.CalledProcessError):
                self.control("close_all_connections", "chaos", node=node)
                return

    def founder_is_ready(self) -> bool:
        """Whether the node that the others join accepts connections."""
        return self._nodes[self.nodes[0]].is_ready()

    def broker_is_ready(self) -> bool:
        """Whether every node accepts connections."""
        return all(node.is_ready() for node in self._nodes.values())

    @contextmanager
    def member(self, name: str) -> Iterator[Client]:
        """Connect to this member alone, be it primary or not."""
        with self._members[name].connect() as client:
            yield client

    def primary(self) -> str:
        """Return the member that takes writes, as soon as there is one, however long that takes."""
        while not (writable := [name for name in MEMBERS if self.takes_writes(name)]):
            time.sleep(0.2)
        return writable[0]

    def takes_writes(self, name: str) -> bool:
        """Whether this member says that it is the primary; False where it does not answer."""
        with self.member(name) as client, suppress(PyMongoError):
            return bool(client.admin.command("hello")["isWritablePrimary"])
        return False

    def database_is_ready(self) -> bool:
        """Whether every member is primary or follows one."""
        return all(map(self._is_member, MEMBERS))

    def _is_member(self, name: str) -> bool:
        with self.member(name) as client, suppress(PyMongoError):
            hello = client.admin.command("hello")
            return bool(hello["isWritablePrimary"] or (hello["secondary"] and "primary" in hello))
        return False

    # --- traces of faults, and repair ---------------------------------------------------------------------------------

    def lose(self, queues: Iterable[str]) -> None:
        """Note that messages of these queues may be gone: they need repair, and their poison may not be parked."""
        lost = set(queues)
        self.needs_repair |= {queue.partition(".")[0] for queue in lost if "." in queue}
        for poison in self.poison:
            poison.certain &= poison.queue not in lost or self.is_parked(poison)

    def is_parked(self, poison: Poison) -> bool:
        """Whether the message is parked; False where the database does not answer."""
        service = poison.queue.partition(".")[0]
        parked = self.mongo[self.settings.database(service)]["parked"]
        with suppress(PyMongoError):
            return parked.find_one({"properties.message_id": poison.id}) is not None
        return False

    def repair(self) -> None:
        """Bring back what queues have lost, by the operators' own command; call it when nothing is under way."""
        if self.needs_repair:
            operator_repair.rearm(self.gateway_urls, self.keys, self.needs_repair)
            self.needs_repair.clear()

    def heal(self, *, within: float = 120.0) -> None:
        """Wait until everything runs and is ready; raise NotInTime after so many seconds for one part of it."""
        self._thaw()
        wait_until(self.database_is_ready, "the replica set", within=within)
        wait_until(self.broker_is_ready, "the broker", within=within)
        self.wait_ready(*self.names, within=within)

    # --- start and end ------------------------------------------------------------------------------------------------

    def _what_is_possible(self) -> frozenset[str]:
        possible = {
            "a firewall": firewall.is_possible(),
            "a small disk": small_disk.is_possible(),
            "three brokers": len(self._nodes) == 3,
            "prlimit": shutil.which("prlimit") is not None,
        }
        return frozenset(need for need, is_met in possible.items() if is_met)

    def _start(self) -> None:
        self._start_stores()
        self._stores = Stores(
            amqp_uri=";".join(node.uri for node in self._nodes.values()), mongo_uri=self._members[MEMBERS[0]].uri
        )
        self.mongo = Client(
            self._stores.mongo_uri, w="majority", readConcernLevel="majority", serverSelectionTimeoutMS=30_000
        )
        self._prefer_fast_elections()
        self.provision()
        self._bureau.let_in(self._nodes[self.nodes[0]].server)
        programs = tuple(map(self._replica, self.names))
        self._run(*programs)
        for program in programs:
            self._supervisor.wait_for(program.name, partial(says_ready, program.port), within=READY_WITHIN)

    def _start_stores(self) -> None:
        """Start the first node, and the members beside it, before the nodes that join it."""
        founder, *others = self._nodes.values()
        mapper = founder.port_mapper()
        self._run(mapper)
        self._supervisor.wait_for(mapper.name, lambda: answers(mapper.port), within=READY_WITHIN)
        self._run(*(member.program() for member in self._members.values()), founder.program())
        self._supervisor.wait_for(founder.name, founder.is_ready, within=READY_WITHIN)
        self._run(*(node.program() for node in others))
        for node in others:
            self._supervisor.wait_for(node.name, node.is_ready, within=READY_WITHIN)
        self._supervisor.wait_for(MEMBERS[0], self._has_primary, within=READY_WITHIN)

    def _run(self, *programs: Program) -> None:
        self._supervisor.start(
            *(replace(program, command=self.grouped(program.name, program.command)) for program in programs)
        )

    def _has_primary(self) -> bool:
        """Whether one member is primary; asking also makes the members a replica set."""
        return any(member.is_ready() for member in self._members.values())

    def _prefer_fast_elections(self) -> None:
        config = self.mongo.admin.command("replSetGetConfig")["config"]
        config["settings"] |= {"electionTimeoutMillis": ELECTION, "catchUpTimeoutMillis": ELECTION}
        self.mongo.admin.command("replSetReconfig", config | {"version": config["version"] + 1})

    def _replica(self, name: str) -> Program:
        service = name.partition(".")[0]
        http_port = self._ports.take(f"{name} http") if service == "gateway" else 0
        return replica(
            self.home, self._stores, service, name=name, run=RUN, settings=self._environment, http_port=http_port
        )

    def _keep_up(self) -> Any:
        """Start the greenthread that starts dead processes again, and passes on a signal to stop to the opener."""
        opener = eventlet.getcurrent()

        def look_after() -> None:
            try:
                self._supervisor.wait(lambda: False)
            except StopRequested as stop:
                eventlet.kill(opener, stop)

        return eventlet.spawn(look_after)

    def _note_death(self, name: str, how: str) -> None:
        self.deaths.append(Death(name, time.time(), how))

    def _thaw(self) -> None:
        for name in self._everything:
            with suppress(LookupError):
                self.kill(name, signal.SIGCONT)


def replicas(service: str) -> tuple[str, ...]:
    """The names of the processes of this service, or of the gateway."""
    return tuple(name for name in World.names if name.startswith(f"{service}."))
