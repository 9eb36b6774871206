"""The image holds every module that its programs import."""

import ast
import re
from pathlib import Path

import pytest

from deploy.image.service_classes import HOMES
from deploy.secrets.private_files import CHECKOUT

PROGRAMS = ("deploy.run", "deploy.provision", "deploy.backup", "deploy.restore")
OURS = ("deploy", "gateway", "services", "tests")
DOCKERFILE = (CHECKOUT / "deploy" / "Dockerfile").read_text().replace("\\\n", "")
APP = "/opt/kexie/app/"


def copied():
    """The files that the Dockerfile copies into the image, by their paths here."""
    files = set()
    for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE, re.MULTILINE):
        *sources, into = line.split()
        for source in map(Path, sources):
            inside = [source] if (CHECKOUT / source).is_file() else _files_below(source)
            files |= {file for file in inside if f"{APP}{source}".startswith(into.rstrip("/"))}
    return files


def _files_below(folder):
    return [file.relative_to(CHECKOUT) for file in (CHECKOUT / folder).rglob("*.py")]


def file_of(module):
    """The file of a module of ours; None for a name inside of one."""
    path = CHECKOUT.joinpath(*module.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.exists():
            return file.relative_to(CHECKOUT)
    return None


def imported_by(file):
    """The modules of ours that a file imports, wherever in it, and the packages around them."""
    for node in ast.walk(ast.parse((CHECKOUT / file).read_text())):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            words = name.split(".")
            if words[0] in OURS:
                yield from (".".join(words[:end]) for end in range(1, len(words) + 1))


def closure(*modules):
    """The files of these modules and of all that they import, however far away."""
    found, waiting = set(), [file_of(module) for module in modules]
    while waiting:
        file = waiting.pop()
        if file is None or file in found:
            continue
        found.add(file)
        waiting += map(file_of, imported_by(file))
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_what_a_program_of_the_image_imports_is_in_the_image(program):
    assert closure(program, "deploy") - copied() == set()


def test_what_a_service_imports_is_in_the_image():
    """`deploy.run` loads it by its name."""
    assert closure(*HOMES.values()) - copied() == set()


def test_what_is_no_part_of_the_image_would_be_noticed():
    missing = {str(file) for file in closure("deploy.cli.compose") - copied()}

    assert {"deploy/cli/compose.py", "deploy/deployment/site_files.py", "deploy/secrets/private_files.py"} <= missing
    assert "services/contract/topology.py" not in missing


def test_the_entry_point_is_one_of_its_programs():
    (command,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)

    assert command == '["python", "-m", "deploy.run"]'
