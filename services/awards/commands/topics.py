"""Commands about a topic of the campaign for ideals and contribution (讲、比)."""

# ruff: noqa: ARG002 - every command is told by whom, and not every rule asks

from __future__ import annotations

from functools import partial
from typing import Any

from services import contract
from services.awards.domain import topic
from services.awards.domain.benefit import BenefitClaim
from services.awards.schemas import topics as schemas
from services.awards.store import Entries, Topics
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command


class TopicCommands:
    """Commands about topics."""

    entries: Entries
    topics: Topics
    clock: SystemClock

    @command(contract.awards.Topic, schemas.RegisterTopic, roles=("recorder",), adds=True)
    def register_topic(self, topic_id: str | None, **stated: Any) -> Any:
        """Register a problem that an enterprise sets out to solve this year."""
        return self.topics.add(topic.register(today=self.clock.today(), **stated), topic_id)

    @command(contract.awards.Topic, schemas.StartTopic, roles=("recorder",), states=("registered",))
    def start_topic(self, topic_id: str, *, by: str) -> Any:
        """Note that the work on a topic has begun."""
        return self.topics.change(topic_id, topic.start)

    @command(contract.awards.Topic, schemas.CompleteTopic, roles=("recorder",), states=("in_progress",))
    def complete_topic(self, topic_id: str, *, completed_on: Any, by: str, **claimed: Any) -> Any:
        """Report a topic as done, with its benefit as the receiver verified it."""
        claim = BenefitClaim(**claimed)
        complete = partial(
            topic.complete,
            claim=None if claim == BenefitClaim() else claim,
            completed_on=completed_on,
            today=self.clock.today(),
            by=by,
        )
        return self.topics.change(topic_id, complete)

    @command(contract.awards.Topic, schemas.AcceptTopic, roles=("verifier",), states=("completed",))
    def accept_topic(self, topic_id: str, **accepted: Any) -> Any:
        """Accept a topic as done."""
        return self.topics.change(topic_id, partial(topic.accept, today=self.clock.today(), **accepted))

    @command(contract.awards.Topic, schemas.EnterTopic, roles=("recorder",), states=("accepted",))
    def enter_topic(self, topic_id: str, *, entry_id: str, by: str) -> Any:
        """Name the entry by which an enterprise competes with its topic."""
        return self.topics.change(topic_id, partial(topic.enter, entry=self.entries.get(entry_id), entry_id=entry_id))

    @command(
        contract.awards.Topic, schemas.AbandonTopic, roles=("recorder", "chair"), states=("registered", "in_progress")
    )
    def abandon_topic(self, topic_id: str, *, reason: str, by: str) -> Any:
        """Abandon a topic."""
        return self.topics.change(topic_id, partial(topic.abandon, reason=reason))
