"""Login throttle: too many failures in a minute are refused, at whichever gateway they happen.

Few are allowed for one login from one address, so that nobody can shut out others, and one person of an office cannot
shut out the office; more are allowed for an address, and more for a login from everywhere, to stop wider guessing. A
device that is known for the login counts for itself alone, so that whoever guesses from elsewhere does not shut it out.

An attempt counts from its beginning, so that many at once do not get round the limit, and is forgiven if it succeeds.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection

from services.chassis.problem import TooManyRequests

FAILURES = {"pair": 5, "address": 30, "login": 50, "device": 5}
WINDOW = timedelta(minutes=1)

Document = dict[str, Any]


class TooManyAttempts(TooManyRequests):
    """Raised instead of trying a password; says in how many seconds the oldest failure no longer counts."""

    title_en = "Too many failed logins; come again in a moment."
    title_zh = "登录失败次数过多，请稍后重试。"


@dataclass(frozen=True)
class LoginAttempt:
    """An attempt to log in, and the names under which it counts."""

    id: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class CountedAttempt:
    """An attempt as it counts under one name."""

    id: str
    at: datetime


class LoginThrottle:
    """Counts attempts under hashed names only: people type passwords where their login belongs."""

    def __init__(self, attempts: Collection[Document], now: Callable[[], datetime]) -> None:
        self._attempts, self._now = attempts, now

    def prepare(self) -> None:
        """Create the index by which MongoDB removes what no longer counts."""
        self._attempts.create_index("until", expireAfterSeconds=0)

    def begin(self, **names: str) -> LoginAttempt:
        """Count an attempt under each name, by the sorts in `FAILURES`; `TooManyAttempts` where one has too many."""
        id_ = uuid.uuid4().hex
        hashes: list[str] = []
        for sort, value in names.items():
            counted = self._count(_hash(sort, value), id_, FAILURES[sort])
            if all(attempt.id != id_ for attempt in counted):
                self.forgive(LoginAttempt(id_, tuple(hashes)))
                raise TooManyAttempts(seconds=self._seconds_until_free(counted))
            hashes.append(_hash(sort, value))
        return LoginAttempt(id_, tuple(hashes))

    def forgive(self, attempt: LoginAttempt) -> None:
        """Count an attempt no longer: it succeeded, or was never made."""
        forget = {"$pull": {"tries": {"id": attempt.id}}}
        self._attempts.update_many({"_id": {"$in": list(attempt.names)}}, forget)

    def _count(self, name: str, id_: str, at_most: int) -> list[CountedAttempt]:
        """The attempts of the last minute, with this one if the limit allows it."""
        now = self._now()
        is_recent = {"$gt": ["$$this.at", now - WINDOW]}
        recent = {"$filter": {"input": {"$ifNull": ["$tries", []]}, "cond": is_recent}}
        with_it = {"$concatArrays": ["$tries", [{"id": id_, "at": now}]]}
        is_allowed = {"$lt": [{"$size": "$tries"}, at_most]}
        update: list[Document] = [
            {"$set": {"tries": recent, "until": now + WINDOW}},
            {"$set": {"tries": {"$cond": [is_allowed, with_it, "$tries"]}}},
        ]
        document = self._attempts.find_one_and_update(
            {"_id": name}, update, upsert=True, return_document=ReturnDocument.AFTER
        )
        return [CountedAttempt(entry["id"], entry["at"]) for entry in document["tries"]]

    def _seconds_until_free(self, counted: list[CountedAttempt]) -> int:
        oldest = min(attempt.at for attempt in counted)
        return max(1, ceil((oldest + WINDOW - self._now()).total_seconds()))


def _hash(sort: str, value: str) -> str:
    return hashlib.sha256(f"{sort} {value}".encode()).hexdigest()
