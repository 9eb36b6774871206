"""Uploads: sheets that are sent for a command, and what their senders ask about them."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import IO, Any
from urllib.parse import quote

from eventlet import tpool

from gateway.http import json_schema, pagination, parameters
from gateway.http.admission import Bulkhead, Pool
from gateway.http.messages import Reply, Request
from gateway.http.parameters import Parameter
from gateway.identity.authentication import Authentication
from gateway.imports import answers, sheet_process, sheets
from gateway.imports.chunks import CHUNK, KEPT, FileChunks
from gateway.imports.import_record import Import, RowError
from gateway.imports.import_runner import ImportRunner
from gateway.imports.import_store import ImportStore, Usage
from gateway.imports.import_worker import ImportWorker, unreadable
from gateway.imports.sheets import BrokenSheet, CellError, Column, NotFlat
from gateway.upstream import descriptions
from gateway.upstream.descriptions import CommandDescription
from services.chassis.client import Caller, CallerProvider
from services.chassis.clock import SystemClock
from services.chassis.entrypoints import command_id
from services.chassis.mongo import database, patiently
from services.chassis.problem import FieldError, InvalidInput, NotAllowed, NotFound, TooManyRequests
from services.contract import glossary
from services.contract.topology import SERVICES

LONGEST_NAME = 200  # characters of a file's name
FIRST_ERRORS = 100  # that an answer lists; the marked file has all of them
MARKED = 50_000  # errors that are written beside the rows of a file
RECEIVED_AT_ONCE, RECEIVED_FROM_EACH = 6, 2  # files
FILES_OF_EACH, FILES_OF_ALL = 100, 1_000  # that are kept, and 10 or 40 times the largest one's bytes
MARKED_AT_ONCE = 1  # files; beside the one that is imported, as the gateway's memory is reckoned
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = json_schema.of_type(XLSX)

DRY_RUN = Parameter(
    parameters.one_of(("true", "false")),
    "Only check the rows and report their errors; confirm afterwards to write them.",
    "仅校验各行并报告错误，之后再确认写入。",
    {"type": "string", "enum": ["true", "false"], "default": "true"},
)
FILENAME = Parameter(str, "The file's name, where the body is the file itself.", "文件名（直接上传时）。")
UPLOAD = {"dry_run": DRY_RUN, "filename": FILENAME}
PAGE = {"limit": pagination.LIMIT}


class NotImportable(NotFound):
    """A command whose input does not fit into the rows of a sheet, or that changes records that exist."""

    code = "not_importable"


class UploadQuotaReached(TooManyRequests):
    """More files, or more of their bytes, are kept for imports that are not done than may be; nothing was stored."""

    code = "upload_quota_reached"
    title_en = "Too many uploads wait to be confirmed: confirm some, or come again when the oldest is a day old."
    title_zh = "待确认的上传过多：请先确认，或待最早的上传满一天后再试。"


@dataclass(frozen=True)
class Quota:
    """The files that may be kept, and their bytes."""

    files: int
    bytes: int

    def check(self, usage: Usage, more: int, now: datetime) -> None:
        """Raise `UploadQuotaReached` where no further file of so many bytes may be kept."""
        if usage.files < self.files and usage.bytes + more <= self.bytes:
            return
        free_at = (usage.since or now) + KEPT
        seconds = max(1, ceil((free_at - now).total_seconds()))
        raise UploadQuotaReached(files=self.files, bytes=self.bytes, seconds=seconds)


class Uploads:
    """Answers requests about imports."""

    def __init__(
        self, imports: ImportStore, worker: ImportWorker, caller: Caller, clock: SystemClock, *, largest: int
    ) -> None:
        self._for_each, self._for_all = Quota(FILES_OF_EACH, 10 * largest), Quota(FILES_OF_ALL, 40 * largest)
        self._imports, self._worker, self._caller, self._clock = imports, worker, caller, clock
        self._receiving = Pool("uploads", RECEIVED_AT_ONCE, each=RECEIVED_FROM_EACH, strangers=0)
        self._marking = Bulkhead(MARKED_AT_ONCE)

    def begin(self, service: str, command: str, request: Request) -> Reply:
        """Store the file and answer 202 with its import; `Idempotency-Key` is the import's id.

        All that can be refused before the file is read is: the command, the caller's roles, an import that the
        gateway could not continue in the caller's name, a file for which there is no room.
        """
        description = self._command(service, command)
        if not request.actor.roles & description.roles:
            raise NotAllowed(needs="/".join(sorted(description.roles)), yours="/".join(sorted(request.actor.roles)))
        _columns(service, command, description)
        self._worker.acting_for(request.actor)
        now, more = self._clock.now(), request.owed
        self._for_each.check(self._imports.usage(request.actor.id), more, now)
        self._for_all.check(self._imports.usage(), more, now)

        new = self._received(service, command, request)
        return self._accepted(self._imports.add(new))

    def confirm(self, id_: str, request: Request) -> Reply:
        """Let the rows of a checked or stopped import be written; answer 202."""
        return self._accepted(self._imports.confirm(id_, request.actor, request.token_id))

    def find(self, id_: str, request: Request) -> Any:
        """Answer how far an import has come, with its first errors."""
        return self._details(self._imports.get(id_, request.actor))

    def page(self, request: Request) -> Any:
        """Answer the newest imports of the caller, or of everybody for an operator."""
        imports, total = self._imports.list_newest(request.actor, request.params.get("limit", pagination.PAGE))
        return {"items": [answers.outline(sheet) for sheet in imports], "total": total}

    def template(self, service: str, command: str) -> Reply:
        """Answer an empty sheet for a command."""
        columns = _columns(service, command, self._command(service, command))
        title = glossary.command(f"{service}.{command}")
        content = tpool.execute(sheets.template, columns, title)
        return _file(content, f"{command}.xlsx", size=len(content))

    def marked(self, id_: str, request: Request) -> Reply:
        """Answer the uploaded file with its errors beside each row, up to `MARKED` of them."""
        sheet = self._imports.get(id_, request.actor)
        if not self._imports.chunks.has(sheet.upload, "file"):
            raise NotFound(
                "The file is kept until the import is done, or for a day.", "文件仅保留至导入完成，至多一天。"
            )

        columns = _columns(sheet.service, sheet.command, self._command(sheet.service, sheet.command))
        errors = _by_row(self._imports.errors(sheet, at_most=MARKED))
        with (
            self._marking.place("marked files"),
            self._worker.file(sheet) as path,
            tempfile.TemporaryDirectory(prefix="kexie-marked-") as folder,
        ):
            marked = Path(folder, "marked")
            _mark(path, sheet.filename, columns, errors, marked)
            return _file(_stream(marked.open("rb")), sheet.filename, size=marked.stat().st_size)

    def _received(self, service: str, command: str, request: Request) -> Import:
        """The import of the file in a request, which is stored while it is received."""
        id_ = command_id(request.headers.get("Idempotency-Key")) or str(uuid.uuid4())
        with self._receiving.place(request.caller, is_known=request.is_known), request.while_it_comes_in():
            stream, name = _uploaded(request)
            file = self._imports.chunks.store_file(stream)
        if not file.bytes:
            raise InvalidInput(FieldError("file", "The file is empty.", "文件为空。"))

        kind = "xlsx" if file.is_zip else "csv"
        return Import(
            id=id_,
            service=service,
            command=command,
            upload=file.upload,
            filename=PurePosixPath(name.replace("\\", "/")).name[-LONGEST_NAME:] or f"{command}.{kind}",
            bytes=file.bytes,
            sha256=file.sha256,
            actor=request.actor,
            token_id=request.token_id,
            dry_run=request.params.get("dry_run", "true") == "true",
            created_at=self._clock.now(),
        )

    def _command(self, service: str, name: str) -> CommandDescription:
        """The description of a command that adds records, as its service gives it now."""
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, SERVICES)
        answer = self._caller.call(service, "describe", {})
        commands = descriptions.read(service, answer, read_at=monotonic()).commands
        if name not in commands:
            raise parameters.not_known("command", "命令", name, commands)
        if not commands[name].adds:
            importable = ", ".join(sorted(other for other, description in commands.items() if description.adds))
            raise NotImportable(
                f"{name} does not add a record; these commands can be imported for: {importable}.",
                f"{name} 并非新增记录，不能批量导入；可导入：{importable}。",
            )
        return commands[name]

    def _details(self, sheet: Import) -> dict[str, Any]:
        return answers.details(sheet, self._imports.errors(sheet, at_most=FIRST_ERRORS))

    def _accepted(self, sheet: Import) -> Reply:
        return Reply(self._details(sheet), 202, {"Location": f"/api/v1/imports/{quote(sheet.id, safe='')}"})


class UploadsProvider(CallerProvider):
    """Gives the gateway its uploads, and works on them in the background, over a connection of its own."""

    callers = Authentication()

    def setup(self) -> None:
        """Prepare the collections of imports and of their chunks."""
        super().setup()
        settings, clock = self.container.config["SETTINGS"], self.container.config["CLOCK"]
        base = database(settings, self.container.service_name)
        imports = ImportStore(base["imports"], FileChunks(base["uploads"], clock), clock)
        patiently(imports.prepare)
        worker = ImportWorker(imports, self._caller, settings.token_private_key, self.callers.current_rights)
        self.runner = ImportRunner(imports, worker, self._caller.link)
        self._uploads = Uploads(imports, worker, self._caller, clock, largest=settings.upload_limit)

    def start(self) -> None:
        """Begin to work on imports, this gateway's and those of gateways that died."""
        super().start()
        self.runner.start(self.container)

    def stop(self) -> None:
        """Put the import at work back before the connection ends."""
        self.runner.stop()
        super().stop()

    def provide(self) -> Uploads:
        """Return the one object that answers all requests."""
        return self._uploads


