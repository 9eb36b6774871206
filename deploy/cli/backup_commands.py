"""`kexie deploy backup` and `restore`: all five databases, as of one instant, in one file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import IO, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from deploy.backup import DATABASES
from deploy.cli import compose, jobs
from deploy.cli.client import Gateway
from deploy.cli.following import Rate
from deploy.cli.output import console, plain
from deploy.deployment.site_files import Site
from deploy.errors import CommandFailed
from deploy.image.backup_archive import DOCUMENTS, Manifest, check, together
from deploy.provision import HALF_RESTORED, NEW_KEY
from deploy.secrets.keys import Keys
from deploy.secrets.private_files import CHECKOUT
from services.chassis.seal import CANARIES, Seal
from services.contract.topology import HEARS, SOURCES, queues

TOKEN_LIFETIME = timedelta(hours=8)  # a restore of many records takes long
PIPE = "-"
WHY = "restore"
SHOWN = 20  # lines of a failed program's output
UNFINISHED = """The backup is restored, and not compared yet. Once this is mended: start everything
(`./kexie deploy compose up --detach --wait`), then `./kexie rearm`, also with `--heard-by` each service, `audit`, and
`verify`."""
RESTORED = """The whole backup is restored. Nothing that happened after {point} is there:
- Users, passwords and rights are those of that time. Revoke again the tokens that were revoked since; tokens of a site
  with other secrets are no longer valid.
- Commands that were answered since are unknown: their senders send them again, under the same id or a new one.
- Webhooks that waited then are sent again, under the same Webhook-Id.
- Editions that were closed since are closed again.
- Systems that hear our events or keep our records have to drop those with a later `time` and read them anew: their
  versions are given again, to other facts."""

Line = dict[str, Any]
"""The last JSON line of a program in the image."""


@click.command()
@click.argument("file", default=PIPE, type=click.Path(dir_okay=False))
def backup(file: str) -> None:
    """Back up all five databases, as of this instant.

    Into FILE or to standard output; nothing is stopped.
    """
    if file == PIPE:
        if sys.stdout.isatty():
            raise CommandFailed("A backup is no text: name a file, or pipe it into a program.")
        _write(sys.stdout.buffer)
        return
    path = Path(file)
    if path.exists():
        raise CommandFailed(f"{path} exists already; a backup overwrites nothing.")
    with _draft(path) as file_:
        _write(file_)
        os.fsync(file_.fileno())
        manifest = _check(file_)
    click.echo(
        f"{path}: {_described(manifest)}, {path.stat().st_size:,} bytes. Keep it as you keep the site's secrets."
    )


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--replace", is_flag=True, help="Drop the documents that exist, after a question.")
@click.option("--yes", is_flag=True, help="Answer that question here, for a backup through a pipe.")
@click.option("--without-key", is_flag=True, help="Give up what was sealed with a key that is lost for good.")
@click.option("--url", help="Where the gateway is reached, if not at the proxy of this machine.")
def restore(file: IO[bytes], replace: bool, yes: bool, without_key: bool, url: str | None) -> None:
    """Restore a backup of all five databases, and check it.

    The whole file is checked before anything is touched. Then everything is started; exit code 1 where a check fails.
    """
    with _seekable(file) as backed_up:
        canaries: list[str] = []
        manifest = _check(backed_up, partial(_keep_canary, canaries))
        together(manifest, DATABASES)
        if not without_key:
            _require_key(canaries)
        click.echo(f"The backup is whole: {_described(manifest)}.")
        run_in_image("deploy.provision", deps=True, accepted=(0, HALF_RESTORED))
        _confirm_replacement(replace, yes)
        broker = _start_brokers()
        compose.run("stop", *SOURCES)
        _purge_queues(broker)
        run_in_image("deploy.restore", *(["--replace"] if replace else []), total=manifest.documents, stdin=backed_up)
        if without_key:
            run_in_image("deploy.provision", NEW_KEY)
    click.echo(RESTORED.format(point=_instant(manifest)))
    try:
        compose.run("up", "--detach", "--wait")
        gateway = Gateway(url or compose.url(), _token(), trust=Site.of_the_environment().trust())
        sys.exit(_rearm_and_check(gateway))
    except CommandFailed as failure:
        raise CommandFailed(f"{failure.message}\n{UNFINISHED}") from None


@contextmanager
def _draft(path: Path) -> Iterator[IO[bytes]]:
    """A file that only its owner may read; it gets its name when it is whole, and is deleted after an error."""
    draft = path.with_name(f"{path.name}.part")
    draft.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            yield file
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)


def _write(into: IO[bytes]) -> None:
    run_in_image("deploy.backup", stdout=into)


def _described(manifest: Manifest) -> str:
    return f"{manifest.documents:,} documents as they were at {_instant(manifest)}"


def _instant(manifest: Manifest) -> str:
    return manifest.point.astimezone().isoformat(sep=" ", timespec="seconds")


def _keep_canary(canaries: list[str], name: str, document: Any) -> None:
    if name == f"{DATABASES[0]}/{CANARIES}{DOCUMENTS}":
        canaries.append(document["sealed"])


def _require_key(canaries: Iterable[str]) -> None:
    """Fail where the site's key does not open what is sealed in a backup."""
    file = Site.of_the_environment().folder / "sealing_key"
    seal = Seal(b64decode(file.read_text())) if file.exists() else None
    if not all(seal and seal.opens_canary(canary) for canary in canaries):
        raise CommandFailed(
            f"{file} is not the key with which this backup's names were sealed: put the old one there first, or, where "
            "it is lost for good, restore `--without-key`. Nothing was changed."
        )


