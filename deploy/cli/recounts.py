"""Recounts: beginning one, following it to its end, and showing what differs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from deploy.cli import following
from deploy.cli.client import Gateway
from deploy.cli.output import console, plain, table

SHOWN = 50  # records that differ

PARTS = ("number", "records of", "ours", "theirs", "shown", "records", "differing")
RECORDS = ("number", "record", "what", "here", "there")
WHATS = {
    "only_here": "only here", "only_there": "only there", "other_amount": "other amount", "other_day": "other day",
}  # fmt: skip

Recount = dict[str, Any]


def begin(gateway: Gateway, **question: str | None) -> Recount:
    """Have the gateway begin a recount of a KPI, in a period and a district where they are given."""
    begun: Recount = gateway.post(**question)
    return begun


def follow(gateway: Gateway, recount: Recount) -> Recount:
    """Show a recount's progress until it ends, and return it as it ended."""
    look, name = partial(gateway.get, recount["id"]), f"recount of {recount['kpi']}"
    return following.follow(recount, look, describe=lambda state: " ".join(filter(None, (name, state["at"]))))


def show(recount: Recount) -> int:
    """Print what each side counted, what differs and what to do next; return the exit code."""
    out = console()
    if recount["parts"]:
        out.print(table(PARTS, map(_part, recount["parts"])))
    if recount["records"]:
        out.print()
        out.print(table(RECORDS, map(_record, recount["records"][:SHOWN])))
        if (more := recount["differing"] - SHOWN) > 0:
            out.print(f"and {more:,} more")
    out.print(summary(recount))
    for line in _advice(recount):
        out.print(line)
    return 0 if recount["equal"] else 1


def summary(recount: Recount) -> str:
    """Return a recount in one line: `recount of K2, 2011: equal, 4,000 records in 1.2 s`."""
    if recount["error"]:
        how = f"failed ({plain(recount['error']['en'])})"
    else:
        how = "equal" if recount["equal"] else f"NOT EQUAL, {recount['differing']:,} differing"
    where = ", ".join(filter(None, (recount["period"], recount["district"])))
    return f"recount of {recount['kpi']}, {where}: {how}, {recount['done']:,} records in {recount['seconds']:g} s"


def _part(part: Recount) -> tuple[Any, ...]:
    values = (part[side]["value"] for side in ("ours", "theirs", "shown"))
    return part["part"], part["of"], *values, part["theirs"]["records"], part["differing"]


def _record(row: Recount) -> tuple[Any, ...]:
    record = f"{row['service']}/{row['kind']}/{row['id']}"
    return row["part"], record, WHATS.get(row["what"], row["what"]), _side(row["here"]), _side(row["there"])


def _side(side: Recount | None) -> str:
    if side is None:
        return "not there"
    counted = "does not count" if side["day"] is None else f"{side['amount']} on {side['day']}"
    return f"{counted} (version {side['version']})"


def _advice(recount: Recount) -> Iterator[str]:
    if recount["equal"] or recount["error"]:
        return
    if recount["differing"]:
        yield "`./kexie verify` shows on which side a record was changed; `./kexie audit` which ones are behind."
    elif any(not part["equal"] for part in recount["parts"]):
        yield "The records are the same, and the number shown differs: `./kexie rebuild` counts it anew."
