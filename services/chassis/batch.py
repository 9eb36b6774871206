"""Batches: rows of a sheet, each judged as the single command is, staged, and moved to the records when all are good.

A row's command id follows from caller, the import's id and the row's number, so that repeating a step does nothing new
(X-01); a row of another content under the number of one that was written is refused.
Nothing is written among the records before somebody who saw every row good says so (X-10).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Protocol, TypeVar

import eventlet
import marshmallow
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

from services.chassis import fields, trace
from services.chassis.command_ids import CommandIdReused, digest
from services.chassis.document import Cause, entry_of, first_version, state_of
from services.chassis.mongo import DUPLICATE, Document
from services.chassis.problem import Conflict, FieldError, InvalidInput, NotAllowed, NotFound, Unavailable
from services.chassis.records import NAMESPACE, Bound, Records, derived_id
from services.chassis.staging import Key, staged_id
from services.chassis.transaction import in_one_transaction
from services.chassis.unique import is_like
from services.kernel import Change, Refusal

T = TypeVar("T")

ROWS = 500  # of one call
LAST_ROW = 99_999_999
BREATH = 20  # rows judged before other greenthreads get a turn
TRIES = 3  # at a chunk while others write the same
TWICE_EN, TWICE_ZH = "Another row of this file is the same.", "与本文件另一行重复。"
REUSED_EN = "This import has written another row of this number: give every import an id of its own."
REUSED_ZH = "本次导入已写入同一行号的其他内容，请为每次导入使用新的编号。"

Row = tuple[int, dict[str, Any]]


class Rows(fields.Input):
    """Rows of a sheet in ascending order: `[[number, {field: value}], ...]`."""

    def json_schema(self) -> dict[str, Any]:
        """A list of pairs of number and fields."""
        row = {"type": "array", "prefixItems": [{"type": "integer", "minimum": 1}, {"type": "object"}]}
        return {"type": "array", "items": row, "minItems": 1, "maxItems": ROWS}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Row]:
        if not isinstance(value, list) or not 1 <= len(value) <= ROWS or not all(map(_is_row, value)):
            raise self.wrong(f"1 to {ROWS} rows of number and fields.", f"须为 1 至 {ROWS} 行（行号与字段）。")
        numbers = [number for number, _ in value]
        if numbers != sorted(set(numbers)):
            raise self.wrong("Rows in ascending order, each once.", "行号须递增且不得重复。")
        return [(number, given) for number, given in value]


class CheckRows(fields.Schema):
    """Rows of an import that are to be checked and staged."""

    import_id = fields.CommandId()
    command = fields.Text(max=100)
    rows = Rows()


class WriteRows(fields.Schema):
    """The place in an import after which its staged rows become records."""

    import_id = fields.CommandId()
    command = fields.Text(max=100)
    after = fields.Whole(rule=None)


class ForgetRows(fields.Schema):
    """The import whose staged rows are to be removed."""

    import_id = fields.CommandId()
    command = fields.Text(max=100)


class RowCommand(Protocol):
    """The command that is given to each row."""

    method_name: str
    schema: marshmallow.Schema


class Batch:
    """Rows of an import, as one call works on them."""

    def __init__(self, command: RowCommand, records: Records[Any], import_id: str, cause: Cause) -> None:
        self._command, self._records = command, records
        whose = f"import/{cause.actor.id}/{import_id}"  # each caller has its own rows
        self._import = str(uuid.uuid5(NAMESPACE, whose))
        self._cause = self.cause = cause
        self._row = 0
        self._rows: list[int] = []
        self._staged: dict[int, Document] = {}
        self._added: dict[int, Any] = {}
        self._errors: dict[int, list[Document]] = {}
        self._digests: dict[int, bytes] = {}
        self._mentioned: dict[str, None] = {}
        self._read: dict[str, dict[str, Any]] = {}
        self._found: dict[tuple[str, str], list[tuple[str, Any]]] = {}

    def bind(self, records: Records[T]) -> Bound[T]:
        """Give the command's method the records as its row sees them."""
        return RowRecords(records, self)

    # --- what methods call -------------------------------------------------------------------------------------------

    def check(self, service: Any, rows: list[Row]) -> Document:
        """Judge these rows and stage the good ones; returns what is wrong with the others."""
        self._records.staging.prepare()
        self._rows = [number for number, _ in rows]
        self._mentioned = _ids(rows)
        self._digests = {number: digest([self._command.method_name, given]) for number, given in rows}
        done = self._done(rows)
        for turn, (number, given) in enumerate(rows, start=1):
            if number not in done:
                self._judge(service, number, given)
            elif done[number] not in (None, self._digests[number]):
                self._errors[number] = [_no(CommandIdReused.code, REUSED_EN, REUSED_ZH, {})]
            if turn % BREATH == 0:
                eventlet.sleep(0)
        self._refuse_what_is_taken(self._staged)
        self._stage(self._rows)
        return {"staged": len(self._staged), "errors": self._listed_errors()}

    def write(self, after: int) -> Document:
        """Move the next chunk of staged rows to the records, whole or not at all; a repetition does nothing new.

        The rows up to `after` are known to the caller as written, and are unstaged. `through` in the answer is the
        chunk's last row, null where nothing is left. It has errors where somebody else's write meanwhile excludes one
        of its rows: then nothing of the chunk was written.
        """
        self._records.staging.prepare()
        self._records.staging.forget(self._import, through=after)
        page = self._records.staging.page(self._import, after=after, limit=ROWS)
        left = {staged["row"]: staged for staged in page}
        for _ in range(TRIES):
            if self._insert(left.values()):
                return {"through": page[-1]["row"] if page else None, "rows": len(page), "errors": []}
            left = self._not_there(left)
            self._refuse_what_is_taken(left)
            if self._errors:
                return {"through": None, "rows": 0, "errors": self._listed_errors()}
        raise Unavailable("Others are writing the same records.", "他人正在同时写入。")

    def forget(self) -> Document:
        """Remove the rows of this import that are still staged."""
        return {"forgotten": self._records.staging.forget(self._import)}

    # --- what the records of a row call ------------------------------------------------------------------------------

    def gather(self, records: Records[Any], record: str, change: Change[Any]) -> Document:
        """Take in the one new record of the row at hand; returns its state."""
        if records is not self._records or self._row in self._staged:
            raise RuntimeError(f"{self._command.method_name} adds more than one {self._records.kind.name}")
        state = state_of(records.kind, change.record)
        self._added[self._row] = change.record
        self._staged[self._row] = {
            "_id": staged_id(self._import, self._row),
            "import": self._import,
            "row": self._row,
            "record": record,
            "named": None if record == derived_id(records.kind, self.cause.because) else record,
            "because": self.cause.because,
            "digest": self._digests[self._row],
            "happened": change.happened,
            "reason": change.reason,
            "state": state,
            "staged_at": self.cause.at,
        }
        return state

    def read(self, records: Records[T], id: str, find: Callable[[Iterable[str]], dict[str, T]]) -> T | None:  # noqa: A002
        """Find a record, read once a batch together with all others that the rows mention."""
        known = self._read.get(records.kind.name)
        if known is None:
            known = self._read[records.kind.name] = find(self._mentioned)
        if id not in known and id not in self._mentioned:
            known |= find([id])
        return known.get(id)

    def find(
        self, records: Records[T], values: Mapping[str, Any], find: Callable[[], list[tuple[str, T]]]
    ) -> list[tuple[str, T]]:
        """Find records like this, once a batch, and add those that the import's other rows add."""
        key = records.kind.name, repr(sorted(values.items()))
        if key not in self._found:
            self._found[key] = find() + self._staged_elsewhere(records, values)
        if records is not self._records:
            return self._found[key]
        added = [
            (staged["record"], self._added[row])
            for row, staged in self._staged.items()
            if is_like(staged["state"], values)
        ]
        return self._found[key] + added

    def _staged_elsewhere(self, records: Records[T], values: Mapping[str, Any]) -> list[tuple[str, T]]:
        if records is not self._records:
            return []
        others = records.staging.others(self._import, rows=self._rows, values=values)
        return [(staged["record"], records.read(staged["state"])) for staged in others]

    # --- the rows ----------------------------------------------------------------------------------------------------

    def _because(self, row: int) -> str:
        return str(uuid.uuid5(NAMESPACE, f"row/{self._import}/{row}"))

    def _judge(self, service: Any, row: int, given: Mapping[str, Any]) -> None:
        self._row, self.cause = row, replace(self._cause, because=self._because(row))
        try:
            arguments = fields.load(self._command.schema, given)
            getattr(service, self._command.method_name)(**arguments, by=self.cause.actor.id)
        except InvalidInput as invalid:
            self._errors[row] = [_wrong(error) for error in invalid.errors]
        except Refusal as refusal:
            self._refuse(row, refusal)
        except (NotFound, Conflict, NotAllowed) as problem:
            self._errors[row] = [_no(problem.code, problem.en, problem.zh, problem.involved)]
        else:
            if row not in self._staged:
                raise RuntimeError(f"{self._command.method_name} added nothing")

    def _done(self, rows: list[Row]) -> dict[int, bytes | None]:
        """The rows that this import has written before, whatever the rules would say of them now (X-01).

        Each with the digest of its content then; an earlier release has kept none.
        """
        because = {self._because(number): number for number, _ in rows}
        derived = [derived_id(self._records.kind, cause_id) for cause_id in because]
        documents = self._records.collection.find(
            {"_id": {"$in": [*derived, *self._mentioned]}, "history.because": {"$in": list(because)}},
            {"history.because": 1, "digest": 1},
        )
        caused = {entry["because"]: document.get("digest") for document in documents for entry in document["history"]}
        return {number: caused[cause_id] for cause_id, number in because.items() if cause_id in caused}

    def _refuse_what_is_taken(self, staged: Mapping[int, Document]) -> None:
        """Refuse the rows whose id another record has, or that an invariant excludes because of one."""
        kind, collection = self._records.kind, self._records.collection
        named = [document["named"] for document in staged.values() if document["named"] is not None]
        taken = {record["_id"] for record in collection.find({"_id": {"$in": named}}, {"_id": 1})} if named else set()
        for row, document in staged.items():
            if document["record"] in taken:
                involved = {"id": document["record"]}
                self._errors[row] = [_no(Conflict.code, Conflict.title_en, Conflict.title_zh, involved)]
        for unique in self._records.unique:
            values_of = {row: unique.values(document["state"]) for row, document in staged.items()}
            excluded = unique.taken(collection, set().union(*values_of.values()))
            for row, values in values_of.items():
                if values & excluded:
                    self._refuse(row, unique.refuse(kind, staged[row]["state"]))

    def _stage(self, rows: list[int]) -> None:
        good = [document for row, document in self._staged.items() if row not in self._errors]
        excluded = self._records.staging.replace(self._import, good, rows=rows)
        for row, key in excluded.items():
            self._errors[row] = [self._doubled(self._staged[row], key)]
        self._staged = {row: document for row, document in self._staged.items() if row not in self._errors}

    def _doubled(self, staged: Document, key: Key) -> Document:
        """The error of a row that excludes another row of the same file."""
        broken = [unique for unique in self._records.unique if tuple(name for name, _ in unique.key) == key]
        if not broken:
            return _no(Conflict.code, TWICE_EN, TWICE_ZH, {"id": staged["record"]})
        refusal = broken[0].refuse(self._records.kind, staged["state"])
        return _no(refusal.rule, f"{refusal.en} {TWICE_EN}", f"{refusal.zh}；{TWICE_ZH}", refusal.involved)

    # --- writing -----------------------------------------------------------------------------------------------------

    def _insert(self, staged: Iterable[Document]) -> bool:
        """Write all of them in one transaction; False where one of them cannot be written, and none was."""
        documents = [self._document(row) for row in staged]
        if not documents:
            return True
        collection = self._records.collection
        try:
            in_one_transaction(collection.database.client, partial(_insert_all, collection, documents))
        except DuplicateDocument:
            return False
        for document in documents:
            self._records.relay.notify(self._records.kind, document["_id"])
        return True

    def _document(self, staged: Document) -> Document:
        """Make the record as of now: whatever is written now was not known when its row was judged."""
        kind, cause = self._records.kind, replace(self._cause, because=staged["because"])
        view = {name: staged["state"][name] for name in kind.fields}
        first = entry_of(kind, view, cause, happened=staged["happened"], reason=staged["reason"])
        document = first_version(staged["record"], staged["state"], first, traceparent=trace.current())
        return {**document, "digest": staged["digest"]} if "digest" in staged else document

    def _not_there(self, staged: Mapping[int, Document]) -> dict[int, Document]:
        """Leave out the rows that this import has written already."""
        ids = {row_document["record"]: row_document["because"] for row_document in staged.values()}
        documents = self._records.collection.find(
            {"_id": {"$in": list(ids)}, "history.because": {"$in": list(ids.values())}}, {"history.because": 1}
        )
        ours = {
            document["_id"]
            for document in documents
            if ids[document["_id"]] in {entry["because"] for entry in document["history"]}
        }
        return {row: row_document for row, row_document in staged.items() if row_document["record"] not in ours}

    def _refuse(self, row: int, refusal: Refusal) -> None:
        self._errors[row] = [_no(refusal.rule, refusal.en, refusal.zh, refusal.involved)]

    def _listed_errors(self) -> list[Document]:
        return [{"row": row, **error} for row, errors in sorted(self._errors.items()) for error in errors]


