"""The load: clerks who never stop, give each command until it is answered, and note every answer that is wrong.

They find by themselves a record that its service shows older than it answered (I7), an answer that is wrong for its
command (I7), and services that answer nothing for a minute (I9). `Readers` at the gateways add their findings (I6).
"""

from __future__ import annotations

import itertools
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from random import Random

import eventlet

from services.chassis.settings import Settings
from services.chassis.tokens import issue
from services.contract.topology import SERVICES
from tests.chaos.load.clients import Forgotten, Http, Rpc, Unanswered
from tests.chaos.load.readers import Answered, Readers
from tests.chaos.load.stories import PEOPLE, REUSED, STORIES, Rules, Story
from tests.chaos.log import expected_state
from tests.chaos.log.command_log import Command, CommandLog, Outcome
from tests.chaos.log.finding import Finding
from tests.chaos.world.outside_bureau import NAME as BUREAU

RATE = 50.0  # commands a second at most, each caller of a crowd counted
CLERKS = 2  # for each story
AGAIN, LATER = 0.1, 1.6  # seconds from the first try of a command to the second, and between later ones at most
WRONG = 10  # wrong answers, a second apart, after which the story ends
GIVEN_UP = 300.0  # seconds without any answer
SILENCE = 60  # seconds without any answer of a service that is asked
SAMPLE = 0.05  # of all commands that are done: their records are read again
LOOK = 0.5  # seconds between two looks for a record that another service's event brings about
RECENT = 300  # records that readers choose from
DONE: Rules = frozenset({None})
FINDINGS = 20  # kept; more of them say nothing new
LIFETIME = timedelta(days=2)  # of the tokens


class Load:
    """Clerks and readers at work: `start` and `pause` as often as needed, `stop` at the end.

    `done` counts commands, `answers` all of them by their last answer, `troubles` the reasons of tries without an
    answer; `silences` are the longest times in seconds in which a service answered nothing. Silence is no finding while
    `is_excused` is true.
    """

    def __init__(
        self,
        settings: Settings,
        gateway_urls: Sequence[str],
        log: CommandLog,
        random: Random,
        *,
        bureau_uri: str,
        rate: float = RATE,
        stories: Sequence[Story] = STORIES,
    ) -> None:
        self.done, self.is_working = 0, False
        self.findings: list[Finding] = []
        self.answers: Counter[str] = Counter()
        self.troubles: Counter[str] = Counter()
        self.silences = dict.fromkeys(SERVICES, 0.0)
        self._log, self._random, self._stories = log, random, tuple(stories)
        tokens = {
            person: issue(settings.token_private_key or "", subject=person, roles=roles, lifetime=LIFETIME)
            for person, roles in PEOPLE.items()
        }
        self._rpc, self._http = Rpc(settings, tokens.__getitem__), Http(gateway_urls, tokens.__getitem__, random)
        self._rpc.open()
        self._door = Rpc(replace(settings, amqp_uri=bureau_uri), tokens.__getitem__)
        self._door.open()
        self._pace = _Pace(rate)
        self._numbers, self._ids = itertools.count(1), itertools.count(1)
        self._recent: deque[Answered] = deque(maxlen=RECENT)
        self._readers = Readers(self._http, self._recent, random, self._find)
        self.is_excused: Callable[[], bool] = lambda: False
        self._answered: dict[str, float] = {}  # service -> when it last answered
        self._silent: Counter[str] = Counter()  # seconds
        self._staff: list[eventlet.greenthread.GreenThread] = []

    def start(self) -> None:
        """Let everybody work."""
        self.is_working, self._answered, self._silent = True, {}, Counter()
        acting = [partial(self._act, story) for story in self._stories for _ in range(CLERKS)]
        reading = self._readers.tasks(lambda: self.is_working)
        self._staff = [eventlet.spawn(task) for task in (*acting, self._watch, *reading)]

    def pause(self) -> None:
        """Let everybody stop; when this returns every command is answered or given up."""
        self.is_working = False
        for task in self._staff:
            task.wait()
        self._staff = []

    def stop(self) -> None:
        """Let everybody stop for ever."""
        self.pause()
        self._rpc.close()
        self._door.close()

    def give(
        self,
        by: str,
        service: str,
        method: str,
        arguments: Mapping[str, object],
        *,
        callers: int = 1,
        expected: Rules = DONE,
        key: str = "",
    ) -> Outcome:
        """Give a command, by so many callers at once, until it is done or refused, as it is expected.

        It has an id of its own, or one, the `key`, that other commands have, too.
        """
        id_ = f"load-{next(self._ids)}"
        command = Command(id=id_, service=service, method=method, arguments=dict(arguments), by=by, key=key)
        self._pace.wait(callers)
        self._log.send(command)
        calls = [eventlet.spawn(self._until_answered, command, expected) for _ in range(callers)]
        outcomes = [call.wait() for call in calls]
        if len(set(outcomes)) > 1:
            self._find(Finding("I1", f"{callers} callers of {command.id} were answered differently: {set(outcomes)}"))
        self.answers[outcomes[0].rule or outcomes[0].state] += 1
        if outcomes[0].state == "done":
            self._note_done(command, outcomes[0])
        return outcomes[0]

    def has(self, service: str, kind: str, record: str) -> bool:
        """Whether the service answers that it has this record."""
        with suppress(Unanswered):
            return self._rpc.get("u-viewer", service, kind, record) is not None
        return False

    # --- until there is an answer ------------------------------------------------------------------------------------

    def _until_answered(self, command: Command, expected: Rules) -> Outcome:
        """Give the command again while its answer is wrong for it, note that, and return the last answer."""
        outcome, wrong = Outcome(state="unknown"), []
        for _ in range(WRONG):
            outcome = self._answer(command)
            self._log.answer(command.id, outcome)
            if outcome.state == "unknown" or outcome.rule in expected:
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
                outcome = self._way_of(command).give(command)
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

    def _way_of(self, command: Command) -> Rpc | Http:
        """The door for the outside bureau, which has no other way in; any for everybody else."""
        return self._door if command.by == BUREAU else self._random.choice((self._rpc, self._http))

    def _note_answer(self, service: str) -> None:
        now = time.monotonic()
        self.silences[service] = max(self.silences[service], now - self._answered.get(service, now))
        self._answered[service], self._silent[service] = now, 0

    def _note_done(self, command: Command, outcome: Outcome) -> None:
        self.done += 1
        kind, record = expected_state.record_of(command, outcome)
        answered = Answered(command.service, kind.partition(".")[2], record, outcome.version or 0)
        self._recent.append(answered)
        if self._random.random() < SAMPLE:
            self._read_again(answered)

    def _read_again(self, answered: Answered) -> None:
        try:
            view = self._rpc.get("u-viewer", answered.service, answered.kind, answered.record)
        except Unanswered:
            return
        version = view["version"] if view else 0
        if version < answered.version:
            record = f"{answered.kind} {answered.record}"
            self._find(Finding("I7", f"{record} was answered at version {answered.version} and read at {version}"))

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
            self._silent.update({} if self.is_excused() else dict.fromkeys(SERVICES, 1))
            for service in SERVICES:
                self._note_silence(service)

    def _note_silence(self, service: str) -> None:
        if self._silent[service] == SILENCE:
            self._find(Finding("I9", f"{service} has answered nothing for {SILENCE} s"))

    def _find(self, finding: Finding) -> None:
        if len(self.findings) < FINDINGS:
            self.findings.append(finding)


