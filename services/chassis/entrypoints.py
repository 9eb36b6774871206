"""The entrypoints of a service: commands and queries, and who may call them with what.

A service's method says what comes in and who may call in its decorator, `@command` or `@query`; the method itself gets
arguments that were checked.
"""

from __future__ import annotations

import hashlib
import uuid
from typing import Any

from marshmallow import Schema

from services.chassis import fields, rehearsal
from services.chassis.batch import Batch
from services.chassis.command_ids import Act, CommandIdReused, CommandIds, digest
from services.chassis.districts import require_everywhere, require_within
from services.chassis.document import Cause
from services.chassis.fields import FieldError, json_schema
from services.chassis.mongo import database
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound
from services.chassis.records import Bound, Records
from services.chassis.rpc import Method, Request
from services.chassis.tokens import BRIEF, READERS, ROLES, Actor
from services.contract.sentences import SENTENCES
from services.contract.view import Kind, View
from services.kernel import Refusal

COMMAND_IDS = uuid.UUID("6b657869-6500-4000-8000-000000000001")
"""The namespace of ids that are made for commands without one."""


class Command(Method):
    """A method that moves one record on, or refuses; the same `command_id` again returns the first outcome (X-01).

    An id that its caller gave is bound to method and input before anything is done; the same again, after a refusal, is
    judged anew. A command that `adds` a record and changes none can be given to every row of a sheet. The input of a
    `confidential` command is stored by its own service only: the gateway does not keep it while the service is away.

    `states` are those of a record to which it may be given, so that programs offer it there; the rule decides. Where
    none are named they are all states of the kind, and for a command that adds a record there are none.
    """

    def __init__(
        self,
        view: type[View],
        schema: type[Schema],
        *,
        roles: tuple[str, ...],
        adds: bool = False,
        confidential: bool = False,
        states: tuple[str, ...] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if unknown := sorted(set(roles) - set(ROLES)):
            raise ValueError(f"unknown role {', '.join(unknown)}")
        self.kind = view.kind
        self.schema = schema()
        self.roles = frozenset(roles)
        self.adds = adds
        self.states = states if states is not None else () if adds else self.kind.states
        self.confidential = confidential

    def setup(self) -> None:
        """Make the method known to the server, and know the ids that were used."""
        super().setup()
        service = self.container.service_name
        self._command_ids = CommandIds(database(self.container.config["SETTINGS"], service)["command_ids"])

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check caller and input; the context is the `Cause` that every record written from here on names."""
        actor = self._authenticate(request)
        _require(self.roles, actor)
        given = dict(arguments)
        callers_id = command_id(given.pop("command_id", None))
        cause = Cause(
            because=callers_id or _made_id(request, self.method_name),
            expected_version=expected_version(given.pop("expected_version", None)),
            actor=actor,
            at=rehearsal.arrival(request.headers, self.container.config),
        )
        request.because = cause.because
        loaded = fields.load(self.schema, given)
        return {**loaded, "by": actor.id}, {"cause": cause, "act": callers_id and self._act(cause, loaded)}

    def begin(self, context: dict[str, Any]) -> None:
        """Bind the id that the caller gave to this act; raises `CommandIdReused` where it speaks for another one."""
        if context["act"]:
            self._command_ids.bind(context["act"])

    def visible_result(self, context: dict[str, Any], result: Any) -> Any:
        """Reduce the result, for a caller who may not read records, to the fact that this one changed (A-13)."""
        if context["cause"].actor.roles.isdisjoint(READERS):
            return {name: result[name] for name in BRIEF}
        return result

    def recover(self, context: dict[str, Any], arguments: dict[str, Any], error: BaseException) -> Any:
        """Return the first outcome where today's state refuses a command that was done before (X-01)."""
        if isinstance(error, Refusal | NotFound | Conflict) and not isinstance(error, CommandIdReused):
            ids = [value for name, value in arguments.items() if name.endswith("_id") and isinstance(value, str)]
            outcome = Bound(self.records, context["cause"]).outcome(ids)
            if outcome is not None:
                return outcome
        raise error

    def describe(self) -> dict[str, Any]:
        """Describe the command for the service's `describe`."""
        key = f"{self.container.service_name}.{self.method_name}"
        return {
            "kind": self.kind.name,
            "summary": _summary(self),
            "summary_zh": SENTENCES.get(key),
            "roles": sorted(self.roles),
            "adds": self.adds,
            "from": list(self.states),
            "confidential": self.confidential,
            "input": json_schema(self.schema, of=key),
        }

    @property
    def records(self) -> Records[Any]:
        """The service's records of the kind that this command changes."""
        return records_of(self.container, self.kind)

    def _act(self, cause: Cause, loaded: dict[str, Any]) -> Act:
        method, content = self.method_name, digest(loaded)
        return Act(caller=cause.actor.id, id=cause.because, method=method, digest=content, at=cause.at)


class Query(Method):
    """A method that reads; a `public` one needs no token. The method gets the parameters as they came.

    One that is about `everywhere` refuses callers who are bound to a district.
    """

    only_answers = True

    def __init__(
        self, *, public: bool = False, roles: tuple[str, ...] = READERS, everywhere: bool = False, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.public, self.roles, self.everywhere = public, frozenset(roles), everywhere

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check who calls, unless the query is public."""
        if not self.public:
            self.check_caller(request)
        return {"params": arguments}, {}

    def check_caller(self, request: Request) -> Actor:
        """Return the caller; raises `NotAuthenticated`, and `NotAllowed` for its roles or its district."""
        actor = self._authenticate(request)
        _require(self.roles, actor)
        if self.everywhere:
            require_everywhere(actor)
        return actor

    def describe(self) -> dict[str, Any]:
        """Describe the query for the service's `describe`."""
        return {"summary": _summary(self), "public": self.public, "roles": sorted(self.roles)}


class SignedQuery(Query):
    """A query that also changes something beside the records, and notes its caller, `by`."""

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check who calls, and pass the caller's id on."""
        return {"params": arguments, "by": self.check_caller(request).id}, {}


class ConfidentialQuery(Query):
    """A query that answers more of a record than its view; the method holds its caller, `actor`, to a district."""

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check who calls, and pass the caller on."""
        return {"params": arguments, "actor": self.check_caller(request)}, {}


class DescribedQuery(Query):
    """A query of a service's own; its parameters have a schema, so that the gateway passes it on as it does commands.

    The method gets the parameters by name, and its caller as `by`. Where it tells what is confidential `about` a
    record, which its parameters name, callers who are bound to a district are told of that district's records only.
    """

    def __init__(
        self, schema: type[Schema], *, roles: tuple[str, ...], about: type[View] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(roles=roles, **kwargs)
        self.schema, self.about = schema(), about

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check caller and parameters."""
        actor, given = self.check_caller(request), fields.load(self.schema, arguments)
        if self.about and actor.district is not None:
            stored = records_of(self.container, self.about.kind).collection
            found = stored.find_one({"_id": given[f"{self.about.kind.name}_id"]}, {"state.district": 1})
            require_within(actor, found.get("state", {}) if found else {})
        return {**given, "by": actor.id}, {}

    def describe(self) -> dict[str, Any]:
        """Describe the query with its parameters."""
        of = f"{self.container.service_name}.{self.method_name}"
        return {**super().describe(), "summary_zh": SENTENCES.get(of), "input": json_schema(self.schema, of=of)}


class RowsOfCommand(Method):
    """A method about rows of a sheet, for callers who may give the command that it names."""

    def __init__(self, schema: type[Schema], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.schema = schema()

    def prepare(self, request: Request, arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Check the caller against the command's roles; the method gets the import's `Batch`."""
        actor = self._authenticate(request)
        given = fields.load(self.schema, arguments)
        command = self._command(given.pop("command"))
        _require(command.roles, actor)
        import_id = given.pop("import_id")
        cause = Cause(because=import_id, actor=actor, at=self.container.config["CLOCK"].now())
        request.because = import_id
        batch = Batch(command, command.records, import_id, cause)
        return {"batch": batch, "given": given}, {"batch": batch}

    def _command(self, name: str) -> Command:
        known = {
            known_as: method
            for known_as, method in self.server.methods.items()
            if isinstance(method, Command) and method.adds
        }
        if name not in known:
            listed = ", ".join(sorted(known))
            raise NotFound(
                f"Only a command that adds a record can be imported: {listed}.",
                f"只有新增记录的命令可批量导入：{listed}。",
                command=name,
            )
        return known[name]


command = Command.decorator
query = Query.decorator
signed_query = SignedQuery.decorator
confidential_query = ConfidentialQuery.decorator
question = DescribedQuery.decorator
rows_of_command = RowsOfCommand.decorator


class _GivenId(fields.Schema):
    command_id = fields.CommandId(required=False)


GIVEN_ID = _GivenId()


def command_id(given: Any) -> str | None:
    """Check the id that a caller gave its command, or None (X-01, X-08)."""
    checked: str | None = fields.load(GIVEN_ID, {"command_id": given})["command_id"]
    return checked


def expected_version(given: Any) -> int | None:
    """Check the version that a caller saw, or None (X-03)."""
    if given is not None and (isinstance(given, bool) or not isinstance(given, int) or given < 1):
        raise InvalidInput(
            FieldError("expected_version", "X-03: The version you saw, 1 or more.", "X-03：须为所见版本号。", "X-03")
        )
    return given


def _made_id(request: Request, method: str) -> str:
    """Make an id that stays the same when the broker delivers this very request again.

    An id that is no UUID may be a running number, which names another request tomorrow: its content belongs to it.
    """
    if not request.id:
        return str(uuid.uuid4())
    of = request.id if _is_uuid(request.id) else f"{request.id}/{hashlib.sha256(request.body).hexdigest()}"
    return str(uuid.uuid5(COMMAND_IDS, f"{method}/{of}"))


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def records_of(container: Any, kind: Kind) -> Records[Any]:
    """The service's records of this kind."""
    return next(records for records in container.dependencies if isinstance(records, Records) and records.kind is kind)


def _require(roles: frozenset[str], actor: Actor) -> None:
    if not actor.roles & roles:
        raise NotAllowed(needs="/".join(sorted(roles)), yours="/".join(sorted(actor.roles)))


def _summary(method: Method) -> str | None:
    """The docstring of the service's method."""
    return (getattr(method.container.service_cls, method.method_name).__doc__ or "").strip() or None
