"""Exports: the same question as a file. All of its answer is read in one state, or nothing is sent (G-15).

What can be asked as of an instant is asked as of now, page by page; of the rest it is seen whether it moved meanwhile.

    @exported("/api/v1/kpis/<code>/records", "指标记录", asks=schemas.RECORDS)
    @endpoint("GET", "/api/v1/kpis/<code>/records", asks=schemas.RECORDS)
    def records(self, request, code): ...

The upper line makes `.csv` and `.xlsx` of the address: the method is asked as over HTTP, page by page.
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
from typing import IO, Any
from urllib.parse import quote, unquote

import eventlet
from eventlet import tpool
from nameko.extensions import SharedExtension
from structlog import get_logger
from werkzeug.datastructures import MultiDict

from gateway.api.endpoint import Endpoint
from gateway.documents import csv, xlsx
from gateway.documents.answer_rows import Split, items
from gateway.documents.table import Gathered
from gateway.documents.xlsx import DoesNotFit
from gateway.http import pagination, parameters
from gateway.http.admission import Bulkhead
from gateway.http.messages import Reply, Request
from gateway.http.pagination import LONGEST_PAGE
from gateway.http.parameters import Parameter
from services.chassis.problem import FieldError, InvalidInput, Unavailable
from services.contract import KINDS, glossary

AT_ONCE = 2
PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0)  # seconds before each attempt
BEHIND = 0.1  # seconds that no answer is behind the ledger: one asked later tells whether it has moved
STANDING = ("revision", "freshness", "complete", "reasons")
IN_MEMORY = 1_000_000  # bytes of a file; a longer one is put on the disk
PIECE = 65_536

Ask = Callable[..., Mapping[str, Any]]
"""What the method answers, to the page that is named."""

Gather = Callable[[Gathered, Ask], None]
"""How an answer is read; raises `Moved`."""

log = get_logger()


class Moved(Exception):
    """What was read changed meanwhile; says how that was seen."""


@dataclass(frozen=True)
class Form:
    """A kind of file: `write` gives the digest of its data, `fits` raises where so many rows are too many for it."""

    ending: str
    content_type: str
    write: Callable[[IO[bytes], Gathered], bytes]
    fits: Callable[[int], None] = lambda _: None


def _write_docx(file: IO[bytes], gathered: Gathered) -> bytes:
    from gateway.documents import yearly_report_docx  # noqa: PLC0415 (6 MB, for those who want a report)

    return yearly_report_docx.write(file, gathered)


CSV = Form("csv", "text/csv; charset=utf-8; header=present", csv.write)
XLSX = Form("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", xlsx.write, xlsx.fits)
DOCX = Form("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", _write_docx)


@dataclass(frozen=True)
class Made:
    """A file that is there: how long it is, and the digests of its bytes and of its data."""

    file: IO[bytes]
    size: int
    digest: bytes
    data: bytes


class Exporting(SharedExtension):
    """What all exports of a gateway share: how many there may be at once, and the clock."""

    def setup(self) -> None:
        self.room = Bulkhead(AT_ONCE)
        self.clock = self.container.config["CLOCK"]


class Export(Endpoint):
    """Answers with a file that is made of what its method answers; how that is read, `gather` says."""

    shared = Exporting()

    def __init__(
        self,
        url: str,
        title: str,
        form: Form,
        gather: Gather,
        *,
        asks: Mapping[str, Parameter] | None = parameters.NOTHING,
        **declared: Any,
    ) -> None:
        self.title, self.form, self.gather, self.pages = title, form, gather, asks
        of_all = asks if asks is None else {name: one for name, one in asks.items() if name not in pagination.PAGING}
        shape = {"type": "string", "contentMediaType": form.content_type.partition(";")[0]}
        super().__init__("GET", f"{url}.{form.ending}", asks=of_all, answers={200: shape}, **declared)

    def answer(self, request: Request) -> Reply:
        if self.asks is None:
            parameters.read(
                MultiDict((name, "") for name in pagination.PAGING if name in request.args), parameters.NOTHING
            )
        try:
            with self.shared.room.place("exports"):
                gathered = self._gathered(request)
                made = tpool.execute(_make, self.form, gathered)
        except DoesNotFit as error:
            raise InvalidInput(FieldError("file", error.en, error.zh)) from None
        name = f"{_name(gathered, request)}.{self.form.ending}"
        return Reply(ByteStream(made.file), 200, _headers(gathered, made, name), self.form.content_type)

    def _gathered(self, request: Request) -> Gathered:
        """All of the answer, of one state; `Unavailable` where it did not stay the same in any attempt."""
        seen = ""
        for pause in PAUSES:
            eventlet.sleep(pause)
            found = Gathered(self.title, of=_kind(request.path_values))
            standing = self._standing(request)
            began = self.shared.clock.now().isoformat(timespec="milliseconds")
            pinned = {"as_of": began} if standing else {}
            try:
                self.gather(found, lambda **page: self._ask(request, pinned | page))  # noqa: B023 - it is asked here
            except Moved as moved:
                seen = str(moved)
                continue
            found.told = _told({**found.told, **standing, **pinned}, found.of, began, request)
            return found
        log.warning("export given up", route=self.url, seen=seen)
        raise Unavailable(
            f"The data changed all the while ({seen}): nothing is sent. Come again.",
            f"读取期间数据不断变化（{seen}），未生成文件，请稍后重试。",
        )

    def _standing(self, request: Request) -> dict[str, Any]:
        """How whole the data are now, where the question can be asked as of now and is not about another instant."""
        if "as_of" not in (self.asks or ()) or "as_of" in request.args:
            return {}
        now = self._ask(request, {"limit": 1} if "limit" in (self.pages or ()) else {})
        return {name: now[name] for name in STANDING if name in now}

    def _ask(self, request: Request, paging: Mapping[str, Any]) -> Any:
        """What the method answers to the question, or to this page of it."""
        page = copy.copy(request)
        page.args = MultiDict([*request.args.items(multi=True), *((name, str(one)) for name, one in paging.items())])
        if self.pages is not None:
            page.params = parameters.read(page.args, self.pages)
        return super().answer(page).body


def exported(url: str, title: str, split: Split = items, **declared: Any) -> Callable[..., Any]:
    """What is answered at this address also as `.csv` and `.xlsx`; `declared` as for the endpoint."""
    asks = declared.get("asks", parameters.NOTHING)
    has_pages = asks is None or "cursor" in asks

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        for form in (CSV, XLSX):
            gather = paged(split, form, of_a_service=asks is None) if has_pages else whole(split)
            method = Export.decorator(url, title, form, gather, **declared)(method)
        return method

    return declare


def document(url: str, title: str, **declared: Any) -> Callable[..., Any]:
    """What is answered here, as `.docx`."""
    return Export.decorator(url, title, DOCX, whole(lambda answer: ((), dict(answer))), **declared)


def whole(split: Split) -> Gather:
    """An answer that comes at once."""

    def gather(gathered: Gathered, ask: Ask) -> None:
        found, gathered.told = split(ask())
        gathered.rows.add(found)

    return gather


def paged(split: Split, form: Form, *, of_a_service: bool) -> Gather:
    """All pages of an answer; what it was made from must not move while they are read."""
    look = {"limit": 1, "revision": "true"} if of_a_service else {"limit": 1}

    def gather(gathered: Gathered, ask: Ask) -> None:
        before = ask(**look)
        first = answer = ask(limit=LONGEST_PAGE)
        form.fits(first["total"])
        while True:
            found, gathered.told = split(answer)
            gathered.rows.add(found)
            if answer["cursor"] is None:
                break
            answer = _like(first, ask(limit=LONGEST_PAGE, cursor=answer["cursor"]))
        eventlet.sleep(BEHIND)
        _like(before, ask(**look))
        if gathered.rows.number != first["total"]:
            raise Moved(f"{gathered.rows.number} / {first['total']}")

    return gather


def _like(first: Mapping[str, Any], answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """An answer that was made from the same as the first one; raises `Moved`."""
    for name in ("generation", "revision", "total"):
        if answer.get(name) != first.get(name):
            raise Moved(f"{name} {first.get(name)} / {answer.get(name)}")
    return answer


def _make(form: Form, gathered: Gathered) -> Made:
    with ExitStack() as opened:
        file = opened.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY))
        data = form.write(file, gathered)
        size = file.tell()
        file.seek(0)
        digest = sha256()
        for piece in iter(partial(file.read, PIECE), b""):
            digest.update(piece)
        file.seek(0)
        opened.pop_all()
    return Made(file, size, digest.digest(), data)


class ByteStream(Iterator[bytes]):
    """A file piece by piece; it is gone with the last one, or when nobody wants more."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __next__(self) -> bytes:
        piece = self._file.read(PIECE)
        if not piece:
            raise StopIteration
        return piece

    def close(self) -> None:
        self._file.close()


