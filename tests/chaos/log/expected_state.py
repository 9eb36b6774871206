"""The expected state: records and numbers as they follow from the commands alone, by none of the system's own code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from tests.chaos.log.command_log import Command, Outcome

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

PARTS = 3  # of a service point: station, column, officer

Vouchers = dict[str, tuple[int, int]]
"""Number -> the fen that a voucher brought, and the fen that were returned of it."""


def record_of(command: Command, outcome: Outcome | None = None) -> tuple[str, str]:
    """The kind and the id of the record that the command is about; where it names none, that of its `outcome`."""
    kind, name = OF[command.method]
    return kind, command.arguments.get(name) or str(outcome and outcome.record)


def differences(command: Command, view: Mapping[str, Any]) -> list[str]:
    """The fields in which a view right after this command differs from the command."""
    expected = {name: value for name, value in command.arguments.items() if name in view}
    if command.method in LEADS_TO:
        expected["state"] = LEADS_TO[command.method]
    return [name for name, value in expected.items() if view[name] != value]


def vouchers(commands: Iterable[Command]) -> Vouchers:
    """The vouchers of one grant after these commands."""
    after: Vouchers = {}
    for command in commands:
        arguments = command.arguments
        if command.method == "receive_funds":
            after[arguments["voucher_no"]] = (arguments["fen"], 0)
        elif command.method == "return_funds":
            fen, returned = after.get(arguments["voucher_no"], (0, 0))
            after[arguments["voucher_no"]] = (fen, returned + arguments["fen"])
    return after


def totals(in_order: Iterable[Command]) -> dict[str, int]:
    """K1, K2, K4, K5 (in fen) and K6 of 2011 after these commands, which are in the order of each record's versions."""
    by_method: dict[str, list[Command]] = defaultdict(list)
    for command in in_order:
        by_method[command.method].append(command)
    return {
        "K1": len(_records(by_method["verify_external_result"]) - _records(by_method["revoke_external_result"])),
        "K2": _person_times(by_method),
        "K4": len(_complete_points(by_method["accept_part"]) - _records(by_method["lapse_part"])),
        "K5": _fen(by_method["receive_funds"]) - _fen(by_method["return_funds"]),
        "K6": len(_records(by_method["establish_organisation"])),
    }


def _records(commands: Iterable[Command]) -> set[str]:
    """The ids of the records that these commands are about."""
    return {record_of(command)[1] for command in commands}


def _person_times(by_method: Mapping[str, list[Command]]) -> int:
    """The person-times of the verified counts, each as it was corrected last."""
    latest: dict[str, int] = {}
    for command in by_method["record_count"] + by_method["correct_count"]:
        latest[record_of(command)[1]] = command.arguments["person_times"]
    return sum(latest[count] for count in _records(by_method["verify_count"]))


def _complete_points(commands: Iterable[Command]) -> set[str]:
    """The service points of which all three parts were accepted."""
    accepted: dict[str, set[str]] = defaultdict(set)
    for command in commands:
        accepted[record_of(command)[1]].add(command.arguments["part"])
    return {point for point, parts in accepted.items() if len(parts) == PARTS}


def _fen(commands: Iterable[Command]) -> int:
    return sum(command.arguments["fen"] for command in commands)
