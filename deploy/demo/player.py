"""Playing the demo's stories: sending their commands over RPC, side by side, and checking every outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import eventlet

from deploy.demo.story import JUDGE, ROLES, Step, Story
from services.chassis.client import Caller
from services.chassis.problem import Problem, Unavailable
from services.chassis.tokens import issue

AT_ONCE = 12  # stories side by side
PATIENCE = 20.0  # seconds for an event of another service, or for the restart of a service


class NotAsExpected(Exception):
    """A command with another outcome than its step expects."""


@dataclass
class Player:
    """Sends steps as the people of the demo, and remembers each outcome, which a repetition has to equal."""

    caller: Caller
    private_key: str
    outcomes: dict[str, Any] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def play(self, stories: Iterable[Story], *, after_each: Callable[[], None]) -> None:
        """Play stories side by side, calling `after_each` after each step; raise `NotAsExpected`."""
        for failure in eventlet.GreenPool(AT_ONCE).imap(lambda story: self._play(story, after_each), stories):
            if failure:
                raise failure

    def _play(self, story: Story, after_each: Callable[[], None]) -> NotAsExpected | None:
        """Play a story to its end, or to its first step with another outcome."""
        try:
            for step in story.steps:
                self._wait(step) if step.until else self._send(step)
                after_each()
        except NotAsExpected as failure:
            return failure
        return None

    def _send(self, step: Step) -> None:
        outcome, code = self._outcome(step)
        if code not in self._expected(step):
            raise NotAsExpected(f"{step.service}.{step.command} {step.arguments}: {code} instead of {step.expected}")
        if code == "done" and self.outcomes.setdefault(step.command_id, outcome) != outcome:
            raise NotAsExpected(f"{step.command_id} was repeated and led to {outcome}")

    def _expected(self, step: Step) -> tuple[str, ...]:
        """In a second run a record may have moved on: then its state refuses first (X-12)."""
        return (step.expected,) if step.expected == "done" else (step.expected, step.expected_later)

    def _wait(self, step: Step) -> None:
        late = NotAsExpected(f"{step.command} {step.arguments}: not {step.until} in {PATIENCE} s")
        with eventlet.Timeout(PATIENCE, late):
            while not self._has_happened(step):
                eventlet.sleep(0.05)

    def _has_happened(self, step: Step) -> bool:
        try:
            history = self.caller.call(step.service, step.command, step.arguments, token=self._token(step.by))
        except Unavailable:
            return False
        return any(version["happened"] == step.until for version in history["versions"])

    def _outcome(self, step: Step) -> tuple[Any, str]:
        late = NotAsExpected(f"{step.command_id}: no outcome in {PATIENCE} s")
        with eventlet.Timeout(PATIENCE, late):
            while (outcome := self._try(step, late)) is None:
                eventlet.sleep(0.05)
        return outcome

    def _try(self, step: Step, late: NotAsExpected) -> tuple[Any, str] | None:
        """Give a command once; None where it has to be given again, `late` then says why."""
        try:
            return self._call(step), "done"
        except Unavailable:
            return None
        except Problem as problem:
            if not step.patient or problem.code in self._expected(step):
                return None, problem.code
            late.args = (f"{step.command_id}: {problem.code} for {PATIENCE} s, {problem.en}",)
            return None

    def _call(self, step: Step) -> Any:
        arguments = {**step.arguments, "command_id": step.command_id}
        return self.caller.call(step.service, step.command, arguments, token=self._token(step.by), at=step.at)

    def _token(self, by: str) -> str:
        if by not in self._tokens:
            lifetime = timedelta(hours=1)
            self._tokens[by] = issue(self.private_key, subject=by, roles=ROLES.get(by, JUDGE), lifetime=lifetime)
        return self._tokens[by]
