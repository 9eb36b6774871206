"""The running stack as `stack.json` tells it: processes and addresses, for other commands and for the next run."""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from deploy.errors import Trouble
from deploy.local.home import Home
from deploy.local.processes import Process, end
from deploy.secrets.private_files import write_privately


class NothingRuns(Trouble):
    """The command needs a running stack."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A process of the stack. Stages are started upwards and stopped downwards."""

    name: str
    stage: int
    process: Process
    command: tuple[str, ...]
    since: datetime
    port: int  # where it answers; for a process with `health`, its health port
    health: bool


@dataclass(frozen=True, kw_only=True)
class Addresses:
    amqp_uri: str
    mongo_uri: str
    gateway_url: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    supervisor: Process
    addresses: Addresses | None = None
    parts: tuple[Part, ...] = ()

    def having(self, part: Part) -> "Stack":
        """With this part, in the place of its predecessor where it has one."""
        others = {other.name: other for other in self.parts}
        return replace(self, parts=tuple((others | {part.name: part}).values()))

    def part(self, name: str) -> Part:
        """LookupError when the stack has no such part."""
        for part in self.parts:
            if part.name == name:
                return part
        raise LookupError(f"no part {name}")


def write(stack: Stack, home: Home) -> None:
    write_privately(home.folder / "stack.json", msgspec.json.format(msgspec.json.encode(stack)).decode())


def read(home: Home) -> Stack | None:
    file = home.folder / "stack.json"
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Stack)
    except msgspec.MsgspecError as error:
        raise Trouble(f"{file} cannot be read ({error}); remove it when nothing of this home runs.") from error


def running(home: Home) -> Stack:
    """The stack of this home; NothingRuns when its supervisor is gone."""
    stack = read(home)
    if stack is None or not stack.supervisor.is_alive:
        raise NothingRuns(f"Nothing is running in {home.folder}; `./kexie up` starts it.")
    return stack


def addresses(home: Home) -> Addresses:
    """Where the running stack is found, once it is ready."""
    found = running(home).addresses
    if found is None:
        raise NothingRuns(f"The stack in {home.folder} is still starting.")
    return found


def clear_away(home: Home) -> tuple[str, ...]:
    """End what a crashed run left, and nothing else; the names of what was ended."""
    stack = read(home)
    if stack is None:
        return ()

    left = [part for part in stack.parts if part.process.is_alive]
    for stage in sorted({part.stage for part in left}, reverse=True):
        end((part.process for part in left if part.stage == stage), grace=5)  # the system has told them already
    (home.folder / "stack.json").unlink()
    return tuple(part.name for part in left)
