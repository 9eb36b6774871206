"""The world of a campaign: a replica set of three, one broker node or three, and two replicas of each of the five.

Whatever dies is started again. Import `deploy.image.greenthreads` first: supervision and faults are greenthreads.
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

from deploy.errors import Trouble
from deploy.local.broker import Broker
from deploy.local.database import Database
from deploy.local.embedded import READY_WITHIN, Stores
from deploy.local.health import says_ready
from deploy.local.home import Home
from deploy.local.home_keys import token_keys
from deploy.local.ports import Ports, answers
from deploy.local.processes import Process, end
from deploy.local.programs import NAMES, replica
from deploy.local.supervisor import AskedToStop, Program, Supervisor
from deploy.secrets.keys import Keys
from services.chassis.amqp import BROKEN, connect
from services.chassis.settings import Settings
from tests.chaos.world import firewall, operator_repair, small_disk
from tests.chaos.world.firewall import GROUPS, Network, in_group

MEMBERS = ("mongo.1", "mongo.2", "mongo.3")
RUN = (sys.executable, "-m", "tests.chaos.injection.process")
TOLD = {"HEARTBEAT": "5", "AUDIT_EVERY": "0", "CALLER_RATE": "0"}  # soon noticed; no audit but ours; no caller too fast

MEMBER_OPTIONS = (
    *("--setParameter", "enableTestCommands=1"),  # fail points
    *("--setParameter", "shutdownTimeoutMillisForSignaledShutdown=1000"),
)
ELECTION = 3_000  # milliseconds without a primary until another one stands for election

ON_SMALL_DISKS = {"mongo.3": 1_500, "broker.1": 1_500}  # megabytes

Client = pymongo.MongoClient[dict[str, Any]]


class NotHealed(Trouble):
    """The world did not come back in time."""


@dataclass
class Poison:
    """A message that nobody can handle; where it is `certain` that a queue kept it, it has to be parked."""

    id: str  # its message_id
    queue: str
    body: bytes
    certain: bool = False


@dataclass(frozen=True)
class Death:
    name: str
    when: float  # seconds since 1970
    how: str


class World:
    """Used by `with`; ready inside. `told` are more settings of all replicas.

    Faults leave behind what the invariants have to know: `deaths`, `poison`, the crash points they `hits`, and in
    `needs_repair` the queues out of which messages may be gone.
    """

    names = tuple(f"{name}.{number}" for name in NAMES for number in (1, 2))

    def __init__(
        self, home: Home, *, brokers: int = 1, say: Callable[[str], None], told: Mapping[str, str] | None = None
    ) -> None:
        self.home = home
        self.say = say
        self.deaths: list[Death] = []
        self.poison: list[Poison] = []
        self.hits: Counter[str] = Counter()
        self.needs_repair: set[str] = set()
        self._told = TOLD | dict(told or {})
        self._keys = token_keys(home)
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
            if "a small disk" in self.offers:
                for name, size in ON_SMALL_DISKS.items():
                    stack.enter_context(small_disk.mounted(self.folder(name), megabytes=size))
            if "a firewall" in self.offers:
                self.network = stack.enter_context(Network())
            self._supervisor = stack.enter_context(Supervisor(self.home, say=self.say, died=self._note_death))
            stack.callback(self._thaw)
            self._start()
            stack.callback(self._keep_up().kill)
            self._left = stack.pop_all()
        return self

    def __exit__(self, *raised: Any) -> None:
        self._left.__exit__(*raised)

    # --- what there is ------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> Settings:
        return Settings(
            amqp_uri=self._stores.amqp_uri,
            mongo_uri=self._stores.mongo_uri,
            token_public_key=self._keys.public,
            token_private_key=self._keys.private,
            heartbeat=int(self._told["HEARTBEAT"]),
        )

    @property
    def keys(self) -> Keys:
        return self._keys

    @property
    def gateway_urls(self) -> list[str]:
        return [f"http://127.0.0.1:{self._ports[f'{name} http']}" for name in replicas("gateway")]

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of the broker's nodes."""
        return tuple(self._nodes)

    def folder(self, name: str) -> Path:
        """Where this member or node keeps its data."""
        return (self._members[name] if name in self._members else self._nodes[name]).folder

    def port(self, name: str) -> int:
        """Where it answers: a replica for its health."""
        return self._ports[f"{name} health" if name in self.names else name]

    def distribution_port(self, node: str) -> int:
        """Where the other nodes of the broker reach this one."""
        return self._ports[f"{node} distribution"]

    def group(self, name: str) -> int:
        """That no other process is in, where there is a firewall."""
        return GROUPS[self._everything.index(name)]

    def grouped(self, name: str, command: tuple[str, ...]) -> tuple[str, ...]:
        """The command as one of that group."""
        return in_group(self.group(name), command) if "a firewall" in self.offers else command

    # --- processes ----------------------------------------------------------------------------------------------------

    def process(self, name: str) -> Process | None:
        """The one that runs now."""
        process = self._supervisor.child(name).part.process
        return process if process.is_alive else None

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send it a signal, where it runs; what dies of it is started again."""
        if process := self.process(name):
            os.kill(process.pid, number)

    def relaunch(self, name: str, **environment: str) -> None:
        """Kill it and start it with these settings besides; its next start has none of them."""
        before = self.process(name)
        self._supervisor.child(name).relaunch(environment)
        self.wait(lambda: self.process(name) not in (None, before), f"{name} to be started again")

    def stop(self, *names: str, at_once: bool = False) -> None:
        """End them, and hold them down until they are started as often as they were stopped."""
        for name in names:
            self._supervisor.child(name).hold()
        end(filter(None, map(self.process, names)), grace=0 if at_once else 20)

    def start(self, *names: str) -> None:
        for name in names:
            self._supervisor.child(name).let_go()

    @contextmanager
    def down(self, *names: str, at_once: bool = False) -> Iterator[None]:
        """Meanwhile they do not run."""
        self.stop(*names, at_once=at_once)
        try:
            yield
        finally:
            self.start(*names)

    @contextmanager
    def frozen(self, *names: str) -> Iterator[None]:
        """Meanwhile they do nothing, and nothing is closed."""
        for name in names:
            self.kill(name, signal.SIGSTOP)
        try:
            yield
        finally:
            for name in names:
                self.kill(name, signal.SIGCONT)

    def is_ready(self, name: str) -> bool:
        """Whether this replica says so."""
        return says_ready(self.port(name))

    def wait_ready(self, *names: str, within: float = READY_WITHIN) -> None:
        """Until these replicas are ready; NotHealed."""
        for name in names:
            self.wait(partial(self.is_ready, name), f"{name} to get ready", within=within)

    def wait(self, condition: Callable[[], Any], what: str, *, within: float = 60.0) -> None:
        """NotHealed after so many seconds."""
        if not self.comes_true(condition, within=within):
            raise NotHealed(f"waited {within:g} s in vain for {what}")

    def comes_true(self, condition: Callable[[], Any], *, within: float) -> bool:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    # --- broker and database ------------------------------------------------------------------------------------------

    def control(self, *arguments: str, node: int = 1) -> str:
        """What `rabbitmqctl` answers; CalledProcessError."""
        return self._nodes[f"broker.{node}"].control(*arguments)

    def grow_queues(self) -> None:
        """As whoever lets a node join a cluster has to: RabbitMQ does it for no queue that is there already."""
        _, *others = self._nodes.values()
        for node in others:
            node.grow_queues()

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of our own, once the broker lets us in."""
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
        """Close every connection that clients have with the broker; any node that is there does it for all."""
        for node in range(1, len(self._nodes) + 1):
            with suppress(subprocess.CalledProcessError):
                self.control("close_all_connections", "chaos", node=node)
                return

    def founder_is_ready(self) -> bool:
        """Whether the node that the others join lets us in."""
        return self._nodes[self.nodes[0]].is_ready()

    def broker_is_ready(self) -> bool:
        """Whether every node lets us in."""
        return all(node.is_ready() for node in self._nodes.values())

    @contextmanager
    def member(self, name: str) -> Iterator[Client]:
        """This member alone, whatever it is at the moment."""
        with Client(self._members[name].host, directConnection=True, serverSelectionTimeoutMS=3_000) as client:
            yield client

    def primary(self) -> str:
        """The member that takes writes, once there is one."""
        while not (found := [name for name in MEMBERS if self.takes_writes(name)]):
            time.sleep(0.2)
        return found[0]

    def takes_writes(self, name: str) -> bool:
        with self.member(name) as client, suppress(PyMongoError):
            return bool(client.admin.command("hello")["isWritablePrimary"])
        return False

    def database_is_ready(self) -> bool:
        """Whether every member is primary or follows one."""
        return all(map(self._is_member, MEMBERS))

    def _is_member(self, name: str) -> bool:
        with self.member(name) as client, suppress(PyMongoError):
            said = client.admin.command("hello")
            return bool(said["isWritablePrimary"] or (said["secondary"] and "primary" in said))
        return False

    # --- what faults leave behind -------------------------------------------------------------------------------------

    def lose(self, queues: Iterable[str]) -> None:
        """Messages of these queues may be gone."""
        lost = set(queues)
        self.needs_repair |= {queue.partition(".")[0] for queue in lost if "." in queue}
        for letter in self.poison:
            letter.certain &= letter.queue not in lost or self.is_parked(letter)

    def is_parked(self, letter: Poison) -> bool:
        """False where nobody can tell."""
        service = letter.queue.removeprefix("rpc-").partition(".")[0]
        parked = self.mongo[self.settings.database(service)]["parked"]
        with suppress(PyMongoError):
            return parked.find_one({"properties.message_id": letter.id}) is not None
        return False

    def repair(self) -> None:
        """Bring back, by the operators' own tools, what queues have lost; call it once all is quiet."""
        if self.needs_repair:
            operator_repair.rearm(self.gateway_urls, self.keys, self.needs_repair)
            self.needs_repair.clear()

    def heal(self, *, within: float = 120.0) -> None:
        """Wait until everything runs and is ready; NotHealed."""
        self._thaw()
        self.wait(self.database_is_ready, "the replica set", within=within)
        self.wait(self.broker_is_ready, "the broker", within=within)
        self.wait_ready(*self.names, within=within)

    # --- start and end ------------------------------------------------------------------------------------------------

    def _what_is_possible(self) -> frozenset[str]:
        possible = {
            "a firewall": firewall.is_possible(),
            "a small disk": small_disk.is_possible(),
            "three brokers": len(self._nodes) == 3,
            "prlimit": shutil.which("prlimit") is not None,
        }
        return frozenset(what for what, is_so in possible.items() if is_so)

    def _start(self) -> None:
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

        self._stores = Stores(
            amqp_uri=";".join(node.uri for node in self._nodes.values()), mongo_uri=self._members[MEMBERS[0]].uri
        )
        self.mongo = Client(
            self._stores.mongo_uri, w="majority", readConcernLevel="majority", serverSelectionTimeoutMS=30_000
        )
        self._prefer_fast_elections()
        replicated = tuple(map(self._replica, self.names))
        self._run(*replicated)
        for program in replicated:
            self._supervisor.wait_for(program.name, partial(says_ready, program.port), within=READY_WITHIN)

    def _run(self, *programs: Program) -> None:
        self._supervisor.start(*(replace(one, command=self.grouped(one.name, one.command)) for one in programs))

    def _has_primary(self) -> bool:
        """What the replica set needs to get there is done on the way."""
        return any(member.is_ready() for member in self._members.values())

    def _prefer_fast_elections(self) -> None:
        config = self.mongo.admin.command("replSetGetConfig")["config"]
        config["settings"] |= {"electionTimeoutMillis": ELECTION, "catchUpTimeoutMillis": ELECTION}
        self.mongo.admin.command("replSetReconfig", config | {"version": config["version"] + 1})

    def _replica(self, name: str) -> Program:
        service = name.partition(".")[0]
        door = {"http_port": self._ports.take(f"{name} http")} if service == "gateway" else {"http_port": 0}
        return replica(self.home, self._stores, service, name=name, run=RUN, told=self._told, **door)

    def _keep_up(self) -> Any:
        """The greenthread that starts again what died; a signal to stop reaches the one that opened the world."""
        opener = eventlet.getcurrent()

        def look_after() -> None:
            try:
                self._supervisor.wait(lambda: False)
            except AskedToStop as asked:
                eventlet.kill(opener, asked)

        return eventlet.spawn(look_after)

    def _note_death(self, name: str, how: str) -> None:
        self.deaths.append(Death(name, time.time(), how))

    def _thaw(self) -> None:
        for name in self._everything:
            with suppress(LookupError):
                self.kill(name, signal.SIGCONT)


def replicas(service: str) -> tuple[str, ...]:
    """The names of its processes."""
    return tuple(name for name in World.names if name.startswith(f"{service}."))