def _told(told: Mapping[str, Any], of: str, began: str, request: Request) -> dict[str, Any]:
    """What is told of the whole: when it was so, by which definition, and what was asked."""
    definition = {"definition": KINDS[of].dataschema} if of else {}
    question = unquote(request.full_path.rstrip("?"))
    return {"as_of": began, **definition, **told, "question": question}


def _headers(gathered: Gathered, made: Made, name: str) -> dict[str, str]:
    told = gathered.told
    facts = {
        "Kexie-As-Of": told["as_of"],
        "Kexie-Revision": told.get("revision"),
        "Kexie-Definition": told.get("definition"),
        "Kexie-Complete": json.dumps(told["complete"]) if "complete" in told else None,
        "Kexie-Rows": gathered.rows.number,
        "Kexie-Data-Digest": _digest(made.data),
    }
    ascii_name = re.sub("[^A-Za-z0-9.-]+", "", name).strip("-")
    return {
        "Content-Length": str(made.size),
        "Content-Disposition": f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}",
        "Content-Digest": _digest(made.digest),
        **{header: str(fact) for header, fact in facts.items() if fact is not None},
    }


def _digest(digest: bytes) -> str:
    """As RFC 9530 writes it."""
    return f"sha-256=:{base64.b64encode(digest).decode()}:"


def _kind(path: Mapping[str, Any]) -> str:
    """The kind of the records that an address names, where it names one."""
    names = (path.get("kind"), path.get("plural"))
    kinds = (
        kind for kind in KINDS.values() if kind.service == path.get("service") and {kind.name, kind.plural} & {*names}
    )
    return next((kind.key for kind in kinds), "")


def _name(gathered: Gathered, request: Request) -> str:
    """What the file is called: what it is, of what, and of which day."""
    said = [glossary.kind(gathered.of)] if gathered.of else []
    said += [value for name, value in request.path_values.items() if name not in ("service", "kind", "plural")]
    parts = [gathered.title, *said, gathered.told["as_of"][:10].replace("-", "")]
    return re.sub(r'[\x00-\x1f\\/:*?"<>|]+', "_", "-".join(parts))[:120]
