"""Command ids: the id that a caller gives speaks for one act of that caller (X-01).

    command_ids: {_id: <caller>/<id>, method, digest, at}

It is bound before the act, whether that is done or refused, and for ever: so two acts cannot race for it. Ids of
different callers have nothing to do with each other. An id that was used before there were bindings is bound when it
comes again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo.collection import Collection
from pymongo.errors import WriteError

from services.chassis.mongo import DUPLICATE, Document
from services.chassis.problem import Conflict
from services.contract import wire
from services.kernel.calendar import format_instant

MAJORITY = {"w": "majority", "j": True}


class CommandIdReused(Conflict):
    """X-01: the caller has used this id for something else; nothing was done."""

    code = "command_id_reused"
    title_en = "You have used this id for something else: give every command an id of its own."
    title_zh = "该编号已用于其他操作，请为每条命令使用新的编号。"


@dataclass(frozen=True, kw_only=True)
class Act:
    """The act for which a caller gives an id: a method, the digest of its content, and when it was first sent."""

    caller: str
    id: str
    method: str
    digest: bytes
    at: datetime

    def require_same(self, *, method: str, digest: bytes, at: datetime) -> None:
        """Raise `CommandIdReused` unless that is what the id was used for before."""
        if (method, digest) != (self.method, self.digest):
            raise CommandIdReused(command_id=self.id, used_for=method, used_at=format_instant(at))


class CommandIds:
    """The ids that were used, with what for."""

    def __init__(self, ids: Collection[Document]) -> None:
        self._ids = ids

    def bind(self, act: Act) -> None:
        """Bind the id to this act from now on; raises `CommandIdReused` where it is bound to another one."""
        binding: Document = {"_id": f"{act.caller}/{act.id}", "method": act.method, "digest": act.digest, "at": act.at}
        if self._is_new(binding):
            return
        bound = self._ids.find_one({"_id": binding["_id"]}) or binding
        act.require_same(method=bound["method"], digest=bound["digest"], at=bound["at"])

    def _is_new(self, binding: Document) -> bool:
        """Insert the binding unless its id is there; by a plain command, since one that retries costs a second write.

        Where the answer is lost the caller gives its command again, and finds what it has bound.
        """
        answer = self._ids.database.command("insert", self._ids.name, documents=[binding], writeConcern=MAJORITY)
        faults = answer.get("writeErrors", ())
        if any(fault["code"] != DUPLICATE for fault in faults):
            raise WriteError(faults[0]["errmsg"], faults[0]["code"], faults[0])
        return not faults


def digest(content: Any) -> bytes:
    """SHA-256 of a command's content. A null is as good as nothing there, so a later optional field changes nothing."""
    return hashlib.sha256(wire.canonical(_without_nulls(content))).digest()


def _without_nulls(value: Any) -> Any:
    match value:
        case Mapping():
            return {name: _without_nulls(item) for name, item in value.items() if item is not None}
        case list() | tuple():
            return [_without_nulls(item) for item in value]
    return value
