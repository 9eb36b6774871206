"""The load: clerks who never stop, give each command until it is answered, and note every answer that cannot be.

What they find by themselves: a record that its service tells older than it said (I7), an answer that is wrong for its
command (I7), and services that answer nothing for a minute (I9). What `Readers` see at the gateways comes with it (I6).
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

import eventlet

from services.chassis.settings import Settings
from services.chassis.tokens import issue
from services.contract.topology import SERVICES
from tests.chaos.load.clients import Forgotten, Http, Rpc, Unanswered
from tests.chaos.load.readers import Readers, Told
from tests.chaos.load.stories import PEOPLE, STORIES, Story
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Command, CommandLog, Outcome
from tests.chaos.log.finding import Finding

RATE = 50.0  # commands a second at most, each of a crowd counted
CLERKS = 2  # for each story
AGAIN, LATER = 0.1, 1.6  # seconds from the first try of a command to the second, and between later ones at most
WRONG = 10  # times that a wrong answer is asked again, after a second each, before the story ends
GIVEN_UP = 300.0  # seconds without any answer
SILENCE = 60  # seconds without any answer of a service that is asked
SAMPLE = 0.05  # of what is done is read again at its service
LOOK = 0.5  # seconds between two looks for what another service's event brings about
RECENT = 300  # records that readers choose from
FINDINGS = 20  # that are kept; more say nothing new
HOLDS = timedelta(days=2)  # the tokens


class Load:
    """`start` and `pause` as often as wanted, `stop` at the end.

    `done` counts commands; `troubles` what tries ended with that were not answered; `silences` are the longest times
    in seconds in which a service answered nothing. While `is_excused` says so nobody is blamed for silence.
    """

    def __init__(
        self,
        settings: Settings,
        gateway_urls: Sequence[str],
        log: CommandLog,
        random: Random,
        *,
        rate: float = RATE,
        stories: Sequence[Story] = STORIES,
    ) -> None:
        self.done, self.is_working = 0, False
        self.findings: list[Finding] = []
        self.troubles: Counter[str] = Counter()
        self.silences = dict.fromkeys(SERVICES, 0.0)
        self._log, self._random, self._stories = log, random, tuple(stories)
        tokens = {
            who: issue(settings.token_private_key or "", subject=who, roles=roles, lifetime=HOLDS)
            for who, roles in PEOPLE.items()
        }
        self._rpc, self._http = Rpc(settings, tokens.__getitem__), Http(gateway_urls, tokens.__getitem__, random)
        self._rpc.open()
        self._pace = _Pace(rate)
        self._numbers, self._ids = itertools.count(1), itertools.count(1)
        self._recent: deque[Told] = deque(maxlen=RECENT)
        self._readers = Readers(self._http, self._recent, random, self._find)
        self.is_excused: Callable[[], bool] = lambda: False
        self._answered: dict[str, float] = {}
        self._silent: Counter[str] = Counter()  # seconds
        self._staff: list[eventlet.greenthread.GreenThread] = []

    def start(self) -> None:
        self.is_working, self._answered, self._silent = True, {}, Counter()
        work = [lambda story=story: self._act(story) for story in self._stories for _ in range(CLERKS)]
        self._staff = [
            eventlet.spawn(keep) for keep in (*work, self._watch, *self._readers.tasks(lambda: self.is_working))
        ]

    def pause(self) -> None:
        """Returns once all have stopped; every command is answered by then, or given up."""
        self.is_working = False
        for one in self._staff:
            one.wait()
        self._staff = []

    def stop(self) -> None:
        self.pause()
        self._rpc.close()

    def give(
        self,
        by: str,
        service: str,
        method: str,
        arguments: Mapping[str, object],
        *,
        callers: int = 1,
        rule: str | None = None,
    ) -> Outcome:
        """Give a command, by so many callers at once, until it is done, or refused by this `rule`."""
        id_, said = f"load-{next(self._ids)}", dict(arguments)
        command = Command(id=id_, service=service, method=method, arguments=said, by=by)
        self._pace.wait(callers)
        self._log.send(command)
        asking = [eventlet.spawn(self._until_answered, command, rule) for _ in range(callers)]
        outcomes = [one.wait() for one in asking]
        if len(set(outcomes)) > 1:
            self._find(Finding("I1", f"{callers} callers of {command.id} were answered differently: {set(outcomes)}"))
        if outcomes[0].state == "done":
            self._note_done(command, outcomes[0])
        return outcomes[0]

    def has(self, service: str, kind: str, record: str) -> bool:
        """Whether the service answers that it has this record."""
        with suppress(Unanswered):
            return self._rpc.get("u-viewer", service, kind, record) is not None
        return False

    # --- until there is an answer ------------------------------------------------------------------------------------

    def _until_answered(self, command: Command, rule: str | None) -> Outcome:
        """The last answer. Where one is wrong for this command that is noted, and the command given again."""
        outcome, wrong = Outcome(state="unknown"), []
        for _ in range(WRONG):
            outcome = self._answer(command)
            self._log.answer(command.id, outcome)
            if outcome.state == "unknown" or outcome.rule == rule:
                break
            wrong.append(outcome.rule or outcome.state)
            eventlet.sleep(1)
        if wrong:
            self._find(Finding("I7", f"{command.method} {command.id} was answered {wrong}, in the end {outcome.state}"))
        return outcome

    def _answer(self, command: Command) -> Outcome:
        deadline, pause = time.monotonic() + GIVEN_UP, AGAIN
        while time.monotonic() < deadline:
            try:
                outcome = self._random.choice((self._rpc, self._http)).give(command)
            except Unanswered as trouble:
                self.troubles[str(trouble)] += 1
                eventlet.sleep(pause)
                pause = min(2 * pause, LATER)
            except Forgotten:
                self._find(Finding("I1", f"{command.id} was accepted by a gateway and is not known there"))
            else:
                self._note_answer(command.service)
                return outcome
        self._find(Finding("I9", f"{command.method} {command.id} had no answer for {GIVEN_UP:g} s"))
        return Outcome(state="unknown")

    def _note_answer(self, service: str) -> None:
        now = time.monotonic()
        self.silences[service] = max(self.silences[service], now - self._answered.get(service, now))
        self._answered[service], self._silent[service] = now, 0

    def _note_done(self, command: Command, outcome: Outcome) -> None:
        self.done += 1
        kind, record = expected_state.record_of(command)
        told = Told(command.service, kind.partition(".")[2], record, outcome.version or 0)
        self._recent.append(told)
        if self._random.random() < SAMPLE:
            self._read_again(told)

    def _read_again(self, told: Told) -> None:
        try:
            held = self._rpc.get("u-viewer", told.service, told.kind, told.record)
        except Unanswered:
            return
        if held is None or held["version"] < told.version:
            seen = held and held["version"]
            self._find(Finding("I7", f"{told.kind} {told.record} was answered at {told.version} and read at {seen}"))

    # --- the staff ---------------------------------------------------------------------------------------------------

    def _act(self, story: Story) -> None:
        while self.is_working:
            try:
                story(Clerk(self), next(self._numbers))
            except StoryEnds:
                eventlet.sleep(AGAIN)

    def _watch(self) -> None:
        while self.is_working:
            eventlet.sleep(1)
            for service in SERVICES:
                self._silent[service] += 0 if self.is_excused() else 1
                if self._silent[service] == SILENCE:
                    self._find(Finding("I9", f"{service} has answered nothing for {SILENCE} s"))

    def _find(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS:
            self.findings.append(finding)


class StoryEnds(Exception):
    """The clerk cannot go on with this one."""


@dataclass(frozen=True)
class Clerk:
    """Acts out stories, as one or as so many `callers` at once."""

    load: Load
    callers: int = 1

    def do(self, by: str, service: str, method: str, /, **arguments: object) -> None:
        self._give(by, service, method, arguments, lambda outcome: outcome.state == "done")

    def refused(self, rule: str, by: str, service: str, method: str, /, **arguments: object) -> None:
        self._give(by, service, method, arguments, lambda outcome: outcome.rule == rule, rule=rule)

    def find(self, service: str, kind: str, record: str) -> None:
        while not self.load.has(service, kind, record):
            if not self.load.is_working:
                raise StoryEnds
            eventlet.sleep(LOOK)

    def together(self, *steps: Callable[[], None]) -> None:
        acting = [eventlet.spawn(_is_ended, step) for step in steps]
        ends = [one.wait() for one in acting]
        if any(ends):
            raise StoryEnds

    def many(self, callers: int) -> Clerk:
        return replace(self, callers=callers)

    def _give(
        self,
        by: str,
        service: str,
        method: str,
        arguments: Mapping[str, object],
        is_right: Callable[[Outcome], bool],
        rule: str | None = None,
    ) -> None:
        if not self.load.is_working:
            raise StoryEnds
        if not is_right(self.load.give(by, service, method, arguments, callers=self.callers, rule=rule)):
            raise StoryEnds


class _Pace:
    """Spreads what all clerks do over time."""

    def __init__(self, rate: float) -> None:
        self._gap, self._next = 1 / rate, 0.0

    def wait(self, steps: int) -> None:
        now = time.monotonic()
        turn = max(now, self._next)
        self._next = turn + steps * self._gap
        eventlet.sleep(turn - now)


def _is_ended(step: Callable[[], None]) -> bool:
    try:
        step()
    except StoryEnds:
        return True
    return False
