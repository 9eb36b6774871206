"""The import contracts of pyproject.toml, kept by an empty tree of this layout and broken on purpose."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.home import CHECKOUT

SERVICES = ("awards", "outreach", "rural", "members")
MODULES = (
    *("deploy.local.up", "services.contract.view", "services.kernel.change", "services.chassis.records"),
    *(
        f"services.{service}.{name}"
        for service in SERVICES
        for name in ("domain.record", "schemas", "store", "service")
    ),
    *(
        ".".join(file.relative_to(CHECKOUT).with_suffix("").parts)
        for file in sorted((CHECKOUT / "gateway").glob("**/[!_]*.py"))
    ),
)

ALLOWED = (
    ("services.awards.service", "services.awards.store"),
    ("services.awards.store", "pymongo"),
    ("services.awards.store", "services.chassis.records"),
    ("services.awards.domain.record", "services.kernel.change"),
    ("services.chassis.records", "services.kernel.change"),
    ("services.kernel.change", "services.contract.view"),
    ("services.contract.view", "msgspec"),
    ("gateway.service", "gateway.store"),
    ("gateway.ledger", "gateway.plan"),
    ("gateway.plan", "services.contract.view"),
    ("deploy.local.up", "gateway.service"),
)

FORBIDDEN = (
    ("services.awards.service", "services.outreach.domain.record"),
    ("services.rural.store", "gateway.plan"),
    ("services.rural.service", "deploy.local.up"),
    ("gateway.service", "services.members.domain.record"),
    ("services.chassis.records", "services.awards.service"),
    ("services.kernel.change", "services.chassis.records"),
    ("services.contract.view", "services.kernel.change"),
    ("services.members.domain.record", "services.members.store"),
    ("services.members.store", "services.members.service"),
    ("services.members.schemas", "services.members.store"),
    ("gateway.plan", "gateway.store"),
    ("gateway.store", "gateway.service"),
    ("services.rural.domain.record", "services.chassis.records"),
    ("services.outreach.domain.record", "nameko"),
    ("services.kernel.change", "pymongo"),
    ("services.contract.view", "werkzeug"),
    ("gateway.periods", "eventlet"),
    ("gateway.measures", "bson"),
    ("gateway.ledger", "kombu"),
    ("gateway.files.table", "services.chassis.records"),
    ("gateway.report", "services.chassis.records"),
    ("gateway.sheets.rows", "services.chassis.records"),
    ("gateway.sheets.rows", "gateway.store"),
)


@pytest.fixture
def tree(tmp_path):
    for module in MODULES:
        file = tmp_path.joinpath(*module.split(".")).with_suffix(".py")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
        for folder in list(file.relative_to(tmp_path).parents)[:-1]:
            (tmp_path / folder / "__init__.py").touch()
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(tree, imports):
    for importer, imported in imports:
        with tree.joinpath(*importer.split(".")).with_suffix(".py").open("a") as module:
            module.write(f"import {imported}\n")


def lint(tree):
    command = (Path(sys.executable).parent / "lint-imports", "--no-cache")
    return subprocess.run(command, cwd=tree, env={"PYTHONPATH": str(tree)}, capture_output=True, text=True, check=False)


def test_the_arrows_of_the_architecture_are_kept(tree):
    plant(tree, ALLOWED)

    linted = lint(tree)
    assert linted.returncode == 0, linted.stdout


def test_every_arrow_against_the_architecture_is_reported(tree):
    plant(tree, FORBIDDEN)

    linted = lint(tree)
    assert linted.returncode == 1
    assert [pair for pair in FORBIDDEN if " -> ".join(pair) not in linted.stdout] == []
