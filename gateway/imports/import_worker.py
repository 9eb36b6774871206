"""The import worker takes an import through its phases, in steps that any gateway can repeat and continue.

Reading parses the file once and keeps its rows in portions; checking gives each portion to the service, which judges
and stages it; writing has the service move the staged rows to its records. All of it is done as the uploader.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from gateway.imports import import_record, sheet_process, sheets
from gateway.imports.import_record import UNCHECKED, ErrorCount, Import, RowError
from gateway.imports.import_store import ImportStore
from gateway.imports.sheets import BrokenSheet, CellError
from gateway.imports.sheets.portions import Portion
from gateway.upstream.delegation import DelegatedCaller
from services.chassis.client import Caller
from services.chassis.problem import FieldError, InvalidInput, NotFound
from services.chassis.tokens import Actor
from services.contract import wire

WITHIN = 30.0  # seconds that a call may take
FIRST_HIDDEN = 20  # rows that an answer names


@dataclass(frozen=True)
class Verdict:
    """A service's answer to `check_rows`: how many rows it staged, and why it refused the others."""

    staged: int = 0
    errors: tuple[RowError, ...] = ()


@dataclass(frozen=True)
class Written:
    """A service's answer to `write_rows`: the last row that it wrote, if any, and how many; or why it wrote none."""

    through: int | None
    rows: int
    errors: tuple[RowError, ...] = ()


