"""Keeps processes running: starts them, starts again what died, stops all in good order."""

import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Self

from deploy.errors import Trouble
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.processes import end, process_of
from deploy.local.stack_file import Addresses, Part, Stack
from deploy.secrets.private_files import CHECKOUT

SOONEST, LATEST = 0.2, 5.0  # seconds until what died is started again: doubled with each time
HOPELESS = 4  # deaths in a row after which nobody waits for it any longer
STEADY = 10.0  # seconds after which a process that runs counts as sound
LAST_WORD = 5.0  # seconds for a command on our terminal that is told to stop
LOOK = 0.05  # seconds between two looks at the processes


class AskedToStop(Exception):
    """Somebody pressed Ctrl-C or sent a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class NotReady(Trouble):
    """What was started did not answer in time."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """What to start."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]  # all of it
    port: int  # where it answers
    health: bool = False  # whether that is an address with /ready and /metrics
    folder: Path = CHECKOUT  # where it runs, and leaves what it writes as it dies


class Child:
    """A program and the process that runs it at the moment."""

    def __init__(self, program: Program, *, stage: int, log: Path) -> None:
        self.program = program
        self._stage = stage
        self._log = log
        self._deaths = 0
        self._due: float | None = None  # when it is started again; None while it runs
        self._holds = 0  # how many want it to stay down
        self._besides: Mapping[str, str] | None = None  # told to the next process only
        self.launch()

    def launch(self) -> None:
        """In a session of its own, so that Ctrl-C reaches it through us, and bound to end when we do."""
        with open(self._log, "ab", opener=_private) as log:
            self._popen = subprocess.Popen(
                (*bound_to_us(), *self.program.command),
                cwd=self.program.folder,
                env={**self.program.environment, **(self._besides or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._began, self._due, self._besides = time.monotonic(), None, None
        self.part = Part(
            name=self.program.name,
            stage=self._stage,
            process=process_of(self._popen.pid),
            command=self.program.command,
            since=datetime.now(UTC),
            port=self.program.port,
            health=self.program.health,
        )

    @property
    def has_died(self) -> bool:
        """Once for every death."""
        return self._due is None and self._popen.poll() is not None

    @property
    def is_due(self) -> bool:
        return self._due is not None and self._due <= time.monotonic() and not self._holds

    @property
    def is_hopeless(self) -> bool:
        return self._deaths >= HOPELESS

    def postpone(self) -> str:
        """Plan the next start; when that will be, for people."""
        sound = time.monotonic() - self._began > STEADY
        self._deaths = 1 if sound else self._deaths + 1
        pause = 0.0 if self._besides is not None else min(SOONEST * 2 ** (self._deaths - 1), LATEST)
        self._due = time.monotonic() + pause
        return f"starts again in {pause:g} s" if not self._holds else "is held down"

    @property
    def end(self) -> str:
        """How the process ended, for people."""
        return _told(self._popen.returncode)

    def hold(self) -> None:
        """Not started again before it was let go as often as it was held."""
        self._holds += 1

    def let_go(self) -> None:
        self._holds -= 1
        if self._due is not None:
            self._due = time.monotonic()

    def relaunch(self, environment: Mapping[str, str]) -> None:
        """Kill it; the next process, and only that one, is told this besides, and starts at once."""
        self._besides = environment
        if self._due is None:
            self._popen.kill()
        else:
            self._due = time.monotonic()

    def collect(self) -> None:
        self._popen.wait()


class Supervisor:
    """Used by `with`: leaving the block stops everything, the last stage first.

    Each death is told to `died`, as name and how.
    """

    def __init__(
        self, home: Home, *, say: Callable[[str], None], died: Callable[[str, str], None] = lambda _name, _how: None
    ) -> None:
        self.home = home
        self._say = say
        self._died = died
        self._stages: list[tuple[Child, ...]] = []
        self._signal: int | None = None

    def __enter__(self) -> Self:
        self._handlers = {number: signal.signal(number, self._ask_to_stop) for number in _signals()}
        self._stack = Stack(supervisor=process_of(os.getpid()))
        stack_file.write(self._stack, self.home)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, *programs: Program) -> None:
        """Start these side by side, as the next stage."""
        children: list[Child] = []
        stage = len(self._stages)
        for program in programs:
            children.append(Child(program, stage=stage, log=self.home.log(program.name)))
            self._stages[stage:] = [tuple(children)]
            self._record(children[-1])

    def announce(self, addresses: Addresses) -> None:
        """Write down where the stack is found."""
        self._stack = replace(self._stack, addresses=addresses)
        stack_file.write(self._stack, self.home)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Look after the processes until the condition holds; AskedToStop on a signal."""
        while not condition():
            if self._signal is not None:
                raise AskedToStop(self._signal)
            self._look_after()
            time.sleep(LOOK)

    def wait_for(self, name: str, is_ready: Callable[[], bool], *, within: float) -> None:
        """Wait until this program is ready; NotReady after `within` seconds, or when it dies again and again."""
        child = self.child(name)
        deadline = time.monotonic() + within
        self.wait(lambda: is_ready() or child.is_hopeless or time.monotonic() > deadline)
        if not is_ready():
            raise NotReady(f"{name} does not get ready; see {self.home.log(name)}")

    def attend(self, *command: str, environment: Mapping[str, str] = os.environ) -> int:
        """Run a command to its end, on our terminal, and look after the processes meanwhile; its exit code."""
        popen = subprocess.Popen((*bound_to_us(), *command), cwd=CHECKOUT, env=environment)
        try:
            self.wait(lambda: popen.poll() is not None)
        except AskedToStop as asked:
            if asked.number == signal.SIGINT:
                _await_last_word(popen)
            raise
        finally:
            end([process_of(popen.pid)] if popen.poll() is None else [], grace=LAST_WORD)
            popen.wait()
        return popen.returncode

    def stop(self) -> None:
        """Stop all, stage by stage; none is started again."""
        while self._stages:
            children = self._stages.pop()
            end(child.part.process for child in children)
            for child in children:
                child.collect()
        (self.home.folder / "stack.json").unlink(missing_ok=True)

    def child(self, name: str) -> Child:
        """LookupError when nothing of that name was started."""
        for child in self._children:
            if child.program.name == name:
                return child
        raise LookupError(f"no child {name}")

    @property
    def _children(self) -> Iterator[Child]:
        return itertools.chain.from_iterable(self._stages)

    def _ask_to_stop(self, number: int, _: FrameType | None) -> None:
        self._signal = number

    def _look_after(self) -> None:
        for child in self._children:
            if child.has_died:
                name, how = child.program.name, child.end
                self._died(name, how)
                self._say(f"{name:<9} died ({how}), {child.postpone()}")
            if child.is_due:
                child.launch()
                self._record(child)

    def _record(self, child: Child) -> None:
        self._stack = self._stack.having(child.part)
        stack_file.write(self._stack, self.home)


def _signals() -> tuple[int, ...]:
    """Those that ask to stop; not the closing of the terminal when we were started by `nohup`."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


def bound_to_us() -> tuple[str, ...]:
    """The words before a command that let the system end it when its parent is gone, where there is such a thing."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _await_last_word(popen: subprocess.Popen[bytes]) -> None:
    """Ctrl-C has reached the command too, which may have something to say before it ends."""
    with suppress(subprocess.TimeoutExpired):
        popen.wait(LAST_WORD)


def _private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _told(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
