"""The importer: takes an import through its phases, in steps that any gateway can do again and go on from.

Reading parses the file once and keeps its rows in pieces; checking gives each piece to the service, which judges and
stages it; writing has the service move what is staged to its records. All of it is done as the one who uploaded it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

from eventlet import tpool

from gateway.imports import sheets
from gateway.imports.import_store import NONE_WRONG, Document, ImportStore
from gateway.imports.sheets import BrokenSheet, CellError, Row
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.chassis.tokens import Actor
from services.contract import wire

ROWS = 500  # of one call, as many as a service takes
BYTES = 300_000  # of one call, well below what a service takes
WITHIN = 30.0  # seconds that a call may take


class Portion(NamedTuple):
    """So many rows as one call takes: those that could be read, and what is wrong with the others."""

    rows: bytes
    wrongs: list[Document]
    read: int
    unreadable: int


class ImportWorker:
    """Works on imports, one after the other."""

    def __init__(
        self,
        imports: ImportStore,
        caller: Caller,
        private_key: str | None,
        as_now: Callable[[Document, str | None], Actor],
    ) -> None:
        self._imports, self._caller, self._private_key, self._as_now = imports, caller, private_key, as_now
        self._phases = {"reading": self._read, "checking": self._check, "writing": self._write}

    def work(self, held: Document) -> str:
        """Take it from where it is to its end, as what its sender may do now; the state that it ends in."""
        ask = self.acting_for(self._as_now(held["actor"], held.get("token_id")))
        ended = None
        while ended is None:
            ended = self._phases[held["phase"]](held, ask)
        ask(held["service"], "forget_rows", **_of(held), timeout=WITHIN)
        return ended

    def acting_for(self, actor: Actor) -> DelegatedCaller:
        """Asks as this actor; `Unavailable` where the gateway cannot act for anybody."""
        return DelegatedCaller(self._caller, self._private_key, by=actor.id, roles=actor.roles, district=actor.district)

    def _read(self, held: Document, ask: DelegatedCaller) -> str | None:
        pieces, upload, total, rows, errors = self._imports.pieces, held["upload"], 0, 0, 0
        self._imports.note(held)  # else one that was frozen would take the rows from whoever goes on with them
        pieces.forget(upload, ["rows", "wrongs"])
        with self.file(held) as path:
            portions = _portions(sheets.read(path, held["filename"], _columns(held, ask)))
            for place in count():
                portion = _next(portions)
                if portion is None:
                    break
                pieces.put(upload, "rows", place, portion.rows)
                if portion.wrongs:
                    pieces.put(upload, "wrongs", place, wire.encode(portion.wrongs))
                total, rows = total + portion.read, rows + portion.unreadable
                errors += len(portion.wrongs)
                self._imports.note(held, total=total, unreadable={"rows": rows, "errors": errors})
        self._imports.note(held, phase="checking", place=-1)
        return None

    def _check(self, held: Document, ask: DelegatedCaller) -> str | None:
        pieces, upload = self._imports.pieces, held["upload"]
        for place, content in pieces.read(upload, "rows", after=held["place"]):
            rows = wire.decode(content)
            said = ask(held["service"], "check_rows", **_of(held), rows=rows, timeout=WITHIN) if rows else NOTHING
            errors = [{**error, "cell": None} for error in said["errors"]]
            if errors:
                pieces.put(upload, "refusals", place, wire.encode(errors))
            refused = {
                "rows": held["refused"]["rows"] + len({error["row"] for error in errors}),
                "errors": held["refused"]["errors"] + len(errors),
            }
            self._imports.note(
                held,
                place=place,
                done=held["done"] + len(rows),
                staged=held["staged"] + said["staged"],
                refused=refused,
            )
        if held["done"] != held["total"] - held["unreadable"]["rows"]:
            raise NotFound("The rows are not kept any more; upload the file again.", "文件内容已过期，请重新上传。")
        written = held["total"] - held["staged"] - held["refused"]["rows"]
        if held["unreadable"]["rows"] + held["refused"]["rows"]:
            if not held["has_begun"]:
                return "refused"
            self._imports.note(held, done=written)
            return "stopped"
        if held["dry_run"]:
            return "checked"
        self._imports.note(held, phase="writing", has_begun=True, done=written, through=0)
        return None

    def _write(self, held: Document, ask: DelegatedCaller) -> str | None:
        """Where less was written than staged, somebody removed it meanwhile: it is checked once more."""
        while True:
            said = ask(held["service"], "write_rows", **_of(held), after=held["through"], timeout=WITHIN)
            if said["errors"]:
                return self._stop(held, said["errors"])
            if said["through"] is None:
                break
            self._imports.note(held, through=said["through"], done=held["done"] + said["rows"])
        if held["done"] == held["total"]:
            return "done"
        self._imports.pieces.forget(held["upload"], ["refusals"])
        self._imports.note(held, phase="checking", place=-1, done=0, staged=0, refused=NONE_WRONG)
        return None

    def _stop(self, held: Document, errors: list[Document]) -> str:
        self._imports.pieces.put(held["upload"], "refusals", 0, wire.encode([{**one, "cell": None} for one in errors]))
        self._imports.note(held, refused={"rows": len({one["row"] for one in errors}), "errors": len(errors)})
        return "stopped"

    @contextmanager
    def file(self, held: Document) -> Iterator[Path]:
        """The uploaded file, for as long as the block runs."""
        with tempfile.TemporaryDirectory(prefix="kexie-import-") as folder:
            path = Path(folder, "sheet")
            with path.open("wb") as file:
                for _, content in self._imports.pieces.read(held["upload"], "file"):
                    file.write(content)
            yield path


NOTHING: Document = {"staged": 0, "errors": []}


def _columns(held: Document, ask: DelegatedCaller) -> tuple[sheets.Column, ...]:
    service, command = held["service"], held["command"]
    said = ask(service, "describe")["commands"][command]
    return sheets.columns(said["input"], of=f"{service}.{command}")


def _of(held: Document) -> Document:
    return {"import_id": held["_id"], "command": held["command"]}


def _next(portions: Iterator[Portion]) -> Portion | None:
    """Read in another thread, so that nobody waits for a large sheet."""
    try:
        return tpool.execute(next, portions, None)
    except BrokenSheet as broken:
        raise unreadable(broken) from None


def unreadable(broken: BrokenSheet) -> InvalidInput:
    """What is told of a file of which no row can be read."""
    wrongs = broken.wrongs or (CellError("file", "", broken.zh, broken.en),)
    return InvalidInput(*(FieldError(wrong.cell, wrong.en, wrong.zh) for wrong in wrongs))


def _portions(rows: Iterable[Row]) -> Iterator[Portion]:
    """The rows, as many together as one call takes."""
    some: list[Row] = []
    size = 0
    for row in rows:
        length = len(wire.encode(row.values))
        if some and (len(some) == ROWS or size + length > BYTES):
            yield _portion(some)
            some, size = [], 0
        some.append(row)
        size += length
    if some:
        yield _portion(some)


def _portion(rows: list[Row]) -> Portion:
    unreadable = [row for row in rows if row.wrongs]
    return Portion(
        rows=wire.encode([[row.number, row.values] for row in rows if not row.wrongs]),
        wrongs=[_wrong(row, wrong) for row in unreadable for wrong in row.wrongs],
        read=len(rows),
        unreadable=len(unreadable),
    )


def _wrong(row: Row, wrong: CellError) -> Document:
    said = {"row": row.number, "cell": wrong.cell or None, "field": wrong.field or None}
    return {**said, "code": InvalidInput.code, "zh": wrong.zh, "en": wrong.en}
