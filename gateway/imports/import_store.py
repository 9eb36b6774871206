"""The imports of all gateways in MongoDB, and which gateway works on which of them.

A gateway that has not been heard of for `SILENT` seconds has died, and another one continues its import. Only the
database's clock decides that.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby, islice
from operator import attrgetter, itemgetter
from typing import Any

import msgspec
from pymongo import IndexModel, ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.identity.stored_actor import write_actor
from gateway.imports.chunks import KEPT as UPLOADS_KEPT
from gateway.imports.chunks import FileChunks
from gateway.imports.import_record import Import, RowError, confirmed
from services.chassis.clock import SystemClock
from services.chassis.mongo import Document
from services.chassis.problem import Conflict, NotAllowed, NotFound
from services.chassis.tokens import Actor
from services.contract import wire

SILENT = 30.0  # seconds
KEPT = timedelta(days=90)  # that an import can be asked for
IMPORTS = uuid.UUID("6b657869-6500-4000-8000-000000000005")
"""The namespace of the ids of imports whose given id another uploader has used."""


class TakenOver(Exception):
    """Another gateway works on this import, because it did not hear of this one."""


@dataclass(frozen=True)
class Usage:
    """The files that are kept for imports which are not done, and their bytes; `since` is when the oldest came."""

    files: int = 0
    bytes: int = 0
    since: datetime | None = None


class ImportStore:
    """The imports of all gateways."""

    def __init__(self, imports: Collection[Document], chunks: FileChunks, clock: SystemClock) -> None:
        self._imports, self.chunks, self._clock = imports, chunks, clock

    def prepare(self) -> None:
        """Make the indexes; imports are deleted `KEPT` after their upload."""
        self._imports.create_indexes(
            [
                IndexModel([("state", 1), ("turn", 1)]),
                IndexModel([("actor.id", 1), ("created_at", -1)]),
                IndexModel("created_at", expireAfterSeconds=int(KEPT.total_seconds())),
            ]
        )
        self.chunks.prepare()

    # --- for the uploader --------------------------------------------------------------------------------------------

    def add(self, new: Import) -> Import:
        """Keep a new import; the same upload under the same id is there once, another one raises `CommandIdReused`.

        The first uploader's import has the id that was given, another one's a derived id.
        """
        for id_ in _ids(new.id, new.actor):
            if self._find(new.id, new.actor):
                break
            with suppress(DuplicateKeyError):
                self._imports.insert_one(_document(replace(new, id=id_)) | {"turn": new.created_at})
                return self.get(new.id, new.actor)

        self.chunks.forget(new.upload)
        stored = self.get(new.id, new.actor)
        stored.require_repeated_by(new)
        return stored

    def get(self, id_: str, actor: Actor) -> Import:
        """Return an import to its uploader or to an operator; for anybody else it is `NotFound`."""
        stored = self._find(id_, actor)
        if stored is None and "operator" in actor.roles:
            stored = self._find(id_)
        if stored is None:
            raise NotFound(import_id=id_)
        return stored

    def list_newest(self, actor: Actor, limit: int) -> tuple[list[Import], int]:
        """The newest of the actor's own imports, and how many there are; operators see everybody's."""
        visible = {} if "operator" in actor.roles else {"actor.id": actor.id}
        newest = self._imports.find(visible).sort("created_at", -1).limit(limit)
        return [_import(document) for document in newest], self._imports.count_documents(visible)

    def usage(self, actor_id: str | None = None) -> Usage:
        """Sum up what is kept for this uploader, or for all."""
        kept: Document = {"created_at": {"$gt": self._clock.now() - UPLOADS_KEPT}, "state": {"$ne": "done"}}
        by_uploader = {"actor.id": actor_id} if actor_id else {}
        sums = {"files": {"$sum": 1}, "bytes": {"$sum": "$bytes"}, "since": {"$min": "$created_at"}}
        found = self._imports.aggregate([{"$match": kept | by_uploader}, {"$group": {"_id": None} | sums}])
        return next((Usage(row["files"], row["bytes"], row["since"]) for row in found), Usage())

    def errors(self, sheet: Import, *, at_most: int | None = None) -> list[RowError]:
        """The errors of an import in the order of its rows."""
        return list(islice(self._errors(sheet), at_most))

    def confirm(self, id_: str, actor: Actor, token_id: str | None) -> Import:
        """Let the rows be written in the name and the roles of the uploader, who alone may confirm.

        Confirming again changes nothing. Raises `Conflict` where the rows were not checked, or are no longer kept.
        """
        sheet = self.get(id_, actor)
        if sheet.actor.id != actor.id:
            raise NotAllowed("Only the uploader may have it written.", "只有上传人可以确认写入。", import_id=id_)
        if sheet.is_confirmed:
            return sheet
        if not sheet.can_be_confirmed or not self.chunks.has(sheet.upload, "rows"):
            raise Conflict(
                f"An import that is {sheet.state} cannot be written.", f"该导入（{sheet.state}）不能写入。",
                import_id=id_, state=sheet.state,
            )  # fmt: skip

        self.chunks.keep(sheet.upload)
        self.chunks.forget(sheet.upload, ["refusals"])
        changes = _changes(sheet, confirmed(sheet, actor, token_id)) | {"turn": self._clock.now()}
        self._imports.update_one({"_id": sheet.id, "state": sheet.state}, {"$set": changes, "$unset": {"ended_at": ""}})
        return self.get(id_, actor)

    def _find(self, id_: str, uploader: Actor | None = None) -> Import | None:
        """The import that this uploader has begun under the id, or anybody's."""
        wanted = {"_id": {"$in": _ids(id_, uploader)}, "actor.id": uploader.id} if uploader else {"_id": id_}
        document = self._imports.find_one(wanted)
        return _import(document) if document else None

    def _errors(self, sheet: Import) -> Iterator[RowError]:
        chunks = self.chunks.read(sheet.upload, "wrongs", "refusals")
        for _, same_rows in groupby(chunks, key=itemgetter(0)):
            errors = [error for _, content in same_rows for error in _row_errors(content)]
            yield from sorted(errors, key=attrgetter("row"))

    # --- for the gateway that works on it ----------------------------------------------------------------------------

    def keep_waiting(self) -> None:
        """Keep the files of imports that wait or run, however long a service or the broker is away."""
        for document in self._imports.find({"state": {"$in": ["waiting", "running"]}}, {"upload": 1}):
            self.chunks.keep(document["upload"])

    def claim(self) -> Import | None:
        """Take the import that has waited longest, or whose gateway fell silent; None where there is none."""
        silent = {"$lt": ["$beat_at", {"$subtract": ["$$NOW", int(SILENT * 1_000)]}]}
        tries = {"$add": ["$tries", {"$cond": [{"$eq": ["$state", "running"]}, 1, 0]}]}
        ours = {"state": "running", "run": uuid.uuid4().hex, "beat_at": "$$NOW", "tries": tries}
        document = self._imports.find_one_and_update(
            {"$or": [{"state": "waiting"}, {"state": "running", "$expr": silent}]},
            [{"$set": ours}],
            sort=[("turn", 1)],
            return_document=ReturnDocument.AFTER,
        )
        return _import(document) if document else None

    def note_alive(self, sheet: Import) -> None:
        """Write down that this gateway still works on it; raises `TakenOver` where another one does."""
        self._note(sheet, {})

    def note_progress(self, sheet: Import, **progress: Any) -> Import:
        """Write down these fields and return the import with them; raises `TakenOver`. Progress clears its tries."""
        after = replace(sheet, **progress, tries=0)
        stored = _document(after)
        self._note(sheet, {name: stored[name] for name in (*progress, "tries")})
        return after

    def put_back(self, sheet: Import) -> None:
        """Let another gateway continue it, or this one later; the others that wait come first."""
        back = {"state": "waiting", "run": None, "turn": self._clock.now()}
        self._imports.update_one(_ours(sheet), {"$set": back})

    def end(self, sheet: Import) -> Import:
        """Write down the state in which it ended, and return it as it is stored; raises `TakenOver`."""
        outcome = {"state": sheet.state, "run": None, "problem": sheet.problem}
        document = self._imports.find_one_and_update(
            _ours(sheet),
            {"$set": outcome, "$currentDate": {"ended_at": True}},
            return_document=ReturnDocument.AFTER,
        )
        if document is None:
            raise TakenOver
        if sheet.state == "done":
            self.chunks.forget(sheet.upload)
        return _import(document)

    def _note(self, sheet: Import, changes: Document) -> None:
        update: Document = {"$currentDate": {"beat_at": True}} | ({"$set": changes} if changes else {})
        if not self._imports.update_one(_ours(sheet), update).matched_count:
            raise TakenOver


def _ids(given: str, uploader: Actor) -> list[str]:
    """The ids that an import may have, in their order: the second where the first is another uploader's."""
    return [given, str(uuid.uuid5(IMPORTS, f"{uploader.id}/{given}"))]


def _row_errors(content: bytes) -> list[RowError]:
    return msgspec.convert(wire.decode(content), list[RowError])


def _import(document: Document) -> Import:
    return msgspec.convert({"id": document["_id"], **document}, Import)


def _document(sheet: Import) -> Document:
    """An import as it is stored; `turn` and `beat_at`, which order and watch the work, stand beside it."""
    fields: Document = msgspec.to_builtins(sheet, builtin_types=(datetime,))
    fields |= {"_id": fields.pop("id"), "actor": write_actor(sheet.actor)}
    return {name: value for name, value in fields.items() if (name, value) != ("ended_at", None)}


def _changes(before: Import, after: Import) -> Document:
    """The stored fields in which two versions of an import differ."""
    stored = _document(before)
    return {name: value for name, value in _document(after).items() if stored.get(name, ...) != value}


def _ours(sheet: Import) -> Document:
    return {"_id": sheet.id, "run": sheet.run, "state": "running"}
