"""Users: the people who may log in, in which roles and for which district; known to everybody else by an opaque id."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.http.json_schema import INSTANT, TEXT, Shape, each, many, one_of, page
from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.identity.api_tokens import DISTRICT, ROLE, Token
from gateway.identity.passwords import LONGEST, Password, Passwords
from services.chassis import fields
from services.chassis.problem import Conflict, FieldError, InvalidInput, NotFound
from services.chassis.tokens import ROLES, Actor

STATES = ("active", "disabled")

Document = dict[str, Any]


class LoginName(fields.Text):
    pattern = r"[a-z0-9][a-z0-9._-]*"
    says = (
        "A login of small letters, digits and . _ - (up to {max}).",
        "登录名只能含小写字母、数字和 . _ -（至多 {max} 个）。",
    )


class Place(fields.Schema):
    """What a user may do, and where; everywhere where no district is said."""

    roles = fields.Many(fields.OneOf(*ROLES), min=1)
    district = fields.District(required=False)


class NewUser(Place):
    login = LoginName(max=50)
    password = Password()


class NewPassword(fields.Schema):
    password = Password()
    old_password = fields.Text(max=LONGEST, required=False)  # needed for one's own


USER: Shape = each(
    id=TEXT, login=TEXT, roles=many(ROLE), district=DISTRICT, state=one_of(*STATES), created_at=INSTANT,
    created_by=TEXT, changed_at=INSTANT, changed_by=TEXT,
)  # fmt: skip
USERS: Shape = page(USER)
ASKS = {"cursor": THEIR_CURSOR, "limit": LIMIT}


class Users:
    """Every method may raise what pymongo raises."""

    def __init__(self, users: Collection[Document], passwords: Passwords, now: Callable[[], datetime]) -> None:
        self._users, self._passwords, self._now = users, passwords, now

    def prepare(self) -> None:
        self._users.create_index("login", unique=True)

    def add(self, said: Mapping[str, Any], *, by: str) -> Document:
        """Raises `InvalidInput` where the login is taken, or is the password."""
        _check_differs(said["password"], said["login"])
        at = self._at()
        user = {
            "_id": f"u-{uuid.uuid4().hex[:16]}",
            "login": said["login"],
            "hash": self._passwords.hash(said["password"]),
            **_place(said),
            "state": "active",
            "created_at": at,
            "created_by": by,
            "changed_at": at,
            "changed_by": by,
        }
        try:
            self._users.insert_one(user)
        except DuplicateKeyError:
            raise InvalidInput(FieldError("login", "This login is taken.", "此登录名已被使用。")) from None
        return user

    def find(self, id_: str) -> Document | None:
        return self._users.find_one({"_id": id_})

    def get(self, id_: str) -> Document:
        user = self.find(id_)
        if user is None:
            raise NotFound(id=id_)
        return user

    def page(self, *, limit: int, cursor: str = "") -> Document:
        """By login."""
        found = list(self._users.find({"login": {"$gt": cursor}}).sort("login").limit(limit + 1))
        last = found[limit - 1]["login"] if len(found) > limit else None
        return {"items": [said(user) for user in found[:limit]], "cursor": last}

    def with_password(self, login: str, password: str) -> Document | None:
        """The active user whose they are; None takes as long, whatever was wrong."""
        user = self._users.find_one({"login": login})
        is_right = self._passwords.is_right(password, user["hash"] if user else None)
        if user is None or not is_right or not is_active(user):
            return None
        if self._passwords.is_outdated(user["hash"]):
            read, user["hash"] = user["hash"], self._passwords.hash(password)
            self._users.update_one({"_id": user["_id"], "hash": read}, {"$set": {"hash": user["hash"]}})
        return user

    def is_changed(self, user: Document) -> bool:
        """Was it disabled, or given another password, since it was read?"""
        return not self._users.find_one({"_id": user["_id"], "hash": user["hash"], "state": user["state"]})

    def move(self, id_: str, state: str, *, by: str) -> Document:
        return self._change(id_, {"state": state}, by=by)

    def place(self, id_: str, wanted: Mapping[str, Any], *, by: str) -> Document:
        """Other roles, another district: from the next request on."""
        return self._change(id_, _place(wanted), by=by)

    def set_password(self, user: Document, password: str, *, by: str) -> Document:
        """In the place of the one that was read; raises `Conflict` where somebody has set another one meanwhile."""
        _check_differs(password, user["login"])
        values = {"hash": self._passwords.hash(password)}
        changed = self._changed({"_id": user["_id"], "hash": user["hash"]}, values, by=by)
        if changed is None:
            raise Conflict(id=user["_id"])
        return changed

    def _change(self, id_: str, values: Mapping[str, Any], *, by: str) -> Document:
        user = self._changed({"_id": id_}, values, by=by)
        if user is None:
            raise NotFound(id=id_)
        return user

    def _changed(self, which: Document, values: Mapping[str, Any], *, by: str) -> Document | None:
        changed = {**values, "changed_at": self._at(), "changed_by": by}
        return self._users.find_one_and_update(which, {"$set": changed}, return_document=ReturnDocument.AFTER)

    def _at(self) -> str:
        return self._now().isoformat(timespec="milliseconds")


def is_active(user: Document) -> bool:
    return bool(user["state"] == "active")


def covers(user: Document, token: Token) -> bool:
    """May the user do all that the token may?"""
    return set(token.roles) <= set(user["roles"]) and user["district"] in (None, token.district)


def actor_of(user: Document) -> Actor:
    return Actor(user["_id"], frozenset(user["roles"]), user["district"])


def said(user: Document) -> Document:
    """What operators are told: all but the hash."""
    return {"id": user["_id"], **{name: user[name] for name in USER["properties"] if name != "id"}}


def _place(wanted: Mapping[str, Any]) -> Document:
    return {"roles": [role for role in ROLES if role in wanted["roles"]], "district": wanted["district"]}


def _check_differs(password: str, login: str) -> None:
    if password.lower() == login:
        raise InvalidInput(FieldError("password", "Not the login itself.", "密码不得与登录名相同。"))
