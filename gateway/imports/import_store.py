"""Imports: what was uploaded for which command, how far it has come, and which gateway is at it.

An import is `waiting`, then `running` through its phases reading, checking and writing. It ends `checked` (every row is
good and may be written), `refused` (rows are wrong, nothing was written), `done`, `stopped` (somebody else's write made
rows impossible while it was writing; what was written stays, and it goes on when it is confirmed again) or `failed`.

A gateway that has not been heard of for `SILENT` seconds has died, and another one goes on where it was. Only the
database's clock is asked for that.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import timedelta
from itertools import groupby
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.http.json_schema import INSTANT, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of
from gateway.imports.chunks import FileChunks
from services.chassis.clock import SystemClock
from services.chassis.problem import Conflict, NotAllowed, NotFound, Problem
from services.chassis.tokens import Actor
from services.contract import wire
from services.kernel.calendar import format_instant

Document = dict[str, Any]

SILENT = 30.0  # seconds
KEPT = timedelta(days=90)  # that an import can be asked for
FIRST = 100  # errors that are told with an import; its file has all of them

STATES = ("waiting", "running", "checked", "refused", "stopped", "failed", "done")
PHASES = ("reading", "checking", "writing")
NONE_WRONG = {"rows": 0, "errors": 0}

ERROR = each(
    row=WHOLE, cell=maybe(TEXT), field=maybe(TEXT), code=TEXT,
    zh=TEXT, en=TEXT,
)  # fmt: skip
LISTED = each(
    id=TEXT, service=TEXT, command=TEXT, filename=TEXT, bytes=WHOLE,
    sha256=TEXT, by=TEXT, dry_run=TRUTH, state=one_of(*STATES),
    phase=one_of(*PHASES), done=WHOLE, total=WHOLE, wrong_rows=WHOLE,
    errors=WHOLE, problem=maybe(WORDS), created_at=INSTANT,
    ended_at=maybe(INSTANT),
)  # fmt: skip
IMPORT = each(**LISTED["properties"], first_errors=many(ERROR))
IMPORT_LIST = each(items=many(LISTED), total=WHOLE)


class TakenOver(Exception):
    """Another gateway is at this import, since it did not hear of us."""


class ImportStore:
    """The imports of all gateways."""

    def __init__(self, imports: Collection[Document], pieces: FileChunks, clock: SystemClock) -> None:
        self._imports, self.pieces, self._clock = imports, pieces, clock

    def prepare(self) -> None:
        self._imports.create_index([("state", 1), ("turn", 1)])
        self._imports.create_index([("actor.id", 1), ("created_at", -1)])
        self._imports.create_index("created_at", expireAfterSeconds=int(KEPT.total_seconds()))
        self.pieces.prepare()

    # --- asked for ---------------------------------------------------------------------------------------------------

    def begin(self, id_: str, actor: Actor, token_id: str | None, *, dry_run: bool, **said: Any) -> Document:
        """The import, waiting; the same one under the same id is there once, another one is a `Conflict`."""
        now = self._clock.now()
        new = {"_id": id_, **said, "actor": stored(actor)}
        state = {
            "token_id": token_id,
            "dry_run": dry_run,
            "state": "waiting",
            "phase": "reading",
            "has_begun": False,  # to write; some of its rows may be records since
            "run": None,
            "created_at": now,
            "turn": now,
        }
        try:
            self._imports.insert_one(new | state | _nothing_done() | {"total": 0, "unreadable": NONE_WRONG})
        except DuplicateKeyError:
            self.pieces.forget(said["upload"])
            held = self._imports.find_one({"_id": id_}) or new
            if any(held[name] != new[name] for name in ("actor", "service", "command", "sha256")):
                raise Conflict(import_id=id_) from None
        return self.find(id_, actor)

    def held(self, id_: str, actor: Actor) -> Document:
        """As it is stored; only whoever sent it, and operators, may ask."""
        held = self._imports.find_one({"_id": id_})
        if held is None or (held["actor"]["id"] != actor.id and "operator" not in actor.roles):
            raise NotFound(import_id=id_)
        return held

    def find(self, id_: str, actor: Actor) -> Document:
        held = self.held(id_, actor)
        return {**_told(held), "first_errors": self.errors(held, at_most=FIRST)}

    def page(self, actor: Actor, limit: int) -> Document:
        """One's own, the newest first; those of everybody for operators."""
        which = {} if "operator" in actor.roles else {"actor.id": actor.id}
        found = self._imports.find(which).sort("created_at", -1).limit(limit)
        return {"items": [_told(held) for held in found], "total": self._imports.count_documents(which)}

    def errors(self, held: Document, *, at_most: int | None = None) -> list[Document]:
        """What is wrong, row by row."""
        found: list[Document] = []
        pieces = self.pieces.read(held["upload"], "wrongs", "refusals")
        for _, of_the_same_rows in groupby(pieces, key=lambda piece: piece[0]):
            errors = [error for _, content in of_the_same_rows for error in wire.decode(content)]
            found += sorted(errors, key=lambda error: error["row"])
            if at_most is not None and len(found) >= at_most:
                break
        return found[:at_most]

    def confirm(self, id_: str, actor: Actor, token_id: str | None) -> Document:
        """Write it, in the name and the roles of whoever uploaded it, who alone can say so; again changes nothing.

        It is judged once more before, since much may have happened meanwhile.
        """
        held = self.held(id_, actor)
        if held["actor"]["id"] != actor.id:
            raise NotAllowed("Only who uploaded it may have it written.", "只有上传人可以确认写入。", import_id=id_)
        if not held["dry_run"] and held["state"] in ("waiting", "running", "done"):
            return self.find(id_, actor)
        is_read = held["state"] in ("checked", "stopped") or (held["state"], held["phase"]) == ("failed", "writing")
        if not is_read or not self.pieces.are_there(held["upload"], "rows"):
            raise Conflict(
                f"An import that is {held['state']} cannot be written.", f"该导入（{held['state']}）不能写入。",
                import_id=id_, state=held["state"],
            )  # fmt: skip
        self.pieces.forget(held["upload"], ["refusals"])
        again = {"dry_run": False, "state": "waiting", "phase": "checking", "turn": self._clock.now()}
        again |= {"actor": stored(actor), "token_id": token_id} | _nothing_done()
        self._imports.update_one({"_id": id_, "state": held["state"]}, {"$set": again, "$unset": {"ended_at": ""}})
        return self.find(id_, actor)

    # --- at work -----------------------------------------------------------------------------------------------------

    def claim(self) -> Document | None:
        """The one that has waited longest, or whose gateway went silent; it is ours from now on."""
        silent = {"$lt": ["$beat_at", {"$subtract": ["$$NOW", int(SILENT * 1_000)]}]}
        tries = {"$add": ["$tries", {"$cond": [{"$eq": ["$state", "running"]}, 1, 0]}]}
        ours = {"state": "running", "run": uuid.uuid4().hex, "beat_at": "$$NOW", "tries": tries}
        return self._imports.find_one_and_update(
            {"$or": [{"state": "waiting"}, {"state": "running", "$expr": silent}]},
            [{"$set": ours}],
            sort=[("turn", 1)],
            return_document=ReturnDocument.AFTER,
        )

    def note(self, held: Document, **changed: Any) -> None:
        """How far it has come; raises `TakenOver` where it is ours no longer."""
        update: Document = {"$currentDate": {"beat_at": True}}
        if changed:  # it got on
            update["$set"] = changed = {**changed, "tries": 0}
        if not self._imports.update_one(_ours(held), update).matched_count:
            raise TakenOver
        held |= changed

    def put_back(self, held: Document) -> None:
        """Another gateway may go on, or this one later; the others that wait come first."""
        back = {"state": "waiting", "run": None, "turn": self._clock.now()}
        self._imports.update_one(_ours(held), {"$set": back})

    def end(self, held: Document, state: str, problem: Problem | None = None) -> None:
        words = {"zh": problem.zh, "en": problem.en} if problem else None
        ended = {"state": state, "run": None, "problem": words}
        self._imports.update_one(_ours(held), {"$set": ended, "$currentDate": {"ended_at": True}})
        if state == "done":
            self.pieces.forget(held["upload"])


def stored(actor: Actor) -> Document:
    """Who uploaded it, to act as later."""
    return {"id": actor.id, "roles": sorted(actor.roles), "district": actor.district}


def _ours(held: Document) -> Document:
    return {"_id": held["_id"], "run": held["run"], "state": "running"}


def _nothing_done() -> Document:
    """Before the first row is checked."""
    return {"place": -1, "done": 0, "staged": 0, "through": 0, "tries": 0, "refused": NONE_WRONG, "problem": None}


def _told(held: Mapping[str, Any]) -> Document:
    ended = held.get("ended_at")
    return {
        "id": held["_id"],
        "by": held["actor"]["id"],
        **{name: held[name] for name in ("service", "command", "filename", "bytes", "sha256", "dry_run", "state")},
        **{name: held[name] for name in ("phase", "done", "total", "problem")},
        "wrong_rows": held["unreadable"]["rows"] + held["refused"]["rows"],
        "errors": held["unreadable"]["errors"] + held["refused"]["errors"],
        "created_at": format_instant(held["created_at"]),
        "ended_at": format_instant(ended) if ended else None,
    }
