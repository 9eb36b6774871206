"""Users: the people who may log in, with their roles and district; everybody else knows them by an opaque id."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Any

from pymongo import ReturnDocument
from pymongo.collection import Collection
from pymongo.errors import DuplicateKeyError

from gateway.http import pagination
from gateway.http.json_schema import INSTANT, TEXT, Shape, each, many, one_of, page
from gateway.http.pagination import LIMIT, THEIR_CURSOR
from gateway.identity.api_tokens import DISTRICT, ROLE, Token
from gateway.identity.passwords import LONGEST, Password, Passwords, is_common
from services.chassis import fields
from services.chassis.problem import Conflict, FieldError, InvalidInput, NotFound
from services.chassis.tokens import ROLES, Actor
from services.kernel import Lifecycle
from services.kernel.calendar import format_instant

LIFECYCLE = Lifecycle(active=("disabled",), disabled=("active",))

Document = dict[str, Any]


class LoginName(fields.Text):
    """A login: what a person types, the only name of a user that is stored."""

    pattern = r"[a-z0-9][a-z0-9._-]*"
    says = (
        "A login of small letters, digits and . _ - (up to {max}).",
        "登录名只能含小写字母、数字和 . _ -（至多 {max} 个）。",
    )


class Place(fields.Schema):
    """A user's roles and district; without a district they hold everywhere."""

    roles = fields.Many(fields.OneOf(*ROLES), min=1)
    district = fields.District(required=False)


class NewUser(Place):
    """A user to be added."""

    login = LoginName(max=50)
    password = Password()


class NewPassword(fields.Schema):
    """A new password; whoever changes their own has to give the old one too."""

    password = Password()
    old_password = fields.Verbatim(max=LONGEST, required=False)


USER: Shape = each(
    id=TEXT, login=TEXT, roles=many(ROLE), district=DISTRICT, state=one_of(*LIFECYCLE.states), created_at=INSTANT,
    created_by=TEXT, changed_at=INSTANT, changed_by=TEXT,
)  # fmt: skip
USERS: Shape = page(USER)
ASKS = {"cursor": THEIR_CURSOR, "limit": LIMIT}


@dataclass(frozen=True, kw_only=True)
class User:
    """A person who may log in while active; `hash` is the password's, instants are written as in answers."""

    id: str
    login: str
    hash: str = field(repr=False)
    roles: tuple[str, ...]
    district: str | None
    state: str = "active"
    created_at: str
    created_by: str
    changed_at: str
    changed_by: str

    @property
    def is_active(self) -> bool:
        """May the user log in?"""
        return self.state == "active"

    @property
    def actor(self) -> Actor:
        """The user as the author of commands."""
        return Actor(self.id, frozenset(self.roles), self.district)

    def covers(self, token: Token) -> bool:
        """May the user do everything that the token may?"""
        return set(token.roles) <= set(self.roles) and self.district in (None, token.district)