class RowRecords(Bound[T]):
    """The records as a row sees them: read once for many rows, and additions only gathered."""

    def __init__(self, records: Records[T], batch: Batch) -> None:
        super().__init__(records, None)
        self._batch = batch

    @property
    def _caused(self) -> Cause:
        return self._batch.cause

    def add_as(self, id: str | None, decide: Callable[[str], Change[T]]) -> Document:  # noqa: A002
        """Stage the row's new record."""
        id = id or derived_id(self._kind, self._caused.because)  # noqa: A001
        change = decide(id)
        self._check_district(state := state_of(self._kind, change.record))
        self._batch.gather(self._records, id, change)
        return {"id": id, "version": 1, **{name: state[name] for name in self._kind.fields}}

    def change(self, id: str, decide: Callable[[T], Change[T] | None]) -> Document:  # noqa: A002
        """Always fails: an import changes no records."""
        raise RuntimeError("a row of a sheet adds a record and changes none")

    def get(self, id: str) -> T:  # noqa: A002
        """Return the record, or raise `NotFound`."""
        record = self._batch.read(self._records, id, self._find)
        if record is None:
            raise NotFound(kind=self._kind.name, id=id)
        return record

    def find(self, **values: Any) -> list[tuple[str, T]]:
        """Find records like this, those of the import's other rows included."""
        return self._batch.find(self._records, values, lambda: Bound.find(self, **values))

    def exists(self, **values: Any) -> bool:
        """True where a record like this exists, or another row of the import adds one."""
        return bool(self.find(**values))

    def _find(self, ids: Iterable[str]) -> dict[str, T]:
        documents = self.collection.find({"_id": {"$in": list(ids)}}, {"state": 1})
        return {document["_id"]: self._record(document) for document in documents}