class ImportWorker:
    """Works on imports, one after the other."""

    def __init__(
        self,
        imports: ImportStore,
        caller: Caller,
        private_key: str | None,
        current_rights: Callable[[Actor, str | None], Actor],
    ) -> None:
        self._imports, self._caller, self._private_key = imports, caller, private_key
        self._current_rights = current_rights
        self._phases = {"reading": self._read, "checking": self._check, "writing": self._write}

    def work(self, sheet: Import) -> Import:
        """Take an import from where it is to its end, as what its uploader may do now; return it as it ended."""
        ask = self.acting_for(self._current_rights(sheet.actor, sheet.token_id))
        while sheet.state == "running":
            sheet = self._phases[sheet.phase](sheet, ask)
        ask(sheet.service, "forget_rows", **_address(sheet), timeout=WITHIN)
        return sheet

    def acting_for(self, actor: Actor) -> DelegatedCaller:
        """Call services as this actor; raises `Unavailable` where the gateway cannot act for anybody."""
        return DelegatedCaller(self._caller, self._private_key, by=actor.id, roles=actor.roles, district=actor.district)

    @contextmanager
    def file(self, sheet: Import) -> Iterator[Path]:
        """The uploaded file, for as long as the block runs."""
        with tempfile.TemporaryDirectory(prefix="kexie-import-") as folder:
            path = Path(folder, "sheet")
            self._write_file(path, sheet)
            yield path

    def _write_file(self, path: Path, sheet: Import) -> None:
        with path.open("wb") as file:
            for _, data in self._imports.chunks.read(sheet.upload, "file"):
                file.write(data)

    # --- reading -----------------------------------------------------------------------------------------------------

    def _read(self, sheet: Import, ask: DelegatedCaller) -> Import:
        self._imports.note_alive(sheet)  # else a gateway that was frozen would delete the rows of its successor
        self._imports.chunks.forget(sheet.upload, ["rows", "wrongs"])
        sheet = replace(sheet, total=0, unreadable=ErrorCount(), hidden=0, first_hidden=())
        columns = _columns(sheet, ask)
        with self.file(sheet) as path, closing(sheet_process.read(path, sheet.filename, columns)) as portions:
            try:
                for place, portion in enumerate(portions):
                    sheet = self._keep(sheet, place, portion)
            except BrokenSheet as broken:
                raise unreadable(broken) from None
        return self._imports.note_progress(sheet, phase="checking", place=-1)

    def _keep(self, sheet: Import, place: int, portion: Portion) -> Import:
        self._imports.chunks.put(sheet.upload, "rows", place, portion.rows)
        if errors := [_row_error(row, error) for row, error in portion.wrongs]:
            self._imports.chunks.put(sheet.upload, "wrongs", place, wire.encode(errors))
        unreadable = sheet.unreadable + ErrorCount(portion.unreadable, len(errors))
        return self._imports.note_progress(
            sheet,
            total=sheet.total + portion.read,
            unreadable=unreadable,
            hidden=sheet.hidden + len(portion.hidden),
            first_hidden=(*sheet.first_hidden, *portion.hidden)[:FIRST_HIDDEN],
        )

    # --- checking ----------------------------------------------------------------------------------------------------

    def _check(self, sheet: Import, ask: DelegatedCaller) -> Import:
        for place, data in self._imports.chunks.read(sheet.upload, "rows", after=sheet.place):
            sheet = self._check_portion(sheet, place, wire.decode(data), ask)
        if sheet.done != sheet.readable:
            raise NotFound("The rows are not kept any more; upload the file again.", "文件内容已过期，请重新上传。")
        if sheet.wrong.rows:
            return self._refuse(sheet)
        if sheet.dry_run or sheet.waits_to_be_seen:
            return import_record.ended(sheet, "checked")
        return self._imports.note_progress(sheet, phase="writing", has_begun=True, done=sheet.written, through=0)

    def _check_portion(self, sheet: Import, place: int, rows: list[Any], ask: DelegatedCaller) -> Import:
        verdict = self._verdict(sheet, rows, ask) if rows else Verdict()
        if verdict.errors:
            self._imports.chunks.put(sheet.upload, "refusals", place, wire.encode(verdict.errors))
        return self._imports.note_progress(
            sheet,
            place=place,
            done=sheet.done + len(rows),
            staged=sheet.staged + verdict.staged,
            refused=sheet.refused + ErrorCount.of(verdict.errors),
        )

    def _verdict(self, sheet: Import, rows: list[Any], ask: DelegatedCaller) -> Verdict:
        answer = ask(sheet.service, "check_rows", **_address(sheet), rows=rows, timeout=WITHIN)
        return msgspec.convert(answer, Verdict)

    def _refuse(self, sheet: Import) -> Import:
        """End it because of its wrong rows: `stopped` where others of its rows are records already."""
        if not sheet.has_begun:
            return import_record.ended(sheet, "refused")
        sheet = self._imports.note_progress(sheet, done=sheet.written)
        return import_record.ended(sheet, "stopped")

    # --- writing -----------------------------------------------------------------------------------------------------

    def _write(self, sheet: Import, ask: DelegatedCaller) -> Import:
        """Move the staged rows; where fewer are written than were staged, some were removed: check once more."""
        written = self._write_next(sheet, ask)
        while written.through is not None:
            done = sheet.done + written.rows
            sheet = self._imports.note_progress(sheet, through=written.through, done=done)
            written = self._write_next(sheet, ask)
        if written.errors:
            return self._stop(sheet, written.errors)
        if sheet.done == sheet.total:
            return import_record.ended(sheet, "done")

        self._imports.chunks.forget(sheet.upload, ["refusals"])
        return self._imports.note_progress(sheet, **UNCHECKED, refused=ErrorCount())

    def _write_next(self, sheet: Import, ask: DelegatedCaller) -> Written:
        answer = ask(sheet.service, "write_rows", **_address(sheet), after=sheet.through, timeout=WITHIN)
        return msgspec.convert(answer, Written)

    def _stop(self, sheet: Import, errors: Sequence[RowError]) -> Import:
        self._imports.chunks.put(sheet.upload, "refusals", 0, wire.encode(errors))
        sheet = self._imports.note_progress(sheet, refused=ErrorCount.of(errors))
        return import_record.ended(sheet, "stopped")


def unreadable(broken: BrokenSheet) -> InvalidInput:
    """Explain to the uploader why no row of a file can be read."""
    errors = broken.wrongs or (CellError("file", "", broken.zh, broken.en),)
    return InvalidInput(*(FieldError(error.cell, error.en, error.zh) for error in errors))


def _columns(sheet: Import, ask: DelegatedCaller) -> tuple[sheets.Column, ...]:
    description = ask(sheet.service, "describe")["commands"][sheet.command]
    return sheets.columns(description["input"], of=f"{sheet.service}.{sheet.command}")


def _address(sheet: Import) -> dict[str, str]:
    return {"import_id": sheet.id, "command": sheet.command}


def _row_error(row: int, error: CellError) -> RowError:
    return RowError(row, error.field or None, InvalidInput.code, error.zh, error.en, cell=error.cell or None)