def _check(file: IO[bytes], look: Callable[[str, Any], object] = lambda *_: None) -> Manifest:
    """Check a whole backup, and rewind it; `look` is given each document with the name of its file."""
    file.seek(0)
    with Progress(TextColumn("{task.description}"), BarColumn(), **_shown()) as progress:
        progress.add_task("check", total=None)
        manifest = check(file, look)
    file.seek(0)
    return manifest


@contextmanager
def _seekable(file: IO[bytes]) -> Iterator[IO[bytes]]:
    """A file that can be read twice; a pipe is copied into a temporary one."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        yield copy


def _confirm_replacement(replace: bool, yes: bool) -> None:
    """Fail or ask where the databases are not empty."""
    report = run_in_image("deploy.restore", "--held")
    existing = ", ".join(f"{number:,} documents in {name}" for name, number in report["held"].items() if number)
    if not existing and not report["is_half_done"]:
        return
    existing = existing or "no documents"
    if report["is_half_done"]:
        existing += ", of a restore that ended in the middle"
    if not replace:
        raise CommandFailed(f"There are {existing}. A backup is restored into an empty deployment, or with --replace.")
    if not yes:
        click.confirm(f"There are {existing}. Stop the services and drop all of it?", abort=True)


def _start_brokers() -> str:
    """Start all nodes, since one of a cluster waits for the others; return the name of the first."""
    names = sorted(name for name in compose.run("config", "--services").split() if name.startswith("rabbitmq"))
    compose.run("up", "--detach", "--wait", "--no-recreate", *names)
    return names[0]


def _purge_queues(broker: str) -> None:
    """Drop events in our own queues: they may be of versions that the restore removes. Current ones are sent again."""
    ctl = ("exec", "-T", broker, "rabbitmqctl", "--quiet")
    existing = compose.run(*ctl, "list_queues", "--no-table-headers", "name").split()
    for queue in queues():
        if queue.name in existing:
            compose.run(*ctl, "purge_queue", queue.name)


def _token() -> str:
    keys = Keys(Site.of_the_environment().private_key())
    return keys.token(subject="operator", roles=("operator",), lifetime=TOKEN_LIFETIME)


def _rearm_and_check(gateway: Gateway) -> int:
    """Have everything sent again that may be missing, then compare; return 1 where a job finds something."""
    for heard_by in (None, *HEARS):
        if _is_wrong(_job(gateway, "rearm", heard_by=heard_by)):
            return 1
    audit = _job(gateway, "audit")
    while audit["found_count"] and (again := _job(gateway, "audit"))["found_count"] < audit["found_count"]:
        audit = again  # events are still on their way
    return max(jobs.show(audit), jobs.show(_job(gateway, "verify")))


def _job(gateway: Gateway, name: str, **body: Any) -> jobs.Job:
    """Run a job to its end, after one of that name that is at work: the gateway audits by itself, too."""
    if (running := gateway.get(name))["state"] == "running":
        jobs.follow(gateway, running)
    return jobs.follow(gateway, jobs.begin(gateway, name, why=WHY, **body))


def _is_wrong(job: jobs.Job) -> bool:
    return jobs.judge(job).code != 0 and jobs.show(job) != 0


def run_in_image(
    module: str,
    *arguments: str,
    total: int | None = None,
    deps: bool = False,
    accepted: Sequence[int] = (0,),
    stdin: IO[bytes] | int = subprocess.DEVNULL,
    stdout: IO[bytes] | int = subprocess.DEVNULL,
) -> Line:
    """Run a module in the image, with the secrets of `provision`, and return its last JSON line.

    Raises `CommandFailed` with the program's own reason where its exit code is not accepted.
    """
    alone = () if deps else ("--no-deps",)
    words = ("run", "--rm", "-T", *alone, "--entrypoint", "python", "provision", "-m", module, *arguments)
    command = (*compose.command(Site.of_the_environment()), *words)
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, text=True
    ) as process:
        last, output = _show_progress(module, process.stderr or (), total)
    if process.returncode not in accepted:
        why = last.get("trouble") or plain("".join(output[-SHOWN:]).strip())
        raise CommandFailed(why or f"{module} was ended with {process.returncode}.")
    return last


def _show_progress(module: str, lines: Iterable[str], total: int | None) -> tuple[Line, list[str]]:
    """Show the progress lines of a program; return its last JSON line, and all lines that are no JSON."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    last: Line = {}
    output: list[str] = []
    with Progress(*columns, **_shown()) as progress:
        bar = progress.add_task(module.rpartition(".")[2], total=total)
        for line in lines:
            if not line.startswith("{"):
                output.append(line)
                continue
            last = json.loads(line)
            if "done" in last:
                progress.update(bar, completed=last["done"], total=total or last["total"], description=last["at"])
    return last, output


def _shown() -> dict[str, Any]:
    """Options of a progress bar, which is shown on a terminal only."""
    err = console(err=True)
    return {"console": err, "transient": True, "disable": not err.is_terminal}
