"""`kexie deploy backup` and `restore`: all five databases as they were at one instant, in one file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.backup import DATABASES
from deploy.cli import compose as containers
from deploy.cli import jobs
from deploy.cli.client import Gateway
from deploy.cli.compose import command, compose
from deploy.cli.output import console, plain
from deploy.deployment.site_files import Site
from deploy.errors import Trouble
from deploy.image.backup_archive import Manifest, check, together
from deploy.provision import HALF_RESTORED
from deploy.secrets.keys import Keys
from deploy.secrets.private_files import CHECKOUT
from services.contract.topology import HEARS, SOURCES, queues

TOKEN_HOLDS = timedelta(hours=8)  # a restore of many records takes long
PIPE = "-"
WHY = "restore"
SHOWN = 20  # lines of what failed
REMAINS = """The backup is restored, and was not compared yet. What remains, when this is mended: start everything
(`docker compose up --detach --wait`), then `./kexie rearm`, also `--heard-by` each service, `audit`, and `verify`."""
AFTERWARDS = """All of the backup is there, and nothing that happened after {point}:
- Users, their passwords and rights are those of then. Revoke again the tokens that were revoked since; those of a site
  with other secrets hold no more.
- Commands that were answered since are unknown: whoever gave them gives them again, under the same id or a new one.
- Webhooks that waited then are sent again, under the same Webhook-Id.
- Editions that were closed since are closed again.
- Systems that hear our events, or hold our records, forget what has a later `time` and read that anew: those versions
  are given again, to other facts."""

Said = dict[str, Any]


@click.command()
@click.argument("file", default=PIPE, type=click.Path(dir_okay=False))
def backup(file: str) -> None:
    """Write all five databases as they are at this instant into FILE, or to standard output; nothing is stopped."""
    if file == PIPE:
        if sys.stdout.isatty():
            raise Trouble("A backup is no text: name a file, or lead it into a program.")
        _write(sys.stdout.buffer)
        return
    path = Path(file)
    if path.exists():
        raise Trouble(f"{path} is there already; a backup overwrites nothing.")
    with _draft(path) as sheet:
        _write(sheet)
        os.fsync(sheet.fileno())
        manifest = _check(sheet)
    click.echo(
        f"{path}: {_described(manifest)}, {path.stat().st_size:,} bytes. Keep it as you keep the site's secrets."
    )


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Drop what is there, when you have said yes to it.")
@click.option("--yes", is_flag=True, help="Say yes to it here, as where the backup comes through a pipe.")
@click.option("--url", help="Where the gateway is reached, if not at the proxy of this machine.")
def restore(file: IO[bytes], replace: bool, yes: bool, url: str | None) -> None:
    """Make all five databases what a backup holds, start everything, and check it; exit code 1 when something is wrong.

    The whole backup is checked before anything is touched.
    """
    with _again_and_again(file) as backed_up:
        manifest = _check(backed_up)
        together(manifest, DATABASES)
        click.echo(f"The backup is whole: {_described(manifest)}.")
        container("deploy.provision", deps=True, accepted=(0, HALF_RESTORED))
        _ask_where_something_is(replace, yes)
        broker = _broker()
        compose("stop", *SOURCES)
        _forget_events(broker)
        container("deploy.restore", *(["--replace"] if replace else []), total=manifest.documents, stdin=backed_up)
    click.echo(AFTERWARDS.format(point=_instant(manifest)))
    try:
        compose("up", "--detach", "--wait")
        sys.exit(
            _tell_again_and_check(Gateway(url or containers.url(), _token(), trust=Site.of_the_environment().trust()))
        )
    except Trouble as trouble:
        raise Trouble(f"{trouble.message}\n{REMAINS}") from None


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner may read; it has its name when it is whole, and is gone where it did not become so."""
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as sheet:
            yield sheet
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(into: IO[bytes]) -> None:
    container("deploy.backup", stdout=into)


def _described(manifest: Manifest) -> str:
    return f"{manifest.documents:,} documents as they were at {_instant(manifest)}"


def _instant(manifest: Manifest) -> str:
    return manifest.point.astimezone().isoformat(sep=" ", timespec="seconds")


