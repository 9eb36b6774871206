"""What a service is made of: commands, listeners, and the queries that every service has.

A service is a table of contents: `@service` on the class, `Records` as attributes, one short method per command.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from marshmallow import Schema as AnySchema

from services.chassis import fields, lists, parked, parking, rehearsal, upkeep
from services.chassis.batch import Batch, CheckRows, ForgetRows, WriteRows
from services.chassis.document import Cause
from services.chassis.fields import FieldError, json_schema
from services.chassis.listener import listens
from services.chassis.mongo import database
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound
from services.chassis.records import Bound, Records
from services.chassis.revocations import RevocationsProvider
from services.chassis.rpc import Method, Request
from services.chassis.tally import Question, tally, tally_of, tally_records
from services.chassis.tokens import BRIEF, READERS, ROLES, Actor
from services.contract import gateway
from services.contract import rule as plan_rule
from services.contract.event import Event
from services.contract.view import Kind, View
from services.kernel import REFUSALS, Refusal

__all__ = ["command", "listens", "question", "service"]

C = TypeVar("C", bound=type)

STAFF = ("recorder", "verifier", "chair", "finance", "operator")
"""Who may read why something was done: a history holds reasons, and people write names into those (X-08)."""

CREATED = uuid.UUID("6b657869-6500-4000-8000-000000000001")

PAGE_OF_TALLY, LONGEST_TALLY = 1_000, 10_000  # records behind a tally that are told at once


class Tally(fields.Schema):
    """The days of a tally, both inclusive; as the records were known at an instant; of one district."""

    first = fields.Day()
    last = fields.Day()
    as_of = fields.Instant(required=False)
    district = fields.District(required=False)


class TallyRecords(Tally):
    """A page after one id, or what became of these ids."""

    after = upkeep.Position(required=False)
    limit = fields.Whole(min=1, max=LONGEST_TALLY, rule=None, required=False)
    ids = fields.Many(upkeep.Position(), min=1, max=LONGEST_TALLY, required=False)


class Command(Method):
    """A method that moves one record on, or refuses; the same `command_id` again answers the first outcome (X-01).

    One that `adds` a record and changes none can be given to every row of a sheet. What is said to one that is
    `confidential` is kept by its own service and nobody else, not even until that is back.
    """

    def __init__(
        self,
        view: type[View],
        schema: type[AnySchema],
        *,
        roles: tuple[str, ...],
        adds: bool = False,
        confidential: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if unknown := sorted(set(roles) - set(ROLES)):
            raise ValueError(f"unknown role {', '.join(unknown)}")
        self.kind = view.kind
        self.schema = schema()
        self.roles = frozenset(roles)
        self.adds = adds
        self.confidential = confidential

    def understand(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        actor = self._authenticate(request)
        _require(self.roles, actor)
        given = dict(arguments)
        cause = Cause(
            because=_command_id(given.pop("command_id", None), request, self.method_name),
            expected_version=expected_version(given.pop("expected_version", None)),
            actor=actor,
            at=rehearsal.arrival(request.headers, self.container.config),
        )
        request.because = cause.because
        return {**fields.load(self.schema, given), "by": actor.id}, {"cause": cause}

    def tell(self, context: dict[str, Any], result: Any) -> Any:
        """Who may not read records is told of this one that it was changed, and no more (A-13)."""
        if context["cause"].actor.roles.isdisjoint(READERS):
            return {name: result[name] for name in BRIEF}
        return result

    def settle(self, context: dict[str, Any], arguments: dict[str, Any], error: BaseException) -> Any:
        """A command that was done before may be refused by today's state: its first outcome is answered (X-01)."""
        if isinstance(error, Refusal | NotFound | Conflict):
            ids = [value for name, value in arguments.items() if name.endswith("_id") and isinstance(value, str)]
            done = Bound(self.records, context["cause"]).outcome(ids)
            if done is not None:
                return done
        raise error

    def describe(self) -> dict[str, Any]:
        return {
            "kind": self.kind.name,
            "summary": (getattr(self.container.service_cls, self.method_name).__doc__ or "").strip() or None,
            "roles": sorted(self.roles),
            "adds": self.adds,
            "confidential": self.confidential,
            "input": json_schema(self.schema, of=f"{self.container.service_name}.{self.method_name}"),
        }

    @property
    def records(self) -> Records[Any]:
        return next(one for one in self.container.dependencies if isinstance(one, Records) and one.kind is self.kind)


