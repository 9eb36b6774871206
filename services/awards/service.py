"""The service awards: its records, and its commands and listeners by group."""

from __future__ import annotations

from services.awards.commands.assignments import AssignmentCommands
from services.awards.commands.awards import AwardCommands
from services.awards.commands.disclosures import Disclosures
from services.awards.commands.editions import EditionCommands
from services.awards.commands.entries import EntryCommands
from services.awards.commands.external_results import ExternalResultCommands
from services.awards.commands.judges import ConflictCommands, JudgeCommands
from services.awards.commands.nominations import NominationCommands
from services.awards.commands.notices import NoticeCommands
from services.awards.commands.objections import ObjectionCommands
from services.awards.commands.recommendations import RecommendationCommands
from services.awards.commands.rounds import RoundCommands
from services.awards.commands.sheets import SheetCommands
from services.awards.commands.topics import TopicCommands
from services.awards.store import (
    Assignments,
    ConflictRecords,
    Editions,
    Entries,
    EntryResults,
    ExternalResults,
    GrantedAwards,
    Judges,
    NominationCalls,
    Nominations,
    Notices,
    Objections,
    Recommendations,
    Rounds,
    ScoreSheets,
    Topics,
)
from services.chassis.clock import ClockProvider
from services.chassis.sealing import SealProvider
from services.chassis.service import Service


class Awards(
    EditionCommands,
    EntryCommands,
    JudgeCommands,
    ConflictCommands,
    AssignmentCommands,
    SheetCommands,
    RoundCommands,
    Disclosures,
    NoticeCommands,
    ObjectionCommands,
    AwardCommands,
    ExternalResultCommands,
    NominationCommands,
    RecommendationCommands,
    TopicCommands,
    Service,
):
    """Editions of the association's programmes with their entries, nominations above and prizes won there (K1)."""

    name = "awards"

    editions = Editions()
    entries = Entries()
    judges = Judges()
    conflicts = ConflictRecords()
    assignments = Assignments()
    rounds = Rounds()
    sheets = ScoreSheets()
    entry_results = EntryResults()
    notices = Notices()
    objections = Objections()
    awards = GrantedAwards()
    external_results = ExternalResults()
    nomination_calls = NominationCalls()
    nominations = Nominations()
    recommendations = Recommendations()
    topics = Topics()
    sealing = SealProvider(of="objection", field="sealed")
    clock = ClockProvider()