class Users:
    """The users of all gateways; every method may raise what pymongo raises."""

    def __init__(self, users: Collection[Document], passwords: Passwords, now: Callable[[], datetime]) -> None:
        self._users, self._passwords, self._now = users, passwords, now

    def prepare(self) -> None:
        """Create the index that lets a login be taken once only."""
        self._users.create_index("login", unique=True)

    def add(self, params: Mapping[str, Any], *, by: str) -> User:
        """Add a user; `InvalidInput` where the login is taken, or the password is easy to guess."""
        _check_is_hard_to_guess(params["password"], params["login"])

        at = format_instant(self._now())
        user = User(
            id=f"u-{uuid.uuid4().hex[:16]}",
            login=params["login"],
            hash=self._passwords.hash(params["password"]),
            roles=_in_order(params["roles"]),
            district=params["district"],
            created_at=at,
            created_by=by,
            changed_at=at,
            changed_by=by,
        )
        try:
            self._users.insert_one(write_user(user))
        except DuplicateKeyError:
            raise InvalidInput(FieldError("login", "This login is taken.", "此登录名已被使用。")) from None
        return user

    def find(self, id_: str) -> User | None:
        """The user, or None where nobody has this id."""
        document = self._users.find_one({"_id": id_})
        return read_user(document) if document else None

    def get(self, id_: str) -> User:
        """The user; `NotFound` where nobody has this id."""
        user = self.find(id_)
        if user is None:
            raise NotFound(id=id_)
        return user

    def page(self, params: Mapping[str, Any]) -> Document:
        """List users by login."""
        rows = self._users.find({"login": {"$gt": params.get("cursor", "")}}).sort("login")
        return pagination.page(
            lambda most: map(read_user, rows.limit(most)),
            limit=params.get("limit", pagination.PAGE),
            show=show_user,
            cursor=attrgetter("login"),
        )

    def find_by_login(self, login: str) -> User | None:
        """The user with this login, or None."""
        document = self._users.find_one({"login": login})
        return read_user(document) if document else None

    def authenticate(self, user: User | None, password: str) -> User | None:
        """The user, where active and with this password; None takes as long, whatever was wrong."""
        is_right = self._passwords.is_right(password, user.hash if user else None)
        if user is None or not is_right or not user.is_active:
            return None
        if self._passwords.is_outdated(user.hash):
            return self._rehash(user, password)
        return user

    def is_changed(self, user: User) -> bool:
        """Was the user disabled, or given another password, since it was read?"""
        return not self._users.find_one({"_id": user.id, "hash": user.hash, "state": user.state})

    def enable(self, id_: str, *, by: str) -> User:
        """Let the user log in again."""
        return self._change(id_, {"state": "active"}, by=by)

    def disable(self, id_: str, *, by: str) -> User:
        """Let the user log in no more."""
        return self._change(id_, {"state": "disabled"}, by=by)

    def place(self, id_: str, params: Mapping[str, Any], *, by: str) -> User:
        """Give the user other roles and another district, from the next request on."""
        return self._change(id_, {"roles": _in_order(params["roles"]), "district": params["district"]}, by=by)

    def set_password(self, user: User, password: str, *, by: str) -> User:
        """Replace the password that was read; `Conflict` where somebody else has set another one meanwhile."""
        _check_is_hard_to_guess(password, user.login)

        new_hash = {"hash": self._passwords.hash(password)}
        changed = self._update({"_id": user.id, "hash": user.hash}, new_hash, by=by)
        if changed is None:
            raise Conflict(id=user.id)
        return changed

    def _rehash(self, user: User, password: str) -> User:
        new_hash = self._passwords.hash(password)
        self._users.update_one({"_id": user.id, "hash": user.hash}, {"$set": {"hash": new_hash}})
        return replace(user, hash=new_hash)

    def _change(self, id_: str, values: Mapping[str, Any], *, by: str) -> User:
        user = self._update({"_id": id_}, values, by=by)
        if user is None:
            raise NotFound(id=id_)
        return user

    def _update(self, condition: Document, values: Mapping[str, Any], *, by: str) -> User | None:
        changed = {**values, "changed_at": format_instant(self._now()), "changed_by": by}
        document = self._users.find_one_and_update(condition, {"$set": changed}, return_document=ReturnDocument.AFTER)
        return read_user(document) if document else None


def write_user(user: User) -> Document:
    """Write a user."""
    values = asdict(user)
    return {"_id": values.pop("id"), **values, "roles": list(user.roles)}


def read_user(document: Mapping[str, Any]) -> User:
    """Read a stored user."""
    return User(
        id=document["_id"],
        login=document["login"],
        hash=document["hash"],
        roles=tuple(document["roles"]),
        district=document["district"],
        state=document["state"],
        created_at=document["created_at"],
        created_by=document["created_by"],
        changed_at=document["changed_at"],
        changed_by=document["changed_by"],
    )


def show_user(user: User) -> Document:
    """Show a user to operators: everything but the hash."""
    return {name: getattr(user, name) for name in USER["properties"]}


def _in_order(roles: Iterable[str]) -> tuple[str, ...]:
    return tuple(role for role in ROLES if role in set(roles))


def _check_is_hard_to_guess(password: str, login: str) -> None:
    if password.lower() == login:
        raise InvalidInput(FieldError("password", "Not the login itself.", "密码不得与登录名相同。"))
    if is_common(password):
        raise InvalidInput(FieldError("password", "Too common: easy to guess.", "密码过于常见，容易被猜中。"))