class Query(Method):
    """A method that reads; `public` ones need no token."""

    def __init__(self, *, public: bool = False, roles: tuple[str, ...] = READERS, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.public, self.roles = public, frozenset(roles)

    def understand(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        if not self.public:
            _require(self.roles, self._authenticate(request))
        return {"asked": arguments, "methods": self.server.methods}, {}

    def describe(self) -> dict[str, Any]:
        return {
            "summary": (getattr(self.container.service_cls, self.method_name).__doc__ or "").strip() or None,
            "public": self.public,
            "roles": sorted(self.roles),
        }


class SignedQuery(Query):
    """A query that also changes something beside the records, and notes who asked for it."""

    def understand(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        understood, context = super().understand(request, arguments)
        return {**understood, "by": self._authenticate(request).id}, context


class DescribedQuery(Query):
    """A query of a service's own: what it asks for is a schema, so that the gateway can pass it on as it does commands.

    The method is told who asks.
    """

    def __init__(self, schema: type[AnySchema], *, roles: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(roles=roles, **kwargs)
        self.schema = schema()

    def understand(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        actor = self._authenticate(request)
        _require(self.roles, actor)
        return {**fields.load(self.schema, arguments), "by": actor.id}, {}

    def describe(self) -> dict[str, Any]:
        of = f"{self.container.service_name}.{self.method_name}"
        return {**super().describe(), "input": json_schema(self.schema, of=of)}


class RowsOfCommand(Method):
    """A method about rows of a sheet, for those who may give the command that it names."""

    def __init__(self, schema: type[AnySchema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = schema()

    def understand(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        actor = self._authenticate(request)
        given = fields.load(self.schema, arguments)
        of = self._command(given.pop("command"))
        _require(of.roles, actor)
        import_id = command_id(given.pop("import_id")) or ""
        cause = Cause(because=import_id, actor=actor, at=self.container.config["CLOCK"].now())
        request.because = import_id
        batch = Batch(of, of.records, import_id, cause)
        return {"batch": batch, "given": given}, {"batch": batch}

    def _command(self, name: str) -> Command:
        known = {
            one: method for one, method in self.server.methods.items() if isinstance(method, Command) and method.adds
        }
        if name not in known:
            listed = ", ".join(sorted(known))
            raise NotFound(
                f"Only what adds a record can be imported: {listed}.",
                f"只有新增记录的命令可批量导入：{listed}。",
                command=name,
            )
        return known[name]


command = Command.decorator
rows_of_command = RowsOfCommand.decorator
query = Query.decorator
signed_query = SignedQuery.decorator
question = DescribedQuery.decorator


def service(cls: C) -> C:
    """Add what every service answers: get, list and history of each kind, `describe`, `tally`, `ping`, its upkeep.

    And what every service hears: which tokens hold no longer.
    """
    kinds = {name: value.kind for name, value in vars(cls).items() if isinstance(value, Records)}
    for attribute, kind in kinds.items():
        _answer(cls, f"get_{kind.name}", _get(attribute, kind))
        _answer(cls, f"list_{kind.plural}", _list(attribute, kind))
        _answer(cls, f"history_of_{kind.name}", _history(attribute, kind), roles=STAFF)
    _answer(cls, "tally", _tally(kinds))
    _answer(cls, "tally_records", _tally_records(kinds))
    _answer(cls, "describe", _describe(cls, kinds), public=True)
    _answer(cls, "ping", _ping(), public=True)
    for made, schema in ((_check_rows(), CheckRows), (_write_rows(), WriteRows), (_forget_rows(), ForgetRows)):
        setattr(cls, made.__name__, rows_of_command(schema)(made))
    for name in parked.METHODS:
        _parked(cls, name)
    for name in upkeep.METHODS:
        _answer(cls, name, _upkeep(name), roles=("operator",))
    _hear_revocations(cls)
    return cls


def _answer(
    cls: type, name: str, method: Callable[..., Any], *, public: bool = False, roles: tuple[str, ...] = READERS
) -> None:
    method.__name__ = name
    setattr(cls, name, query(public=public, roles=roles)(method))


def _hear_revocations(cls: Any) -> None:
    def note_revoked_token(self: Any, event: Event) -> None:
        self.revocations.note(event.record, last_day=event.data["expires_on"])

    cls.revocations = RevocationsProvider()
    cls.note_revoked_token = listens(gateway.Token, "revoked")(note_revoked_token)


def _parked(cls: type, name: str) -> None:
    """One of the operator's methods on what is parked."""

    def method(self: Any, asked: Mapping[str, Any], methods: Mapping[str, Method], by: str) -> Any:
        return getattr(methods[name].server.parked, name)(asked, by=by)

    method.__name__, method.__doc__ = name, getattr(parked.ParkedMessages, name).__doc__
    setattr(cls, name, signed_query(roles=("operator",))(method))


def _upkeep(name: str) -> Callable[..., Any]:
    def method(self: Any, asked: Mapping[str, Any], methods: Mapping[str, Method]) -> Any:
        return upkeep.METHODS[name](methods[name].container, asked)

    method.__doc__ = upkeep.METHODS[name].__doc__
    return method


def _check_rows() -> Callable[..., Any]:
    def check_rows(self: Any, batch: Batch, given: Mapping[str, Any]) -> Any:
        """Judge rows of an import and stage the good ones; what is wrong with the others (X-10)."""
        return batch.check(self, given["rows"])

    return check_rows


def _write_rows() -> Callable[..., Any]:
    def write_rows(self: Any, batch: Batch, given: Mapping[str, Any]) -> Any:
        """Make records of the next chunk of what is staged, all of it or nothing."""
        return batch.write(given["after"])

    return write_rows


def _forget_rows() -> Callable[..., Any]:
    def forget_rows(self: Any, batch: Batch, given: Mapping[str, Any]) -> Any:
        """Remove what is still staged of an import."""
        return batch.forget()

    return forget_rows


def _get(attribute: str, kind: Kind) -> Callable[..., Any]:
    def get(self: Any, asked: Mapping[str, Any], methods: Any) -> Any:
        """The record's view with id and version."""
        return lists.item(kind, _held(self, attribute, kind, asked, {"state": 1, "version": 1}))

    return get


def _list(attribute: str, kind: Kind) -> Callable[..., Any]:
    def list_(self: Any, asked: Mapping[str, Any], methods: Any) -> Any:
        """A page of records: `filter`, `order`, `cursor`, `limit`, `revision`."""
        _only(asked, *lists.WORDS)
        return lists.page(getattr(self, attribute).collection, kind, asked)

    return list_


def _history(attribute: str, kind: Kind) -> Callable[..., Any]:
    def history(self: Any, asked: Mapping[str, Any], methods: Any) -> Any:
        """Every version: what happened, when, by whom, because of what, why."""
        held = _held(self, attribute, kind, asked, {"history": 1})
        return {"id": held["_id"], "kind": kind.name, "versions": held["history"]}

    return history


def _tally(kinds: Mapping[str, Kind]) -> Callable[..., Any]:
    def count(self: Any, asked: Mapping[str, Any], methods: Any) -> Any:
        """Our own count by a plan rule: `rule`, the period's `first` and `last` day, `as_of`, `district`."""
        return tally(*_counted(self, kinds, asked, Tally())[:2])

    return count


def _tally_records(kinds: Mapping[str, Kind]) -> Callable[..., Any]:
    def records(self: Any, asked: Mapping[str, Any], methods: Any) -> Any:
        """The records behind a tally by id: a page `after` one, up to `limit`; or those of `ids` that there are."""
        collection, question, page = _counted(self, kinds, asked, TallyRecords())
        after, limit, ids = page["after"], page["limit"], page["ids"]
        if not ids:
            return tally_records(collection, question, after=after or "", limit=limit or PAGE_OF_TALLY)
        if after or limit:
            raise InvalidInput(FieldError("ids", "Either ids or a page is asked for.", "ids 不得与分页同时给出。"))
        return {"records": tally_of(collection, question, ids), "through": None}

    return records


def _counted(
    self: Any, kinds: Mapping[str, Kind], asked: Mapping[str, Any], schema: AnySchema
) -> tuple[Any, Question, dict[str, Any]]:
    """The records that are counted, by what question, and what else was said."""
    _only(asked, "rule", *schema.fields)
    try:
        rule = plan_rule.read(asked.get("rule"))
    except plan_rule.BrokenRule as error:
        raise InvalidInput(FieldError(".".join(["rule", *error.at]), error.says, f"规则有误：{error.says}")) from None
    attribute = next((name for name, kind in kinds.items() if kind is rule.of), None)
    if attribute is None:
        raise NotFound(f"{rule.of.key} is not ours.", f"{rule.of.key} 不属于本服务。", kind=rule.of.key)
    said = fields.load(schema, {name: value for name, value in asked.items() if name != "rule"})
    if said["district"] and "district" not in rule.of.fields:
        en, zh = f"{rule.of.key} has no district.", f"{rule.of.key} 没有辖区。"
        raise InvalidInput(FieldError("district", en, zh))
    days = {name: said[name].isoformat() for name in ("first", "last")}
    question = Question(rule=rule, as_of=said["as_of"], district=said["district"], **days)
    return getattr(self, attribute).collection, question, said


def _describe(cls: Any, kinds: Mapping[str, Kind]) -> Callable[..., Any]:
    def describe(self: Any, asked: Mapping[str, Any], methods: Mapping[str, Method]) -> Any:
        """What can be asked and done here, with JSON Schemas and roles."""
        _only(asked)
        return {
            "service": cls.name,
            "about": (cls.__doc__ or "").strip(),
            "kinds": {
                kind.name: {
                    "plural": kind.plural,
                    "about": (kind.view.__doc__ or "").strip(),
                    "states": list(kind.states),
                    "happenings": list(kind.happenings),
                    "view": kind.json_schema,
                }
                for kind in kinds.values()
            },
            "commands": {name: one.describe() for name, one in sorted(methods.items()) if isinstance(one, Command)},
            "queries": {name: one.describe() for name, one in sorted(methods.items()) if isinstance(one, Query)},
            "refusals": _refusals(cls),
        }

    return describe


def _refusals(cls: type) -> list[dict[str, str]]:
    """The rules that this service may refuse by: its own, and those that all share."""
    package = cls.__module__.rpartition(".")[0]
    ours = [one for one in REFUSALS if one.__module__.startswith((f"{package}.", "services.kernel."))]
    told = [{"rule": one.rule, "name": one.__name__, "zh": one.zh, "en": one().en} for one in ours]
    return sorted(told, key=lambda one: (one["rule"], one["name"]))


def _ping() -> Callable[..., Any]:
    def ping(self: Any, asked: Mapping[str, Any], methods: Mapping[str, Method]) -> Any:
        """Here, and how many messages wait for an operator."""
        _only(asked)
        held = database(methods["ping"].container.config["SETTINGS"], self.name)
        return {"service": self.name, "parked": parking.waiting(held)[0]}

    return ping


def _held(self: Any, attribute: str, kind: Kind, asked: Mapping[str, Any], wanted: Mapping[str, int]) -> Any:
    """The document of the record that is asked for by `id`."""
    _only(asked, "id")
    id_ = asked.get("id")
    if not isinstance(id_, str):
        raise InvalidInput(FieldError("id", "The record's id is needed.", "须给出记录编号。"))
    held = getattr(self, attribute).collection.find_one({"_id": id_}, wanted)
    if held is None:
        raise NotFound(kind=kind.name, id=id_)
    return held


def _only(asked: Mapping[str, Any], *known: str) -> None:
    if unknown := [name for name in asked if name not in known]:
        listed = ", ".join(known)
        raise InvalidInput(
            *(
                FieldError(
                    name, f"Unknown parameter; known: {listed or 'none'}.", f"未知参数；可用：{listed or '无'}。"
                )
                for name in unknown
            )
        )


def _require(roles: frozenset[str], actor: Actor) -> None:
    if not actor.roles & roles:
        raise NotAllowed(needs="/".join(sorted(roles)), yours="/".join(sorted(actor.roles)))


def _command_id(given: Any, request: Request, method: str) -> str:
    """The caller's id, or one that stays the same when the broker delivers this very request again."""
    if (said := command_id(given)) is not None:
        return said
    return str(uuid.uuid5(CREATED, f"{method}/{request.id}")) if request.id else str(uuid.uuid4())


def command_id(given: Any) -> str | None:
    """The id that a caller gave its command, or none (X-01); it can stand in an address."""
    if given is None:
        return None
    if not isinstance(given, str) or not 1 <= len(given) <= 200 or not given.isprintable() or "/" in given:
        en, zh = "X-01: A text of 1 to 200 characters, none of them /.", "X-01：须为 1 至 200 个字符，且不含 /。"
        raise InvalidInput(FieldError("command_id", en, zh, "X-01"))
    return given


def expected_version(given: Any) -> int | None:
    """The version that a caller saw, or none (X-03)."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise InvalidInput(
            FieldError("expected_version", "X-03: The version you saw, 1 or more.", "X-03：须为所见版本号。", "X-03")
        )
    return given
