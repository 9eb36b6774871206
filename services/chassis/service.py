"""A service: its own commands and listeners, and beside them what every service answers and hears.

A service is a table of contents: a subclass of `Service` with `Records` as attributes and one short method per command.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

from services.chassis import lists, parking, tally, upkeep
from services.chassis.batch import Batch, CheckRows, ForgetRows, WriteRows
from services.chassis.districts import require_within
from services.chassis.entrypoints import Command, Query, confidential_query, query, rows_of_command, signed_query
from services.chassis.field_classes import FieldClasses
from services.chassis.fields import FieldError
from services.chassis.listener import listens
from services.chassis.mongo import Document, database
from services.chassis.problem import InvalidInput, NotFound
from services.chassis.records import Records
from services.chassis.revocations import RevocationsProvider
from services.chassis.rpc import ServerProvider
from services.chassis.tokens import STAFF, Actor
from services.contract import gateway
from services.contract.event import Event
from services.contract.view import Kind
from services.kernel import REFUSALS

OPERATOR: dict[str, Any] = {"roles": ("operator",), "everywhere": True}  # what waits or is stored is of all districts

Params = Mapping[str, Any]


class Service:
    """The base of every service: records, self-description, counts, rows of a sheet, parked messages and upkeep.

    It also hears which tokens were revoked. Of each kind of its records a subclass gets `get_<kind>`, `list_<kinds>`
    and `history_of_<kind>`.
    """

    kinds: ClassVar[Mapping[str, Kind]] = {}
    """The kinds of its records, by the attribute that holds them."""

    server = ServerProvider()
    revocations = RevocationsProvider()

    def __init_subclass__(cls) -> None:
        cls.kinds = {
            attribute: value.kind
            for parent in reversed(cls.__mro__)
            for attribute, value in vars(parent).items()
            if isinstance(value, Records)
        }
        for attribute, kind in cls.kinds.items():
            _add(cls, f"get_{kind.name}", confidential_query()(_get(attribute, kind)))
            _add(cls, f"list_{kind.plural}", confidential_query()(_list(attribute)))
            _add(cls, f"history_of_{kind.name}", confidential_query(roles=STAFF)(_history(attribute, kind)))

    @query(public=True)
    def describe(self, params: Params) -> Any:
        """Describe the service: its kinds, commands, queries and refusals, with JSON Schemas and roles."""
        lists.allow(params)
        methods = sorted(self.server.methods.items())
        return {
            "service": self.server.container.service_name,
            "about": (type(self).__doc__ or "").strip(),
            "kinds": {kind.name: _describe_kind(getattr(self, at).classes) for at, kind in self.kinds.items()},
            "commands": {name: method.describe() for name, method in methods if isinstance(method, Command)},
            "queries": {name: method.describe() for name, method in methods if isinstance(method, Query)},
            "refusals": _refusals(type(self)),
        }

    @query(public=True)
    def ping(self, params: Params) -> Any:
        """Answer that the service is there, and how many events it could not take in."""
        lists.allow(params)
        container = self.server.container
        stored = database(container.config["SETTINGS"], container.service_name)
        return {"service": container.service_name, "parked": parking.waiting_events(stored, container.service_name)}

    # --- its own counts ----------------------------------------------------------------------------------------------

    @query()
    def tally(self, params: Params) -> Any:
        """Count the records by a plan rule: `rule`, `first` and `last` day of the period, `as_of`, `district`."""
        question, _ = tally.read(params, tally.Tally(), self.kinds.values())
        return tally.count(self._collection_of(question.rule.of), question)

    @query()
    def tally_records(self, params: Params) -> Any:
        """List the records behind a tally by id: up to `limit` of them `after` an id, or those of `ids` that exist."""
        question, page = tally.read(params, tally.TallyRecords(), self.kinds.values())
        return tally.list_records(self._collection_of(question.rule.of), question, page)

    # --- rows of a sheet ---------------------------------------------------------------------------------------------

    @rows_of_command(CheckRows)
    def check_rows(self, batch: Batch, given: Params) -> Any:
        """Check rows of an import and stage the good ones; returns what is wrong with the others (X-10)."""
        return batch.check(self, given["rows"])

    @rows_of_command(WriteRows)
    def write_rows(self, batch: Batch, given: Params) -> Any:
        """Make records of the next chunk of staged rows: all of it or nothing."""
        return batch.write(given["after"])

    @rows_of_command(ForgetRows)
    def forget_rows(self, batch: Batch, given: Params) -> Any:
        """Remove the rows of an import that are still staged."""
        return batch.forget()

    # --- parked messages ---------------------------------------------------------------------------------------------

    @signed_query(**OPERATOR)
    def list_parked(self, params: Params, by: str) -> Any:
        """List parked messages (dead letters), waiting or settled: `state`, `cursor`, `limit`."""
        return self.server.parked.list_parked(params, by=by)

    @signed_query(**OPERATOR)
    def show_parked(self, params: Params, by: str) -> Any:
        """Show a parked message with its body as text, its properties and its traceback."""
        return self.server.parked.show_parked(params, by=by)

    @signed_query(**OPERATOR)
    def replay_parked(self, params: Params, by: str) -> Any:
        """Handle a parked message now; a `Conflict` where that fails again, and the message stays parked."""
        return self.server.parked.replay_parked(params, by=by)

    @signed_query(**OPERATOR)
    def discard_parked(self, params: Params, by: str) -> Any:
        """Settle a parked message that need not be handled any more."""
        return self.server.parked.discard_parked(params, by=by)

    # --- upkeep ------------------------------------------------------------------------------------------------------

    @query(**OPERATOR)
    def bucket(self, params: Params) -> Any:
        """Sum up the records, versions and history entries of a range of records, to compare a copy with."""
        return upkeep.bucket(self.server.container, params)

    @query(**OPERATOR)
    def versions(self, params: Params) -> Any:
        """List version and number of history entries of each record after one id, up to another or the last one."""
        return upkeep.versions(self.server.container, params)

    @query(**OPERATOR)
    def histories(self, params: Params) -> Any:
        """List the whole histories of a page of records, each with its first flaw."""
        return upkeep.histories(self.server.container, params)

    @query(**OPERATOR)
    def rearm(self, params: Params) -> Any:
        """Publish again the versions that are newer than a copy's, or everything."""
        return upkeep.rearm(self.server.container, params)

    @query(**OPERATOR)
    def condition(self, params: Params) -> Any:
        """Show what waits here: records to be published and since when, and parked messages."""
        return upkeep.condition(self.server.container, params)

    @listens(gateway.Token, "revoked")
    def note_revoked_token(self, event: Event) -> None:
        """Refuse the token from now on."""
        self.revocations.note(event.record, last_day=event.data["expires_on"])

    def _collection_of(self, kind: Kind) -> Any:
        attribute = next(name for name, known in self.kinds.items() if known is kind)
        return getattr(self, attribute).collection


