"""A transaction: all of it is written or nothing, and it is done again where another writer was first.

Not pymongo's `with_transaction`, which tries for two minutes and stops at nothing in between: here a batch goes back to
its listener after a quarter of a minute, and a repetition begins with the first read.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

import eventlet
from pymongo import MongoClient
from pymongo.client_session import ClientSession
from pymongo.errors import BulkWriteError, DuplicateKeyError, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from services.chassis.mongo import DUPLICATE

PATIENCE = 15.0  # seconds for which it is tried again
SOONEST, LATEST = 0.004, 0.5  # seconds between two tries, so that two writers step aside
SNAPSHOT, MAJORITY = ReadConcern("snapshot"), WriteConcern("majority", j=True)

T = TypeVar("T")


def in_one_transaction(client: MongoClient[Any], do: Callable[[ClientSession], T]) -> T:
    """Return the result of `do` after its commit; `do` may run several times and only writes with the session."""
    give_up = monotonic() + PATIENCE
    while True:
        try:
            return _once(client, do)
        except PyMongoError as error:
            if not _comes_again(error) or monotonic() > give_up:
                raise
        eventlet.sleep(random.uniform(SOONEST, LATEST))  # noqa: S311


def _once(client: MongoClient[Any], do: Callable[[ClientSession], T]) -> T:
    with client.start_session() as session, session.start_transaction(SNAPSHOT, MAJORITY):
        return do(session)


def _comes_again(error: PyMongoError) -> bool:
    """True where another writer was first, the primary moved, or nobody knows whether the commit came through."""
    if error.has_error_label("TransientTransactionError") or error.has_error_label("UnknownTransactionCommitResult"):
        return True
    if isinstance(error, BulkWriteError):
        return all(fault["code"] == DUPLICATE for fault in error.details["writeErrors"])
    return isinstance(error, DuplicateKeyError)
