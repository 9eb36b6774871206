"""Exports: an answer as a file. All of it is read in one state, or no file is sent (G-15).

A question that can be asked as of an instant is asked as of now, page by page. For any other, the revision and the
total that come with each page show whether the data moved meanwhile.

    @exported("指标记录")
    @endpoint("GET", "/api/v1/kpis/<code>/records", asks=question_parameters.RECORDS, ...)
    def records(self, request, code): ...

The upper line makes `.csv` and `.xlsx` of the address: the method is called as over HTTP, page by page.
"""

from __future__ import annotations

import base64
import copy
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Protocol
from urllib.parse import quote, unquote

import eventlet
from eventlet import tpool
from nameko.extensions import ENTRYPOINT_EXTENSIONS_ATTR, SharedExtension
from structlog import get_logger
from werkzeug.datastructures import MultiDict

from gateway.api.endpoint import Endpoint
from gateway.documents import csv, xlsx
from gateway.documents.answer_rows import Split, items
from gateway.documents.table import ExportData
from gateway.documents.xlsx import DoesNotFit
from gateway.http import pagination, parameters
from gateway.http.messages import Reply, Request
from gateway.http.pagination import LONGEST_PAGE
from gateway.http.parameters import Parameter
from services.chassis.problem import FieldError, InvalidInput, Unavailable
from services.contract import KINDS, glossary

PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0)  # seconds before each attempt
BEHIND = 0.1  # seconds that no answer is behind the ledger: a later answer shows whether the ledger has moved
STANDING = ("revision", "freshness", "complete", "reasons")
IN_MEMORY = 1_000_000  # bytes of a file; a longer one is put on the disk
CHUNK = 65_536  # bytes

Ask = Callable[..., Mapping[str, Any]]
"""Calls the exported method with the parameters of one page."""

log = get_logger()


class Moved(Exception):
    """The data changed while they were read; its text names what changed."""


@dataclass(frozen=True)
class FileFormat:
    """A kind of file: `write` returns the digest of the data, `fits` raises `DoesNotFit` for too many rows."""

    ending: str
    content_type: str
    write: Callable[[IO[bytes], ExportData], bytes]
    fits: Callable[[int], None] = lambda _: None


def _write_docx(file: IO[bytes], data: ExportData) -> bytes:
    from gateway.documents import yearly_report_docx  # noqa: PLC0415 (6 MB, loaded with the first report)

    return yearly_report_docx.write(file, data)


