"""Importing: sheets that are uploaded for a command, what became of them, and the gateway's work on them."""

from __future__ import annotations

import hashlib
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from time import monotonic
from typing import Any
from urllib.parse import quote

from eventlet import tpool
from structlog import get_logger

from gateway.http import json_schema, pagination, parameters
from gateway.http.admission import Bulkhead
from gateway.http.messages import Reply, Request
from gateway.http.parameters import Parameter
from gateway.imports import sheets
from gateway.imports.chunks import PIECE
from gateway.imports.import_store import Document, ImportStore
from gateway.imports.import_worker import ImportWorker, unreadable
from gateway.imports.sheets import BrokenSheet, CellError, Column, NotFlat
from gateway.upstream import descriptions
from services.chassis.client import Caller
from services.chassis.entrypoints import command_id
from services.chassis.problem import (
    FieldError,
    InvalidInput,
    NotAllowed,
    NotFound,
)
from services.contract import glossary
from services.contract.topology import SERVICES

LONGEST = 200  # characters of a file's name
MARKED = 50_000  # errors that are written beside the rows of a file
MARKED_AT_ONCE = 2  # files
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHEET = json_schema.of_type(XLSX)
ZIP = b"PK\x03\x04"  # what an XLSX begins with

DRY_RUN = Parameter(
    parameters.one_of(("true", "false")),
    "Only judge the rows and say what is wrong; to be confirmed afterwards.",
    "仅校验各行并报告错误，之后再确认写入。",
    {"type": "string", "enum": ["true", "false"], "default": "true"},
)
FILENAME = Parameter(str, "What the file is called, where the body is nothing but the file.", "文件名（直接上传时）。")
UPLOAD = {"dry_run": DRY_RUN, "filename": FILENAME}
PAGE = {"limit": pagination.LIMIT}

log = get_logger()


class NotImportable(NotFound):
    """What this command takes cannot stand in the rows of a sheet, or it changes records that are there."""

    code = "not_importable"