class StoryEnds(Exception):
    """The clerk cannot go on with this story."""


@dataclass(frozen=True)
class Clerk:
    """A clerk who acts out stories, alone or as so many `callers` at once."""

    load: Load
    callers: int = 1

    def do(self, by: str, service: str, method: str, /, **arguments: object) -> None:
        """Give a command until it is done; raise StoryEnds where it is not."""
        self._give(by, service, method, arguments, lambda outcome: outcome.state == "done")

    def refused(self, rule: str, by: str, service: str, method: str, /, **arguments: object) -> None:
        """Give a command until it is refused by this rule; raise StoryEnds where it is not."""
        self._give(by, service, method, arguments, lambda outcome: outcome.rule == rule, expected={rule})

    def reuse(self, key: str, by: str, service: str, method: str, /, *, expected: Rules, **arguments: object) -> None:
        """Give a command under an id that others have, too, until it is answered as expected, or as reused."""
        self._give(by, service, method, arguments, lambda _: True, expected={*expected, REUSED}, key=key)

    def wait_for(self, service: str, kind: str, record: str) -> None:
        """Wait until the service has the record; raise StoryEnds where the load pauses before."""
        while not self.load.has(service, kind, record):
            if not self.load.is_working:
                raise StoryEnds
            eventlet.sleep(LOOK)

    def together(self, *steps: Callable[[], None]) -> None:
        """Take these steps at once; raise StoryEnds where it ends in one of them, after all have come to an end."""
        acting = [eventlet.spawn(_is_ended, step) for step in steps]
        ends = [step.wait() for step in acting]
        if any(ends):
            raise StoryEnds

    def many(self, callers: int) -> Clerk:
        """Return a clerk whose commands are each sent by so many callers at once."""
        return replace(self, callers=callers)

    def _give(
        self,
        by: str,
        service: str,
        method: str,
        arguments: Mapping[str, object],
        is_right: Callable[[Outcome], bool],
        expected: Rules = DONE,
        key: str = "",
    ) -> None:
        if not self.load.is_working:
            raise StoryEnds
        outcome = self.load.give(by, service, method, arguments, callers=self.callers, expected=expected, key=key)
        if not is_right(outcome):
            raise StoryEnds


class _Pace:
    """Spreads the commands of all clerks over time."""

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
