"""`stack.json`: processes and addresses of the running stack, for other commands and for the next run."""

from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from deploy.errors import CommandFailed
from deploy.local.home import Home
from deploy.local.processes import Process, end
from deploy.secrets.private_files import write_privately


class NothingRuns(CommandFailed):
    """A home without a running stack."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A process of the stack; stages are started upwards and stopped downwards."""

    name: str
    stage: int
    process: Process
    command: tuple[str, ...]
    since: datetime
    port: int  # accepts connections; with `health`, the port of the health pages
    health: bool


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """The addresses of a stack that is ready."""

    amqp_uri: str
    mongo_uri: str
    gateway_url: str


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A supervisor and the processes that it runs; without addresses while it is still starting."""

    supervisor: Process
    addresses: Addresses | None = None
    parts: tuple[Part, ...] = ()

    def having(self, part: Part) -> "Stack":
        """Return the stack with this part, in the place of the part of that name where there is one."""
        others = {other.name: other for other in self.parts}
        return replace(self, parts=tuple((others | {part.name: part}).values()))

    def part(self, name: str) -> Part:
        """Return the part of that name; raise LookupError where the stack has none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise LookupError(f"no part {name}")


def write(stack: Stack, home: Home) -> None:
    """Replace the file in one step."""
    write_privately(home.folder / "stack.json", msgspec.json.format(msgspec.json.encode(stack)).decode())


def read(home: Home) -> Stack | None:
    """Return the stack of the file, whether or not it still runs; None where there is no file."""
    file = home.folder / "stack.json"
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=Stack)
    except msgspec.MsgspecError as error:
        raise CommandFailed(f"{file} cannot be read ({error}); remove it when nothing of this home runs.") from error


def running(home: Home) -> Stack:
    """Return the running stack of a home; raise `NothingRuns` where its supervisor is gone."""
    stack = read(home)
    if stack is None or not stack.supervisor.is_alive:
        raise NothingRuns(f"Nothing is running in {home.folder}; `./kexie up` starts it.")
    return stack


def addresses(home: Home) -> Addresses:
    """Return the addresses of the running stack; raise `NothingRuns` before it is ready."""
    known = running(home).addresses
    if known is None:
        raise NothingRuns(f"The stack in {home.folder} is still starting.")
    return known


def clear_away(home: Home) -> tuple[str, ...]:
    """End the processes that a crashed run left, and no others; return their names."""
    stack = read(home)
    if stack is None:
        return ()

    left = [part for part in stack.parts if part.process.is_alive]
    for stage in sorted({part.stage for part in left}, reverse=True):
        end((part.process for part in left if part.stage == stage), grace=5)  # the kernel has sent them SIGTERM already
    (home.folder / "stack.json").unlink()
    return tuple(part.name for part in left)
