"""Unique indexes as they once were: one that holds for other records by now has another revision, hence another name.

Else a database that is there already could not take the index, and its service would not start.
"""

import json
from pathlib import Path

from services.awards.store import __dict__ as awards
from services.chassis.records import Records
from services.members.store import __dict__ as members
from services.outreach.store import __dict__ as outreach
from services.rural.store import __dict__ as rural

PINNED = Path(__file__).parent / "indexes.json"


def indexes():
    """What each unique index holds for, by its kind and name."""
    kept = [
        one
        for store in (awards, members, outreach, rural)
        for one in store.values()
        if isinstance(one, type) and issubclass(one, Records) and one is not Records
    ]
    return {f"{one.kind.key} {unique.name}": unique.only for one in kept for unique in one.unique}


def test_an_index_of_the_same_name_holds_for_the_same_records_as_ever():
    pinned, now = json.loads(PINNED.read_text(encoding="utf-8")), indexes()

    assert {name: now[name] for name in pinned if name in now} == {
        name: only for name, only in pinned.items() if name in now
    }, "count the revision of the index up, and pin it with `python -m tests.contract.test_indexes`"


def test_every_index_is_pinned():
    assert set(indexes()) <= set(json.loads(PINNED.read_text(encoding="utf-8"))), (
        "pin it with `python -m tests.contract.test_indexes`"
    )


if __name__ == "__main__":
    told = json.loads(PINNED.read_text(encoding="utf-8")) if PINNED.exists() else {}
    text = json.dumps({**indexes(), **told}, ensure_ascii=False, indent=1, sort_keys=True)
    PINNED.write_text(f"{text}\n", encoding="utf-8")
