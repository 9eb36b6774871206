"""Attempts to log in: so many failures a minute are too many, whichever gateway is asked.

Few of one login from one address, so that nobody shuts others out and an office is not shut out by one of its own;
more of an address, and more of a login from everywhere, before whoever guesses more widely is stopped.

An attempt counts from its beginning, so that many at once are no way round the limit, and is forgiven if it succeeds.
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

FAILURES = {"pair": 5, "address": 30, "login": 50}
WINDOW = timedelta(minutes=1)

Document = dict[str, Any]


class TooManyAttempts(TooManyRequests):
    title_en = "Too many failed logins; come again in a moment."
    title_zh = "登录失败次数过多，请稍后重试。"


@dataclass(frozen=True)
class LoginAttempt:
    id: str
    names: tuple[str, ...]  # what it counts for


class LoginThrottle:
    """What counts is named by hashes: people type passwords where their login belongs."""

    def __init__(self, attempts: Collection[Document], now: Callable[[], datetime]) -> None:
        self._attempts, self._now = attempts, now

    def prepare(self) -> None:
        self._attempts.create_index("until", expireAfterSeconds=0)

    def begin(self, **what: str) -> LoginAttempt:
        """One that counts for all of these, each named as in `FAILURES`; raises `TooManyAttempts`."""
        id_ = uuid.uuid4().hex
        counted: list[str] = []
        for sort, value in what.items():
            name = _hash(sort, value)
            tries = self._count(name, id_, FAILURES[sort])
            if all(one["id"] != id_ for one in tries):
                self.forgive(LoginAttempt(id_, tuple(counted)))
                raise TooManyAttempts(seconds=self._until_free(tries))
            counted.append(name)
        return LoginAttempt(id_, tuple(counted))

    def forgive(self, attempt: LoginAttempt) -> None:
        """It was right, or never made."""
        forget = {"$pull": {"tries": {"id": attempt.id}}}
        self._attempts.update_many({"_id": {"$in": list(attempt.names)}}, forget)

    def _count(self, name: str, id_: str, at_most: int) -> list[Document]:
        """Those of the last minute, with this one if it fits in."""
        now = self._now()
        is_recent = {"$gt": ["$$this.at", now - WINDOW]}
        recent = {"$filter": {"input": {"$ifNull": ["$tries", []]}, "cond": is_recent}}
        with_it = {"$concatArrays": ["$tries", [{"id": id_, "at": now}]]}
        fits_in = {"$lt": [{"$size": "$tries"}, at_most]}
        update: list[Document] = [
            {"$set": {"tries": recent, "until": now + WINDOW}},
            {"$set": {"tries": {"$cond": [fits_in, with_it, "$tries"]}}},
        ]
        held = self._attempts.find_one_and_update(
            {"_id": name}, update, upsert=True, return_document=ReturnDocument.AFTER
        )
        tries: list[Document] = held["tries"]
        return tries

    def _until_free(self, tries: list[Document]) -> int:
        """Seconds until the oldest no longer counts."""
        oldest = min(one["at"] for one in tries)
        return max(1, ceil((oldest + WINDOW - self._now()).total_seconds()))


def _hash(sort: str, value: str) -> str:
    return hashlib.sha256(f"{sort} {value}".encode()).hexdigest()
