"""Sealing in a service: restricted values are stored encrypted, with the key that opened those before.

The database without the key reveals nothing, and a value moved to another record no longer opens.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from services.chassis.mongo import Document, database
from services.chassis.problem import Overloaded
from services.chassis.provider import Provider
from services.chassis.seal import ANY_KEY, CANARIES, CANARY, Seal
from services.chassis.settings import WrongSettings

T = TypeVar("T")


class WrongKey(Overloaded):
    """The site's key is not the one with which values were sealed before; nothing was done."""

    code = "wrong_sealing_key"
    title_en = "Confidential values can be neither read nor stored: the sealing key is another one. Tell the operator."
    title_zh = "密封密钥与原先不同，保密内容暂不能读取或保存，请告知系统管理员。"


class CheckedSeal:
    """A seal that works only where its key opens what was sealed in this database before.

    A canary shows it: a value that was sealed once, and is stored with the records and backed up with them. Where there
    is none yet, as in a database of an earlier release, a sealed value of a record shows it.
    """

    def __init__(self, seal: Seal, database: Database[Document], *, of: str, field: str) -> None:
        self._seal, self._records, self._field = seal, database[of], f"state.{field}"
        self._canaries = database[CANARIES]
        self._is_right = False

    def seal(self, value: Any, *, record: str) -> str:
        """Seal a value; raises `WrongKey`."""
        self._check()
        return self._seal.seal(value, record=record)

    def open(self, sealed: str, of: type[T], *, record: str) -> T:
        """Open a value; raises `WrongKey`, and `Unsealable` for a value that was altered."""
        self._check()
        return self._seal.open(sealed, of, record=record)

    def opens(self) -> bool:
        """Return whether the key opens what was sealed before; make the canary where there is none."""
        canary = self._canaries.find_one({"_id": CANARY})
        if canary is None and not self._opens_a_record():
            return False
        if canary is None or canary["sealed"] == ANY_KEY:
            made = {"$set": {"sealed": self._seal.canary()}}
            unmade = {"_id": CANARY, "sealed": {"$in": [None, ANY_KEY]}}
            with suppress(DuplicateKeyError):  # another process made it at this moment
                self._canaries.update_one(unmade, made, upsert=True)
            canary = self._canaries.find_one({"_id": CANARY}) or {}
        return self._seal.opens_canary(canary["sealed"])

    def _check(self) -> None:
        self._is_right = self._is_right or self.opens()
        if not self._is_right:
            raise WrongKey

    def _opens_a_record(self) -> bool:
        """Return whether the key opens a sealed value of some record; True where there is none."""
        record = self._records.find_one({self._field: {"$type": "string"}}, {self._field: 1})
        if record is None:
            return True
        return self._seal.opens(record["state"][self._field.partition(".")[2]], record=record["_id"])


class SealProvider(Provider[CheckedSeal]):
    """Gives a service the seal of its site; a service that needs it does not start without a key.

    `of` and `field` name a kind of records and their field that is sealed.
    """

    def __init__(self, *, of: str, field: str) -> None:
        self._of, self._field = of, field

    def bind(self, container: Any, attr_name: str) -> Any:
        """Make the seal at once, so that a missing key ends the start; raises `WrongSettings`."""
        bound = super().bind(container, attr_name)
        key = container.config["SETTINGS"].sealing_key
        if key is None:
            raise WrongSettings(f"SEALING_KEY: {container.service_name} needs it")
        bound.key = key
        return bound

    def setup(self) -> None:
        """Find the database of the service."""
        own = database(self.container.config["SETTINGS"], self.container.service_name)
        self._seal = CheckedSeal(Seal(self.key), own, of=self._of, field=self._field)

    def provide(self) -> CheckedSeal:
        """Return the seal."""
        return self._seal
