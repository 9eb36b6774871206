"""Gives the demo's commands over RPC, story beside story, and sees that each leads to what it should."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import eventlet

from deploy.demo.story import ROLES, Step, Story
from services.chassis.client import Caller
from services.chassis.problem import NotFound, Problem, Unavailable
from services.chassis.tokens import issue

AT_ONCE = 12  # stories that are told side by side
PATIENCE = 20.0  # seconds that an event of another service may take, or a service that is being restarted


class NotAsExpected(Exception):
    """A command led to something else than the list says."""


@dataclass
class Giver:
    """Gives steps as the people of the demo; remembers each command's outcome, which a repetition has to equal."""

    caller: Caller
    private_key: str
    outcomes: dict[str, Any] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def give_all(self, stories: Iterable[Story], *, told: Callable[[], None]) -> None:
        """Tell them side by side; `told` is called after each step."""
        for surprise in eventlet.GreenPool(AT_ONCE).imap(lambda story: self._tell(story, told), stories):
            if surprise:
                raise surprise

    def _tell(self, story: Story, told: Callable[[], None]) -> NotAsExpected | None:
        """The story to its end, or to the first step that surprises."""
        try:
            for step in story.steps:
                self._give(step)
                told()
        except NotAsExpected as surprise:
            return surprise
        return None

    def _give(self, step: Step) -> None:
        outcome, code = self._outcome(step)
        if code not in self._expected(step):
            raise NotAsExpected(f"{step.service}.{step.command} {step.arguments}: {code} instead of {step.expected}")
        if code == "done" and self.outcomes.setdefault(step.command_id, outcome) != outcome:
            raise NotAsExpected(f"{step.command_id} was repeated and led to {outcome}")

    def _expected(self, step: Step) -> tuple[str, ...]:
        """Told again, a record may have gone on meanwhile: then its state refuses first (X-12)."""
        return (step.expected,) if step.expected in ("done", "X-12") else (step.expected, "X-12")

    def _outcome(self, step: Step) -> tuple[Any, str]:
        with eventlet.Timeout(PATIENCE, NotAsExpected(f"{step.command_id}: no outcome in {PATIENCE} s")):
            while True:
                try:
                    arguments = {**step.arguments, "command_id": step.command_id}
                    return self.caller.call(step.service, step.command, arguments, token=self._token(step.by)), "done"
                except Unavailable:
                    eventlet.sleep(0.1)
                except NotFound as problem:
                    if not step.patient:
                        return None, problem.code
                    eventlet.sleep(0.05)
                except Problem as problem:
                    return None, problem.code

    def _token(self, by: str) -> str:
        if by not in self._tokens:
            lifetime = timedelta(hours=1)
            self._tokens[by] = issue(self.private_key, subject=by, roles=ROLES[by], lifetime=lifetime)
        return self._tokens[by]
