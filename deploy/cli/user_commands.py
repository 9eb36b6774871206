"""Who may what, as operators say it: `kexie user` and `kexie token`, through the gateway."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click

from deploy.cli.client import Gateway
from deploy.cli.output import console, instant, table
from deploy.errors import Trouble
from services.chassis.tokens import ROLES
from services.contract.district import DISTRICTS

Item = dict[str, Any]

PAGE = 500

roles = click.option(
    "--role", "roles", required=True, multiple=True, type=click.Choice(ROLES), help="May be given several times."
)
district = click.option(
    "--district",
    type=click.Choice(tuple(DISTRICTS)),
    help="Where it holds, as a GB/T 2260 code; everywhere if left out.",
)
login = click.argument("login")


class NoSuchUser(Trouble):
    """Nobody has this login."""


@click.group()
def user() -> None:
    """Who may log in."""


@user.command()
@login
@roles
@district
def add(login: str, roles: tuple[str, ...], district: str | None) -> None:
    """Add a user, and tell the id by which everybody else knows it.

    The password is asked for without being shown, or read from standard input.
    """
    gateway = _users()
    made = gateway.post(login=login, password=_new_password(), roles=roles, district=district)
    click.echo(f"{made['id']} may log in as {made['login']}.")


@user.command("list")
def list_users() -> None:
    """Show all of them."""
    headings = ("id", "login", "roles", "district", "state", "changed", "by")
    console().print(table(headings, map(_user, _every(_users()))))


def _user(one: Item) -> tuple[Any, ...]:
    names = ("id", "login", "roles", "district", "state", "changed_at", "changed_by")
    return tuple(_shown(name, one[name]) for name in names)


@user.command()
@login
def disable(login: str) -> None:
    """Let a user in no more: sessions end and tokens are revoked, now."""
    _move(login, "disable")


@user.command()
@login
def enable(login: str) -> None:
    """Let a user in again, with the same password."""
    _move(login, "enable")


@user.command("roles")
@login
@roles
@district
def place(login: str, roles: tuple[str, ...], district: str | None) -> None:
    """Give a user these roles and no others, from now on."""
    gateway = _users()
    done = gateway.post(_id_of(gateway, login), "roles", roles=roles, district=district)
    click.echo(f"{done['login']}: {_shown('roles', done['roles'])}.")


@user.command()
@login
def password(login: str) -> None:
    """Give a user another password; all sessions end.

    It is asked for without being shown, or read from standard input.
    """
    gateway = _users()
    id_ = _id_of(gateway, login)
    gateway.post(id_, "password", password=_new_password())
    click.echo(f"{login} has another password.")


def _move(login: str, how: str) -> None:
    gateway = _users()
    done = gateway.post(_id_of(gateway, login), how)
    click.echo(f"{done['login']} is {done['state']}.")


def _id_of(gateway: Gateway, login: str) -> str:
    for one in _every(gateway):
        if one["login"] == login:
            return str(one["id"])
    raise NoSuchUser(f"Nobody logs in as {login}; `./kexie user list` shows who does.")


def _new_password() -> str:
    """What is typed twice, or the first line where nobody is there to type."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@click.group()
def token() -> None:
    """Which systems may call."""


@token.command()
@click.option("--subject", required=True, help="Whose it is: an id, never a name.")
@roles
@district
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it holds.")
def issue(subject: str, roles: tuple[str, ...], district: str | None, days: int) -> None:
    """Print a new token, which is told this once; its id goes to standard error."""
    made = _tokens().post(subject=subject, roles=roles, district=district, days=days)
    click.echo(made["token"])
    click.echo(f"id {made['id']}, holds until the end of {made['expires_on']}", err=True)


@token.command("list")
@click.option("--subject", help="Only those of this one.")
@click.option("--revoked", is_flag=True, help="Those that hold no longer.")
def list_tokens(subject: str | None, revoked: bool) -> None:
    """Show those that hold, the longest first."""
    names = ("id", "subject_id", "roles", "district", "expires_on", "state")
    found = _every(_tokens(), subject=subject, state="revoked" if revoked else "active")
    console().print(table(names, (tuple(_shown(name, one[name]) for name in names) for one in found)))


@token.command()
@click.argument("id_", metavar="ID")
@click.option("--why", metavar="TEXT", required=True, help="Kept with it.")
def revoke(id_: str, why: str) -> None:
    """Have a token refused by every service from now on."""
    done = _tokens().post(id_, "revoke", reason=why)
    click.echo(f"{done['id']} of {done['subject_id']} is {done['state']}.")


def _users() -> Gateway:
    return Gateway.of_the_environment().at("users")


def _tokens() -> Gateway:
    return Gateway.of_the_environment().at("tokens")


def _every(gateway: Gateway, **asked: Any) -> Iterator[Item]:
    cursor = None
    while True:
        page = gateway.get(**asked, cursor=cursor, limit=PAGE)
        yield from page["items"]
        cursor = page["cursor"]
        if cursor is None:
            return


def _shown(name: str, value: Any) -> Any:
    if name == "roles":
        return ", ".join(value)
    return instant(value) if name.endswith("_at") else value
