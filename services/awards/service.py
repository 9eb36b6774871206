"""Awards: how the world reaches its rules."""

from __future__ import annotations

from services.awards.commands.editions import EditionCommands
from services.awards.commands.entries import EntryCommands
from services.awards.commands.external_results import ExternalResultCommands
from services.awards.commands.nominations import NominationCommands
from services.awards.commands.recommendations import RecommendationCommands
from services.awards.commands.topics import TopicCommands
from services.awards.store import (
    Editions,
    Entries,
    ExternalResults,
    NominationCalls,
    Nominations,
    Recommendations,
    Topics,
)
from services.chassis.clock import Clock
from services.chassis.service import service


@service
class Awards(
    EditionCommands,
    EntryCommands,
    ExternalResultCommands,
    NominationCommands,
    RecommendationCommands,
    TopicCommands,
):
    """Editions of the association's programmes with their entries, who goes up and what is won above (K1)."""

    name = "awards"

    editions = Editions()
    entries = Entries()
    external_results = ExternalResults()
    nomination_calls = NominationCalls()
    nominations = Nominations()
    recommendations = Recommendations()
    topics = Topics()
    clock = Clock()
