"""Awards: how the world reaches its rules."""

from __future__ import annotations

from services.awards.commands.awards import AwardCommands
from services.awards.commands.editions import EditionCommands
from services.awards.commands.entries import EntryCommands
from services.awards.commands.external_results import ExternalResultCommands
from services.awards.store import Editions, Entries, ExternalResults, GrantedAwards
from services.chassis.clock import Clock
from services.chassis.service import service


@service
class Awards(EditionCommands, EntryCommands, AwardCommands, ExternalResultCommands):
    """Editions of the association's programmes, their entries and awards, and prizes won above the city (K1)."""

    name = "awards"

    editions = Editions()
    entries = Entries()
    awards = GrantedAwards()
    external_results = ExternalResults()
    clock = Clock()
