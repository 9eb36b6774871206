"""Awards: how the world reaches its rules."""

from __future__ import annotations

from services.awards.commands.editions import EditionCommands
from services.awards.commands.entries import EntryCommands
from services.awards.commands.external_results import ExternalResultCommands
from services.awards.commands.notices import NoticeCommands
from services.awards.commands.objections import ObjectionCommands
from services.awards.store import Editions, Entries, ExternalResults, Notices, Objections
from services.chassis.clock import Clock
from services.chassis.sealing import Sealing
from services.chassis.service import service


@service
class Awards(EditionCommands, EntryCommands, NoticeCommands, ObjectionCommands, ExternalResultCommands):
    """Editions of the association's programmes with their entries, and prizes won at contests above the city (K1)."""

    name = "awards"

    editions = Editions()
    entries = Entries()
    notices = Notices()
    objections = Objections()
    external_results = ExternalResults()
    sealing = Sealing()
    clock = Clock()
