"""`kexie user` and `kexie token`: people who may log in, and systems that may call, through the gateway."""

from __future__ import annotations

import sys
from typing import Any

import click

from deploy.cli.client import Gateway
from deploy.cli.output import console, instant, table
from deploy.errors import CommandFailed
from services.chassis.tokens import ROLES
from services.contract.district import DISTRICTS

Item = dict[str, Any]

PAGE = 500

roles = click.option("--role", "roles", required=True, multiple=True, type=click.Choice(ROLES), help="May be repeated.")
district = click.option(
    "--district",
    type=click.Choice(tuple(DISTRICTS)),
    help="Where the roles hold: a GB/T 2260 code; everywhere if left out.",
)
login = click.argument("login")


class NoSuchUser(CommandFailed):
    """A login that no user has."""


@click.group()
def user() -> None:
    """Add, list and change the users who may log in."""


@user.command()
@login
@roles
@district
def add(login: str, roles: tuple[str, ...], district: str | None) -> None:
    """Add a user, and print the id.

    The password is asked for without being shown, or read from standard input.
    """
    user = _users().post(login=login, password=_new_password(), roles=roles, district=district)
    click.echo(f"{user['id']} may log in as {user['login']}.")


@user.command("list")
def list_users() -> None:
    """List all users."""
    headings = ("id", "login", "roles", "district", "state", "changed", "by")
    console().print(table(headings, map(_user, _users().every(limit=PAGE))))


def _user(item: Item) -> tuple[Any, ...]:
    names = ("id", "login", "roles", "district", "state", "changed_at", "changed_by")
    return tuple(_shown(name, item[name]) for name in names)


@user.command()
@login
def disable(login: str) -> None:
    """Lock a user out, at once.

    Sessions end and tokens are revoked.
    """
    _set_state(login, "disable")


@user.command()
@login
def enable(login: str) -> None:
    """Let a user in again, with the same password."""
    _set_state(login, "enable")


@user.command("roles")
@login
@roles
@district
def set_roles(login: str, roles: tuple[str, ...], district: str | None) -> None:
    """Give a user exactly these roles."""
    gateway = _users()
    user = gateway.post(_id_of(gateway, login), "roles", roles=roles, district=district)
    click.echo(f"{user['login']}: {_shown('roles', user['roles'])}.")


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


def _set_state(login: str, how: str) -> None:
    gateway = _users()
    user = gateway.post(_id_of(gateway, login), how)
    click.echo(f"{user['login']} is {user['state']}.")


def _id_of(gateway: Gateway, login: str) -> str:
    for item in gateway.every(limit=PAGE):
        if item["login"] == login:
            return str(item["id"])
    raise NoSuchUser(f"Nobody logs in as {login}; `./kexie user list` shows who does.")


def _new_password() -> str:
    """A password typed twice, or the first line of standard input where that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))
    return sys.stdin.readline().rstrip("\r\n")


@click.group()
def token() -> None:
    """Issue, list and revoke the tokens of systems that may call."""


@token.command()
@click.option("--subject", required=True, help="The id of its owner, never a name.")
@roles
@district
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is valid.")
def issue(subject: str, roles: tuple[str, ...], district: str | None, days: int) -> None:
    """Print a new token, which is shown this once.

    Its id goes to standard error.
    """
    issued = _tokens().post(subject=subject, roles=roles, district=district, days=days)
    click.echo(issued["token"])
    click.echo(f"id {issued['id']}, valid until the end of {issued['expires_on']}", err=True)


@token.command("list")
@click.option("--subject", help="Only tokens of this subject.")
@click.option("--revoked", is_flag=True, help="Tokens that were revoked, in place of valid ones.")
def list_tokens(subject: str | None, revoked: bool) -> None:
    """List valid tokens, those that last longest first."""
    names = ("id", "subject_id", "roles", "district", "expires_on", "state")
    state = "revoked" if revoked else "active"
    items = _tokens().every(subject=subject, state=state, limit=PAGE)
    console().print(table(names, (tuple(_shown(name, item[name]) for name in names) for item in items)))


@token.command()
@click.argument("id_", metavar="ID")
@click.option("--why", metavar="TEXT", required=True, help="The reason, which is kept.")
def revoke(id_: str, why: str) -> None:
    """Have every service refuse a token from now on."""
    revoked = _tokens().post(id_, "revoke", reason=why)
    click.echo(f"{revoked['id']} of {revoked['subject_id']} is {revoked['state']}.")


def _users() -> Gateway:
    return Gateway.of_the_environment().at("users")


def _tokens() -> Gateway:
    return Gateway.of_the_environment().at("tokens")


def _shown(name: str, value: Any) -> Any:
    if name == "roles":
        return ", ".join(value)
    return instant(value) if name.endswith("_at") else value
