"""The pages for newcomers and operators do not lie: their settings, commands, addresses and files are there."""

import inspect
import re
from dataclasses import MISSING, fields

import pytest

from deploy.__main__ import kexie
from deploy.secrets.private_files import CHECKOUT
from gateway.service import Gateway
from services.chassis.settings import Settings

PAGES = ("README.md", "CONTRIBUTING.md", "deploy/README.md", "deploy/SECURITY.md")
ROW = re.compile(r"^\| `([A-Z_]+)` \| (\S+) \|", re.MULTILINE)
COMMAND = re.compile(r"\./kexie ([a-z]+)")
ADDRESS = re.compile(r"(/api/v1/[A-Za-z0-9/<>_.]*[A-Za-z0-9>])")
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")
FILE = re.compile(r"`((?:services|gateway|deploy|tests)/[A-Za-z0-9_/.]+)`")


def read(page):
    return (CHECKOUT / page).read_text()


def test_the_operators_page_has_every_setting_with_its_default():
    told = dict(ROW.findall(section("## Settings")))

    assert told == {one.name.upper(): shown(one.default) for one in fields(Settings)}


def test_the_operators_page_has_every_variable_of_the_compose_files_with_its_default():
    asked = {
        name: f"`{default}`" if default else "none"
        for file in CHECKOUT.glob("deploy/compose*.yml")
        for name, default in VARIABLE.findall(file.read_text())
    }

    assert dict(ROW.findall(section("## With containers"))) == asked


def section(heading):
    """From this heading to the next of its kind."""
    return f"\n{read('deploy/README.md')}".partition(f"\n{heading}\n")[2].partition("\n## ")[0]


def shown(default):
    if default is MISSING:
        return "-"
    return "none" if default is None else f"`{default}`"


@pytest.mark.parametrize("page", PAGES)
def test_every_command_address_and_file_that_a_page_names_is_there(page):
    text = read(page)

    assert set(COMMAND.findall(text)) <= set(kexie.commands)
    assert [address for address in ADDRESS.findall(text) if not is_served(address)] == []
    named = [file for file in FILE.findall(text) if not file.startswith(("deploy/site", "deploy/.env"))]
    assert [file for file in named if not (CHECKOUT / file).exists()] == []


def is_served(address):
    return any(re.fullmatch(pattern, address) for pattern in patterns())


def patterns():
    """What the gateway answers, with anything in the place of a variable part."""
    for _, method in inspect.getmembers(Gateway, inspect.isfunction):
        for entrypoint in getattr(method, "nameko_entrypoints", ()):
            if hasattr(entrypoint, "url"):
                yield re.sub(r"<[a-z_]+>", "[^/]+", entrypoint.url)


def test_the_operators_page_tells_every_command():
    assert set(COMMAND.findall(read("deploy/README.md"))) == set(kexie.commands)