class Uploads:
    """Each method answers a request."""

    def __init__(self, imports: ImportStore, importer: ImportWorker, caller: Caller) -> None:
        self._imports, self._importer, self._caller = imports, importer, caller
        self._room = Bulkhead(MARKED_AT_ONCE)

    def begin(self, service: str, command: str, request: Request) -> Reply:
        """202 with the import, once the file is stored; `Idempotency-Key` is its id."""
        known = self._command(service, command)
        if not request.actor.roles & known.roles:
            raise NotAllowed(needs="/".join(sorted(known.roles)), yours="/".join(sorted(request.actor.roles)))
        _columns(service, command, known)
        self._importer.acting_for(request.actor)
        id_ = command_id(request.headers.get("Idempotency-Key")) or str(uuid.uuid4())
        file = self._store(command, request)
        dry_run = request.params.get("dry_run", "true") == "true"
        begun = self._imports.begin(
            id_, request.actor, request.token_id, dry_run=dry_run, service=service, command=command, **file
        )
        return _accepted(begun)

    def confirm(self, id_: str, request: Request) -> Reply:
        return _accepted(self._imports.confirm(id_, request.actor, request.token_id))

    def find(self, id_: str, request: Request) -> Any:
        return self._imports.find(id_, request.actor)

    def page(self, request: Request) -> Any:
        return self._imports.page(request.actor, request.params.get("limit", pagination.PAGE))

    def template(self, service: str, command: str) -> Reply:
        """An empty sheet to be filled."""
        columns = _columns(service, command, self._command(service, command))
        title = glossary.command(f"{service}.{command}")
        return _file(tpool.execute(sheets.template, columns, title), f"{command}.xlsx")

    def marked(self, id_: str, request: Request) -> Reply:
        """The uploaded file with what is wrong beside each row, up to `MARKED`."""
        held = self._imports.held(id_, request.actor)
        if not self._imports.pieces.are_there(held["upload"], "file"):
            raise NotFound("The file is kept until the import is done, or for 7 days.", "文件仅保留至导入完成或七天。")
        service, command = held["service"], held["command"]
        columns = _columns(service, command, self._command(service, command))
        errors: dict[int, list[CellError]] = {}
        for error in self._imports.errors(held, at_most=MARKED):
            wrong = CellError(error["cell"] or "", error["field"] or "", error["zh"], error["en"])
            errors.setdefault(error["row"], []).append(wrong)
        with (
            self._room.place("marked files"),
            self._importer.file(held) as path,
            tempfile.TemporaryDirectory(prefix="kexie-marked-") as folder,
        ):
            out = Path(folder, "marked")
            try:
                tpool.execute(sheets.marked, path, held["filename"], columns, errors, out)
            except BrokenSheet as broken:
                raise unreadable(broken) from None
            return _file(_sent(out), held["filename"])

    def _command(self, service: str, name: str) -> descriptions.CommandDescription:
        if service not in SERVICES:
            raise parameters.not_known("service", "服务", service, SERVICES)
        said = self._caller.call(service, "describe", {})
        commands = descriptions.read(service, said, heard=monotonic()).commands
        if name not in commands:
            raise parameters.not_known("command", "命令", name, commands)
        if not commands[name].adds:
            listed = ", ".join(sorted(one for one, known in commands.items() if known.adds))
            raise NotImportable(
                f"{name} does not add a record; what can be imported: {listed}.",
                f"{name} 并非新增记录，不能批量导入；可导入：{listed}。",
            )
        return commands[name]

    def _store(self, command: str, request: Request) -> Document:
        """Keep the file in pieces, read as it comes in; what is known of it then."""
        stream, called = _uploaded(request)
        upload, digest, size, kind = uuid.uuid4().hex, hashlib.sha256(), 0, "csv"
        try:
            for place, content in enumerate(_pieces(stream)):
                kind = "xlsx" if place == 0 and content.startswith(ZIP) else kind
                digest.update(content)
                size += len(content)
                self._imports.pieces.put(upload, "file", place, content)
        except BaseException:  # too large, or broken off
            self._imports.pieces.forget(upload)
            raise
        if not size:
            raise InvalidInput(FieldError("file", "The file is empty.", "文件为空。"))
        filename = PurePosixPath(called.replace("\\", "/")).name[-LONGEST:] or f"{command}.{kind}"
        return {"upload": upload, "sha256": digest.hexdigest(), "bytes": size, "filename": filename}


def _columns(service: str, command: str, known: descriptions.CommandDescription) -> tuple[Column, ...]:
    try:
        return sheets.columns(known.input, of=f"{service}.{command}")
    except NotFlat as nested:
        raise NotImportable(nested.en, nested.zh) from None


def _uploaded(request: Request) -> tuple[Any, str]:
    """The file's bytes and what it is called: a form's field `file`, or the whole body."""
    if request.mimetype != "multipart/form-data":
        return request.stream, request.params.get("filename", "")
    file = request.files.get("file")
    if file is None:
        raise InvalidInput(FieldError("file", "The form has no file of that name.", "表单中没有名为 file 的文件。"))
    return file.stream, request.params.get("filename") or file.filename or ""


def _pieces(stream: Any) -> Iterator[bytes]:
    """All of it, as it comes in; each as large as a piece may be, but for the last."""
    held = b""
    while content := stream.read(PIECE - len(held)):
        held += content
        if len(held) == PIECE:
            yield held
            held = b""
    if held:
        yield held


def _sent(path: Path) -> Iterator[bytes]:
    """Its content, piece by piece; the file may be removed meanwhile."""
    file = path.open("rb")

    def pieces() -> Iterator[bytes]:
        with file:
            while content := file.read(PIECE):
                yield content

    return pieces()


def _file(body: bytes | Iterator[bytes], filename: str) -> Reply:
    kind = XLSX if filename.lower().endswith(".xlsx") else "text/csv; charset=utf-8"
    named = f"attachment; filename*=UTF-8''{quote(filename, safe='')}"
    return Reply(body, headers={"Content-Disposition": named}, content_type=kind)


def _accepted(told: Document) -> Reply:
    return Reply(told, 202, {"Location": f"/api/v1/imports/{quote(told['id'], safe='')}"})
