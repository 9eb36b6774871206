"""MongoDB as we use it: one client per process, majority and journaled, and which errors pass by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import eventlet
import pymongo
from bson import Int64
from bson.codec_options import TypeDecoder, TypeRegistry
from eventlet.semaphore import Semaphore
from pymongo.database import Database
from pymongo.errors import (
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
)
from structlog import get_logger

from services.chassis.settings import Settings
from services.kernel.calendar import SHANGHAI

Document = dict[str, Any]
T = TypeVar("T")

log = get_logger()

PASSING = {
    6, 7, 89, 91, 112, 189, 246, 262, 9001, 10107, 11600, 11602, 13388, 13435, 13436,
}  # fmt: skip
"""Server codes of errors that pass by themselves: no primary, stepping down, network, conflict, time-out."""

DUPLICATE = 11000
"""The server's code for a key that is there already."""


class IntDecoder(TypeDecoder):
    """Reads a number beyond 2^31 as an `int`; pymongo's own class for it cannot be written as JSON."""

    bson_type = Int64

    def transform_bson(self, value: int) -> int:
        """Make it an `int`."""
        return int(value)


_clients: dict[str, pymongo.MongoClient[Document]] = {}
_one_at_a_time = Semaphore(1)


def client(uri: str) -> pymongo.MongoClient[Document]:
    """Return the process's client: it reads what a majority has, writes to a majority and its journals.

    Instants come back aware, in Shanghai's time; `SystemClock` gives them as MongoDB keeps them, to the millisecond.
    """
    with _one_at_a_time:
        if uri not in _clients:
            _clients[uri] = pymongo.MongoClient(
                uri,
                w="majority",
                journal=True,
                readConcernLevel="majority",
                type_registry=TypeRegistry([IntDecoder()]),
                tz_aware=True,
                tzinfo=SHANGHAI,
                serverSelectionTimeoutMS=5_000,
                connectTimeoutMS=3_000,
                socketTimeoutMS=20_000,
                maxPoolSize=100,
            )
        return _clients[uri]


def database(settings: Settings, service: str) -> Database[Document]:
    """Return a service's own database."""
    return client(settings.mongo_uri)[settings.database(service)]


def is_passing(error: BaseException) -> bool:
    """True for "not now" rather than "never"; on a write it means that the outcome is unknown."""
    if isinstance(error, ConnectionFailure | ExecutionTimeout | WriteConcernError):
        return True
    if isinstance(error, OperationFailure) and error.code in PASSING:
        return True
    return isinstance(error, PyMongoError) and (
        error.has_error_label("TransientTransactionError") or error.has_error_label("RetryableWriteError")
    )


def patiently(do: Callable[[], T]) -> T:
    """Do it as soon as the database allows: a process may start before its database."""
    delay = 0.2
    while True:
        try:
            return do()
        except PyMongoError as error:
            if not is_passing(error):
                raise
            log.warning("waiting for MongoDB", error=type(error).__name__)
            eventlet.sleep(delay)
            delay = min(delay * 2, 5.0)
