"""Process supervision: start in stages, restart with backoff after a crash, stop in the opposite order.

Not supervisord nor circus, since those run as daemons of their own, while this one lives in the command that needs it:
it waits for readiness, hands over the terminal, takes Ctrl-C, and lets the chaos campaign hold and kill what it runs.
"""

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

from deploy.errors import CommandFailed
from deploy.local import stack_file
from deploy.local.home import Home
from deploy.local.processes import end, process_of
from deploy.local.stack_file import Addresses, Part, Stack
from deploy.secrets.private_files import CHECKOUT

FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0  # seconds before a restart: doubled with each crash
MOST_CRASHES = 4  # consecutive crashes before giving up waiting for readiness
STABLE_AFTER = 10.0  # seconds of running after which earlier crashes no longer count
GRACE = 5.0  # seconds for a foreground command to end after Ctrl-C
POLL_EVERY = 0.05  # seconds


class StopRequested(Exception):
    """Ctrl-C or a signal that asks this process to stop; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class NotReady(CommandFailed):
    """A program that was not ready in time."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to keep running."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]  # all of it
    port: int  # accepts connections once the program is ready
    health: bool = False  # whether the port serves /ready and /metrics
    folder: Path = CHECKOUT  # working directory, where a crash dump is left


class Child:
    """A supervised program and its current process."""

    def __init__(self, program: Program, *, stage: int, log: Path) -> None:
        self.program = program
        self._stage = stage
        self._log = log
        self._crashes = 0
        self._due: float | None = None  # instant of the next start; None while it runs
        self._holds = 0  # while above 0 it is not restarted
        self._extra: Mapping[str, str] | None = None  # variables for the next process only
        self.launch()

    def launch(self) -> None:
        """Start the process in a session of its own, so that Ctrl-C reaches it through us; it ends when we do."""
        with open(self._log, "ab", opener=_private) as log:
            self._popen = subprocess.Popen(
                (*ending_with_parent(), *self.program.command),
                cwd=self.program.folder,
                env={**self.program.environment, **(self._extra or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._began, self._due, self._extra = time.monotonic(), None, None
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
        """True once for every crash, until the restart is scheduled."""
        return self._due is None and self._popen.poll() is not None

    @property
    def is_due(self) -> bool:
        """True when the restart is due and nobody holds the program down."""
        return self._due is not None and self._due <= time.monotonic() and not self._holds

    @property
    def is_failing(self) -> bool:
        """True after so many consecutive crashes that waiting for readiness is in vain."""
        return self._crashes >= MOST_CRASHES

    def schedule_restart(self) -> str:
        """Schedule the next start, later after each crash; return when that is, in words."""
        was_stable = time.monotonic() - self._began > STABLE_AFTER
        self._crashes = 1 if was_stable else self._crashes + 1
        pause = 0.0 if self._extra is not None else min(FIRST_PAUSE * 2 ** (self._crashes - 1), LONGEST_PAUSE)
        self._due = time.monotonic() + pause
        return f"starts again in {pause:g} s" if not self._holds else "is held down"

    @property
    def end(self) -> str:
        """The ending of the process in words: its exit code or its signal."""
        return _ending(self._popen.returncode)

    def hold(self) -> None:
        """Keep the program down after its next end, until `let_go` is called as often as this."""
        self._holds += 1

    def let_go(self) -> None:
        """Undo one `hold`; a program that is down is then due at once."""
        self._holds -= 1
        if self._due is not None:
            self._due = time.monotonic()

    def relaunch(self, environment: Mapping[str, str]) -> None:
        """Kill the process and start the next one at once, with these variables for that one only."""
        self._extra = environment
        if self._due is None:
            self._popen.kill()
        else:
            self._due = time.monotonic()

    def collect(self) -> None:
        """Wait for the process to end, so that no zombie stays."""
        self._popen.wait()


class Supervisor:
    """Supervisor of the processes of one home; leaving its `with` block stops all of them, the last stage first.

    Calls `died` with name and ending after each crash.
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
        self._handlers = {number: signal.signal(number, self._request_stop) for number in _signals()}
        self._stack = Stack(supervisor=process_of(os.getpid()))
        stack_file.write(self._stack, self.home)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for number, handler in self._handlers.items():
            signal.signal(number, handler)

    def start(self, *programs: Program) -> None:
        """Start these programs side by side as the next stage."""
        children: list[Child] = []
        stage = len(self._stages)
        for program in programs:
            children.append(Child(program, stage=stage, log=self.home.log(program.name)))
            self._stages[stage:] = [tuple(children)]
            self._record(children[-1])

    def announce(self, addresses: Addresses) -> None:
        """Write the addresses of the stack into `stack.json`, where other commands find them."""
        self._stack = replace(self._stack, addresses=addresses)
        stack_file.write(self._stack, self.home)

    def wait(self, condition: Callable[[], bool]) -> None:
        """Supervise until the condition holds; raise `StopRequested` on a signal."""
        while not condition():
            if self._signal is not None:
                raise StopRequested(self._signal)
            self._supervise()
            time.sleep(POLL_EVERY)

    def wait_for(self, name: str, is_ready: Callable[[], bool], *, within: float) -> None:
        """Wait until a program is ready; raise `NotReady` after `within` seconds or repeated crashes."""
        child = self.child(name)
        deadline = time.monotonic() + within
        self.wait(lambda: is_ready() or child.is_failing or time.monotonic() > deadline)
        if not is_ready():
            raise NotReady(f"{name} does not get ready; see {self.home.log(name)}")

    def run(self, *command: str, environment: Mapping[str, str] = os.environ) -> int:
        """Run a command in the foreground, supervise meanwhile, and return its exit code."""
        popen = subprocess.Popen((*ending_with_parent(), *command), cwd=CHECKOUT, env=environment)
        try:
            self.wait(lambda: popen.poll() is not None)
        except StopRequested as request:
            if request.number == signal.SIGINT:
                _await_end(popen)
            raise
        finally:
            end([process_of(popen.pid)] if popen.poll() is None else [], grace=GRACE)
            popen.wait()
        return popen.returncode

    def stop(self) -> None:
        """Stop all processes, stage by stage from the last; none is restarted."""
        while self._stages:
            children = self._stages.pop()
            end(child.part.process for child in children)
            for child in children:
                child.collect()
        (self.home.folder / "stack.json").unlink(missing_ok=True)

    def child(self, name: str) -> Child:
        """Return the supervised program of that name; raise `LookupError` where none was started."""
        for child in self._children:
            if child.program.name == name:
                return child
        raise LookupError(f"no child {name}")

    @property
    def _children(self) -> Iterator[Child]:
        return itertools.chain.from_iterable(self._stages)

    def _request_stop(self, number: int, _: FrameType | None) -> None:
        self._signal = number

    def _supervise(self) -> None:
        for child in self._children:
            if child.has_died:
                name, how = child.program.name, child.end
                self._died(name, how)
                self._say(f"{name:<9} died ({how}), {child.schedule_restart()}")
            if child.is_due:
                child.launch()
                self._record(child)

    def _record(self, child: Child) -> None:
        self._stack = self._stack.having(child.part)
        stack_file.write(self._stack, self.home)


def _signals() -> tuple[int, ...]:
    """Signals that request a stop; SIGHUP is none of them after `nohup`."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else []))


def ending_with_parent() -> tuple[str, ...]:
    """Return the words before a command that make the kernel end it with its parent; none without setpriv."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "TERM", "--") if setpriv else ()


def _await_end(popen: subprocess.Popen[bytes]) -> None:
    """Give the command time to print its last lines: Ctrl-C has reached it, too."""
    with suppress(subprocess.TimeoutExpired):
        popen.wait(GRACE)


def _private(file: str, flags: int) -> int:
    return os.open(file, flags, 0o600)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