def _add(cls: type, name: str, method: Callable[..., Any]) -> None:
    method.__name__ = name
    setattr(cls, name, method)


def _get(attribute: str, kind: Kind) -> Callable[..., Any]:
    def get(self: Any, params: Params, actor: Actor) -> Any:
        """Show a record: its view with id and version, what staff may read, and on request what is `personal`."""
        given, personal = lists.asked_for_personal(params)
        reader = getattr(self, attribute).classes.reader(actor, personal=personal)
        stored = _stored(self, attribute, kind, given, {"state": 1, "version": 1})
        reader.require_within(stored["state"])
        return lists.noted(reader, reader.item(stored))

    return get


def _list(attribute: str) -> Callable[..., Any]:
    def list_(self: Any, params: Params, actor: Actor) -> Any:
        """List a page of records: `filter`, `search`, `order`, `cursor`, `limit`, `revision`, `personal`."""
        given, personal = lists.asked_for_personal(params)
        lists.allow(given, *lists.PARAMETERS)
        records = getattr(self, attribute)
        reader = records.classes.reader(actor, personal=personal)
        return lists.noted(reader, lists.page(records.collection, reader, given))

    return list_


def _history(attribute: str, kind: Kind) -> Callable[..., Any]:
    def history(self: Any, params: Params, actor: Actor) -> Any:
        """Show every version of a record: what happened, when, by whom, because of what, why.

        A version that changed what only staff read also has what that was `before`.
        """
        stored = _stored(self, attribute, kind, params, {"history": 1, "state.district": 1})
        state = stored.get("state", {})
        require_within(actor, state)
        reader = getattr(self, attribute).classes.reader(actor)
        versions = [reader.before(entry, state) for entry in stored["history"]]
        return {"id": stored["_id"], "kind": kind.name, "versions": versions}

    return history


def _stored(self: Any, attribute: str, kind: Kind, params: Params, fields: Mapping[str, int]) -> Document:
    """Return the document of the record whose `id` the params have; raises `NotFound`."""
    lists.allow(params, "id")
    id_ = params.get("id")
    if not isinstance(id_, str):
        raise InvalidInput(FieldError("id", "The record's id is needed.", "须给出记录编号。"))
    stored: Document | None = getattr(self, attribute).collection.find_one({"_id": id_}, fields)
    if stored is None:
        raise NotFound(kind=kind.name, id=id_)
    return stored


def _describe_kind(classes: FieldClasses) -> dict[str, Any]:
    kind = classes.kind
    return {
        "plural": kind.plural,
        "about": (kind.view.__doc__ or "").strip(),
        "states": list(kind.states),
        "happenings": list(kind.happenings),
        "view": kind.json_schema,
        "fields": classes.described,
    }


def _refusals(cls: type) -> list[dict[str, str]]:
    """List the rules that this service may refuse by: its own, and those that all share."""
    package = cls.__module__.rpartition(".")[0]
    prefixes = (f"{package}.", "services.kernel.")
    refusals = (refusal for refusal in REFUSALS if refusal.__module__.startswith(prefixes))
    rules: Iterable[dict[str, str]] = (
        {"rule": refusal.rule, "name": refusal.__name__, "zh": refusal.zh, "en": refusal().en} for refusal in refusals
    )
    return sorted(rules, key=lambda rule: (rule["rule"], rule["name"]))
