"""The canary of a sealing key: one sealed value beside the records, which shows whether a key is the right one.

Knows no key; without the framework, so that provisioning may use it.
"""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

CANARIES, CANARY = "seal", "canary"
"""The collection with the canary, and its id."""
ANY_KEY = "any"
"""In the place of the sealed value: the operator has given the old key up, and the next one is right."""


def accept_any_key(database: Database[Any]) -> None:
    """Give up what was sealed in this database: the next key that a service has is right."""
    database[CANARIES].replace_one({"_id": CANARY}, {"sealed": ANY_KEY}, upsert=True)
