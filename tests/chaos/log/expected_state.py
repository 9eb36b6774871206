"""What ought to be stored and counted, worked out from the commands alone: knows nothing of how the system does it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tests.chaos.log.command_log import Command

OF: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(
        ("report_external_result", "verify_external_result", "revoke_external_result"),
        ("awards.external_result", "result_id"),
    ),
    "register_venue": ("outreach.venue", "venue_id"),
    **dict.fromkeys(
        ("create_activity", "schedule_activity", "start_activity"), ("outreach.activity", "activity_id")
    ),
    "attach_evidence": ("outreach.evidence", "evidence_id"),
    **dict.fromkeys(("record_count", "verify_count", "correct_count"), ("outreach.audience_count", "count_id")),
    **dict.fromkeys(("plan_point", "build_part", "accept_part", "lapse_part"), ("rural.service_point", "point_id")),
    **dict.fromkeys(("approve_grant", "receive_funds", "return_funds"), ("rural.fund_grant", "grant_id")),
    **dict.fromkeys(
        (
            "create_organisation", "apply_organisation", "approve_organisation", "hold_founding_meeting",
            "establish_organisation",
        ),
        ("members.organisation", "organisation_id"),
    ),
}  # fmt: skip
"""Command -> the kind of its record, and the argument that names the record."""

LEADS_TO: Mapping[str, str] = {
    "report_external_result": "reported",
    "verify_external_result": "verified",
    "revoke_external_result": "revoked",
    "register_venue": "available",
    "create_activity": "draft",
    "schedule_activity": "scheduled",
    "start_activity": "ongoing",
    "attach_evidence": "attached",
    "record_count": "recorded",
    "verify_count": "verified",
    "correct_count": "verified",
    "approve_grant": "approved",
    "receive_funds": "received",
    "create_organisation": "preparing",
    "apply_organisation": "applied",
    "approve_organisation": "approved",
    "hold_founding_meeting": "approved",
    "establish_organisation": "established",
}
"""Command -> the state it leaves its record in, where that does not depend on what was before."""

Vouchers = dict[str, tuple[int, int]]
"""Number -> what it brought, and how much of that was given back, in fen."""


def record_of(command: Command) -> tuple[str, str]:
    """Kind and id of the record that it is about."""
    kind, name = OF[command.method]
    return kind, command.arguments[name]


def differences(command: Command, view: Mapping[str, Any]) -> list[str]:
    """The fields in which a view right after this command is not what the command said."""
    said = {name: value for name, value in command.arguments.items() if name in view}
    if command.method in LEADS_TO:
        said["state"] = LEADS_TO[command.method]
    return [name for name, value in said.items() if view[name] != value]


def vouchers(commands: Iterable[Command]) -> Vouchers:
    """Those of one grant, after these commands."""
    held: Vouchers = {}
    for command in commands:
        given = command.arguments
        if command.method == "receive_funds":
            held[given["voucher_no"]] = (given["fen"], 0)
        elif command.method == "return_funds":
            fen, returned = held.get(given["voucher_no"], (0, 0))
            held[given["voucher_no"]] = (fen, returned + given["fen"])
    return held


def totals(in_order: Iterable[Command]) -> dict[str, int]:
    """K1, K2, K4, K5 (in fen) and K6 of 2011 after these commands; those of one record in the order of its versions."""
    by_method: dict[str, list[Command]] = defaultdict(list)
    for command in in_order:
        by_method[command.method].append(command)

    def named(*methods: str) -> set[str]:
        return {record_of(command)[1] for method in methods for command in by_method[method]}

    person_times: dict[str, int] = {}
    for command in by_method["record_count"] + by_method["correct_count"]:
        person_times[record_of(command)[1]] = command.arguments["person_times"]
    accepted: dict[str, set[str]] = defaultdict(set)
    for command in by_method["accept_part"]:
        accepted[record_of(command)[1]].add(command.arguments["part"])
    complete = {point for point, parts in accepted.items() if len(parts) == 3} - named("lapse_part")
    return {
        "K1": len(named("verify_external_result") - named("revoke_external_result")),
        "K2": sum(person_times[count] for count in named("verify_count")),
        "K4": len(complete),
        "K5": _fen(by_method["receive_funds"]) - _fen(by_method["return_funds"]),
        "K6": len(named("establish_organisation")),
    }


def _fen(commands: Iterable[Command]) -> int:
    return sum(command.arguments["fen"] for command in commands)