def _columns(service: str, command: str, description: CommandDescription) -> tuple[Column, ...]:
    try:
        return sheets.columns(description.input, of=f"{service}.{command}")
    except NotFlat as nested:
        raise NotImportable(nested.en, nested.zh) from None


def _uploaded(request: Request) -> tuple[IO[bytes], str]:
    """The file's bytes and its name, which may be empty: a form's field `file`, or the whole body."""
    if request.mimetype != "multipart/form-data":
        return request.stream, request.params.get("filename", "")
    files = request.files.getlist("file")
    if not files:
        raise InvalidInput(FieldError("file", "The form has no file of that name.", "表单中没有名为 file 的文件。"))
    if len(files) > 1:
        raise InvalidInput(
            FieldError("file", f"{len(files)} files; send one.", f"共 {len(files)} 个文件，请只传一个。")
        )
    (file,) = files
    return file.stream, request.params.get("filename") or file.filename or ""


def _by_row(errors: list[RowError]) -> dict[int, list[CellError]]:
    """The errors as the sheet's copy shows them, by the number of their row."""
    by_row: dict[int, list[CellError]] = {}
    for error in errors:
        cell_error = CellError(error.cell or "", error.field or "", error.zh, error.en)
        by_row.setdefault(error.row, []).append(cell_error)
    return by_row


def _mark(
    path: Path, filename: str, columns: tuple[Column, ...], errors: dict[int, list[CellError]], marked: Path
) -> None:
    try:
        sheet_process.mark(path, filename, columns, errors, marked)
    except BrokenSheet as broken:
        raise unreadable(broken) from None


def _stream(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of an open file, which may be removed from its folder meanwhile, and close it."""
    with file:
        while data := file.read(CHUNK):
            yield data


def _file(body: bytes | Iterator[bytes], filename: str, *, size: int) -> Reply:
    kind = XLSX if filename.lower().endswith(".xlsx") else "text/csv; charset=utf-8"
    disposition = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    headers = {"Content-Disposition": disposition, "Content-Length": str(size)}
    return Reply(body, headers=headers, content_type=kind)