def _check(file: IO[bytes]) -> Manifest:
    """Read all of it from the beginning; then it stands there again."""
    file.seek(0)
    with Progress(TextColumn("{task.description}"), BarColumn(), **_shown()) as progress:
        progress.add_task("check", total=None)
        manifest = check(file)
    file.seek(0)
    return manifest


@contextmanager
def _again_and_again(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """A file that can be read twice: what comes through a pipe lies meanwhile in one that has no name."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(file, kept)
        yield kept


def _ask_where_something_is(replace: bool, yes: bool) -> None:
    said = container("deploy.restore", "--held")
    there = ", ".join(f"{number:,} documents in {name}" for name, number in said["held"].items() if number)
    if not there and not said["is_half_done"]:
        return
    there = there or "no document"
    if said["is_half_done"]:
        there += ", of a restore that ended in the middle"
    if not replace:
        raise Trouble(f"There are {there}. A backup is restored into an empty deployment, or with --replace.")
    if not yes:
        click.confirm(f"There are {there}. Stop the services and drop all of it?", abort=True)


def _broker() -> str:
    """The name of one node; all of them are there now, for one of several waits for the others."""
    names = sorted(name for name in compose("config", "--services").split() if name.startswith("rabbitmq"))
    compose("up", "--detach", "--wait", "--no-recreate", *names)
    return names[0]


def _forget_events(broker: str) -> None:
    """Those that our own queues hold may tell what was restored away; what is true is told again."""
    ctl = ("exec", "-T", broker, "rabbitmqctl", "--quiet")
    there = compose(*ctl, "list_queues", "--no-table-headers", "name").split()
    for queue in (one.name for one in queues() if one.name in there):
        compose(*ctl, "purge_queue", queue)


def _token() -> str:
    keys = Keys(Site.of_the_environment().private_key())
    return keys.token(subject="operator", roles=("operator",), lifetime=TOKEN_HOLDS)


def _tell_again_and_check(gateway: Gateway) -> int:
    """1 where something is not as it has to be, which is told."""
    for heard_by in (None, *HEARS):
        if _is_wrong(_job(gateway, "rearm", heard_by=heard_by)):
            return 1
    audit = _job(gateway, "audit")
    while audit["found_count"] and (again := _job(gateway, "audit"))["found_count"] < audit["found_count"]:
        audit = again  # what was told again is still on its way
    return max(jobs.tell(audit), jobs.tell(_job(gateway, "verify")))


def _job(gateway: Gateway, name: str, **said: Any) -> jobs.Job:
    """It may be at work already, as the gateway audits by itself."""
    if (running := gateway.get(name))["state"] == "running":
        jobs.follow(gateway, running)
    return jobs.follow(gateway, jobs.begin(gateway, name, why=WHY, **said))


def _is_wrong(job: jobs.Job) -> bool:
    return jobs.judge(job).code != 0 and jobs.tell(job) != 0


def container(
    module: str,
    *arguments: str,
    total: int | None = None,
    deps: bool = False,
    accepted: Sequence[int] = (0,),
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Said:
    """Run it in the image, with the secrets of `provision`, to its end; the last that it said of itself."""
    alone = () if deps else ("--no-deps",)
    words = ("run", "--rm", "-T", *alone, "--entrypoint", "python", "provision", "-m", module, *arguments)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), jobs.Rate(), TimeRemainingColumn())
    said: Said = {}
    others: list[str] = []
    with (
        Progress(*columns, **_shown()) as progress,
        subprocess.Popen(
            (*command(Site.of_the_environment().layout()), *words),
            cwd=CHECKOUT,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        bar = progress.add_task(module.rpartition(".")[2], total=total)
        for line in process.stderr or ():
            if not line.startswith("{"):
                others.append(line)
                continue
            said = json.loads(line)
            if "done" in said:
                progress.update(bar, completed=said["done"], total=total or said["total"], description=said["at"])
    if process.returncode not in accepted:
        why = said.get("trouble") or plain("".join(others[-SHOWN:]).strip())
        raise Trouble(why or f"{module} was ended with {process.returncode}.")
    return said


def _shown() -> dict[str, Any]:
    """A bar is for a screen."""
    err = console(err=True)
    return {"console": err, "transient": True, "disable": not err.is_terminal}