class DuplicateDocument(Exception):
    """A document that cannot be written: another record has its id, or a value that only one may have."""


def _insert_all(collection: Collection[Document], documents: list[Document], session: ClientSession) -> None:
    try:
        collection.insert_many(documents, session=session)
    except BulkWriteError as error:
        if all(fault["code"] == DUPLICATE for fault in error.details["writeErrors"]):
            raise DuplicateDocument from None  # a repetition would not help
        raise


def _is_row(value: Any) -> bool:
    match value:
        case [bool(), _]:
            return False
        case [int() as number, dict()]:
            return 1 <= number <= LAST_ROW
    return False


def _ids(rows: Iterable[Row]) -> dict[str, None]:
    """Every id that the rows mention, each once."""
    values = (value for _, given in rows for name, value in given.items() if name.endswith("_id"))
    return dict.fromkeys(value for value in values if isinstance(value, str))


def _wrong(error: FieldError) -> Document:
    return {"field": error.field, "code": error.rule or InvalidInput.code, "zh": error.zh, "en": error.en}


def _no(code: str, en: str, zh: str, involved: Mapping[str, Any]) -> Document:
    """The error of a row that is not allowed, with the things involved."""
    listed = ", ".join(f"{name}={value}" for name, value in involved.items())
    return {
        "field": None,
        "code": code,
        "zh": f"{zh}（{listed}）" if listed else zh,
        "en": f"{en} ({listed})" if listed else en,
    }