CSV = FileFormat("csv", "text/csv; charset=utf-8; header=present", csv.write)
XLSX = FileFormat("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write, xlsx.fits)
DOCX = FileFormat("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", _write_docx)


# --- how an answer is read --------------------------------------------------------------------------------------------


class AnswerReader(Protocol):
    """Reads all of an answer."""

    def gather(self, data: ExportData, ask: Ask) -> None:
        """Put the rows aside, with what the answer tells besides; raises `Moved`."""


@dataclass(frozen=True)
class WholeAnswer:
    """An answer that comes at once."""

    split: Split

    def gather(self, data: ExportData, ask: Ask) -> None:
        """Read the one answer."""
        rows, data.facts = self.split(ask())
        data.rows.add(rows)


@dataclass(frozen=True)
class PagedAnswer:
    """An answer that comes page by page, all of them of one state.

    A service's own list tells its revision only when it is asked for.
    """

    split: Split
    format: FileFormat
    of_a_service: bool

    def gather(self, data: ExportData, ask: Ask) -> None:
        """Read all pages; raises `Moved` where generation, revision or total changed before the end."""
        before = self._probe(ask)
        total = self._add_pages(data, ask)
        eventlet.sleep(BEHIND)
        _require_same(before, self._probe(ask))
        if data.rows.number != total:
            raise Moved(f"{data.rows.number} / {total}")

    def _probe(self, ask: Ask) -> Mapping[str, Any]:
        """The state of the data, with as few of them as possible."""
        return ask(limit=1, revision="true") if self.of_a_service else ask(limit=1)

    def _add_pages(self, data: ExportData, ask: Ask) -> int:
        first = page = ask(limit=LONGEST_PAGE)
        self.format.fits(first["total"])
        self._add(data, page)
        while page["cursor"] is not None:
            page = ask(limit=LONGEST_PAGE, cursor=page["cursor"])
            _require_same(first, page)
            self._add(data, page)
        return first["total"]

    def _add(self, data: ExportData, page: Mapping[str, Any]) -> None:
        rows, data.facts = self.split(page)
        data.rows.add(rows)


def _require_same(first: Mapping[str, Any], page: Mapping[str, Any]) -> None:
    for name in ("generation", "revision", "total"):
        if page.get(name) != first.get(name):
            raise Moved(f"{name} {first.get(name)} / {page.get(name)}")


# --- the entrypoint ---------------------------------------------------------------------------------------------------


class ExportClock(SharedExtension):
    """The clock of all exports of a gateway."""

    def setup(self) -> None:
        """Take the clock of the process."""
        self.clock = self.container.config["CLOCK"]


class Export(Endpoint):
    """Answers with a file made of all that its method answers.

    It takes the method's parameters except those of one page (`PAGING`).
    """

    time = ExportClock()

    def __init__(
        self,
        url: str,
        title: str,
        format: FileFormat,  # noqa: A002 (the word of this field; the builtin is not used here)
        reader: AnswerReader,
        *,
        asks: Mapping[str, Parameter] | None = parameters.NOTHING,
        **declared: Any,
    ) -> None:
        self.title, self.format, self.reader, self.of_page = title, format, reader, asks
        of_all = asks if asks is None else {name: one for name, one in asks.items() if name not in pagination.PAGING}
        shape = {"type": "string", "contentMediaType": format.content_type.partition(";")[0]}
        super().__init__(
            "GET",
            f"{url}.{format.ending}",
            asks=of_all,
            answers={200: shape},
            prefers_known=True,
            pool="exports",
            **declared,
        )

    def answer(self, request: Request) -> Reply:
        """Answer with the file."""
        if self.asks is None:
            _refuse_paging(request)
        try:
            data = self._gather(request)
            file = tpool.execute(_write, self.format, data)
        except DoesNotFit as error:
            raise InvalidInput(FieldError("file", error.en, error.zh)) from None
        name = f"{_file_name(data, request)}.{self.format.ending}"
        return Reply(ByteStream(file.content), 200, _headers(data, file, name), self.format.content_type)

    def _gather(self, request: Request) -> ExportData:
        """All of the answer, of one state; `Unavailable` where it did not stay the same in any attempt."""
        moved = ""
        for pause in PAUSES:
            eventlet.sleep(pause)
            try:
                return self._gather_once(request)
            except Moved as error:
                moved = str(error)
        log.warning("export given up", route=self.url, seen=moved)
        raise Unavailable(
            f"The data kept changing ({moved}), so no file is sent. Try again later.",
            f"读取期间数据不断变化（{moved}），未生成文件，请稍后重试。",
        )

    def _gather_once(self, request: Request) -> ExportData:
        data = ExportData(self.title, of=_kind(request.path_values))
        standing = self._standing(request)
        began = self.time.clock.now().isoformat(timespec="milliseconds")
        pinned = {"as_of": began} if standing else {}
        self.reader.gather(data, partial(self._ask, request, **pinned))
        data.facts = _facts({**data.facts, **standing, **pinned}, data.of, began, request)
        return data

    def _standing(self, request: Request) -> dict[str, Any]:
        """Ask how complete the data are now; empty where no `as_of` can be given, or the caller has given one."""
        if "as_of" not in (self.asks or ()) or "as_of" in request.args:
            return {}
        now = self._ask(request, limit=1) if "limit" in (self.of_page or ()) else self._ask(request)
        return {name: now[name] for name in STANDING if name in now}

    def _ask(self, request: Request, **added: Any) -> Any:
        """Call the method with these parameters added to the request's."""
        page = copy.copy(request)
        page.args = MultiDict([*request.args.items(multi=True), *((name, str(one)) for name, one in added.items())])
        if self.of_page is not None:
            page.params = parameters.read(page.args, self.of_page)
        return super().answer(page).body


def _refuse_paging(request: Request) -> None:
    """A file has all pages: raises `InvalidInput` where one is asked for."""
    given = [(name, "") for name in pagination.PAGING if name in request.args]
    parameters.read(MultiDict(given), parameters.NOTHING)


def exported(title: str, split: Split = items) -> Callable[..., Any]:
    """Serve the endpoint below also as `.csv` and `.xlsx`, to the same callers and with the same parameters.

    `title` names the file; `split` parts an answer into rows and facts.
    """

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        source = _endpoint_of(method)
        declared = {
            name: getattr(source, name) for name in ("en", "zh", "public", "roles", "everywhere", "asks", "for_each")
        }
        for format_ in (CSV, XLSX):
            reader = _reader_for(source.asks, split, format_)
            method = Export.decorator(source.url, title, format_, reader, **declared)(method)
        return method

    return declare


def document(url: str, title: str, **declared: Any) -> Callable[..., Any]:
    """Serve what the method answers as `.docx`; `declared` as for an endpoint."""
    return Export.decorator(url, title, DOCX, WholeAnswer(lambda answer: ((), dict(answer))), **declared)


def _endpoint_of(method: Callable[..., Any]) -> Endpoint:
    (source,) = [one for one in getattr(method, ENTRYPOINT_EXTENSIONS_ATTR) if type(one) is Endpoint]
    return source


def _reader_for(asks: Mapping[str, Parameter] | None, split: Split, format_: FileFormat) -> AnswerReader:
    """A service's own list, which reads its parameters itself, always comes page by page."""
    if asks is None or "cursor" in asks:
        return PagedAnswer(split, format_, of_a_service=asks is None)
    return WholeAnswer(split)


# --- the file ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ExportFile:
    """A file that is written: its length in bytes, and the digests of its bytes and of its data."""

    content: IO[bytes]
    size: int
    digest: bytes
    data_digest: bytes


def _write(format_: FileFormat, data: ExportData) -> ExportFile:
    """Write the file; it is closed where that fails."""
    with ExitStack() as opened:
        content = opened.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        data_digest = format_.write(content, data)
        size = content.tell()
        content.seek(0)
        digest = sha256()
        for chunk in iter(partial(content.read, CHUNK), b""):
            digest.update(chunk)
        content.seek(0)
        opened.pop_all()
    return ExportFile(content, size, digest.digest(), data_digest)


class ByteStream(Iterator[bytes]):
    """A file in chunks; its place on the disk is freed by `close`, which the server calls at the end in any case."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __next__(self) -> bytes:
        chunk = self._file.read(CHUNK)
        if not chunk:
            raise StopIteration
        return chunk

    def close(self) -> None:
        """Give the file back to the system."""
        self._file.close()


def _facts(facts: Mapping[str, Any], of: str, began: str, request: Request) -> dict[str, Any]:
    """Add to the answer's own facts the instant, the definition of the records, and the question."""
    definition = {"definition": KINDS[of].schema_uri} if of else {}
    question = unquote(request.full_path.rstrip("?"))
    return {"as_of": began, **definition, **facts, "question": question}


def _headers(data: ExportData, file: ExportFile, name: str) -> dict[str, str]:
    facts = data.facts
    headers = {
        "Kexie-As-Of": facts["as_of"],
        "Kexie-Revision": facts.get("revision"),
        "Kexie-Definition": facts.get("definition"),
        "Kexie-Complete": json.dumps(facts["complete"]) if "complete" in facts else None,
        "Kexie-Rows": data.rows.number,
        "Kexie-Data-Digest": _digest(file.data_digest),
    }
    ascii_name = re.sub("[^A-Za-z0-9.-]+", "", name).strip("-")
    return {
        "Content-Length": str(file.size),
        "Content-Disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Digest": _digest(file.digest),
        **{header: str(value) for header, value in headers.items() if value is not None},
    }


def _digest(digest: bytes) -> str:
    """As RFC 9530 writes it."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def _kind(path: Mapping[str, Any]) -> str:
    """The key of the kind that an address names by its name or plural; empty where it names none."""
    names = (path.get("kind"), path.get("plural"))
    kinds = (
        kind for kind in KINDS.values() if kind.service == path.get("service") and {kind.name, kind.plural} & {*names}
    )
    return next((kind.key for kind in kinds), "")


def _file_name(data: ExportData, request: Request) -> str:
    """Title, kind, the address's variables and the day, without characters that a file system refuses."""
    kind = [glossary.kind(data.of)] if data.of else []
    values = [value for name, value in request.path_values.items() if name not in ("service", "kind", "plural")]
    parts = [data.title, *kind, *values, data.facts["as_of"][:10].replace("-", "")]
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]+', "_", "-".join(parts))[:120]
