"""The import contracts of pyproject.toml, kept by an empty tree of this layout and broken on purpose."""

import shutil
import subprocess
import sys
from itertools import pairwise, permutations
from pathlib import Path

import pytest

from deploy.secrets.private_files import CHECKOUT

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
        for root in ("gateway", "deploy", "tests/bench", "tests/chaos", "tests/containers")
        for file in sorted((CHECKOUT / root).glob("**/*.py"))
        if file.name != "__init__.py"
    ),
    *(
        f"{folder.parent.name}.{folder.name}.planted"
        for root in ("gateway", "deploy")
        for folder in sorted((CHECKOUT / root).iterdir())
        if (folder / "__init__.py").exists()
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
    ("gateway.service", "gateway.read_model.store"),
    ("gateway.kpi.ledger", "gateway.plans.model"),
    ("gateway.plans.model", "services.contract.view"),
    ("gateway.notifications.alerts", "pymongo"),
    ("deploy.local.up", "gateway.service"),
    ("tests.chaos.campaign", "deploy.local.up"),
    ("tests.chaos.faults.fault", "tests.chaos.world.world"),
)

LAYERS_OF_THE_GATEWAY = (
    ("service",),
    ("endpoints",),
    ("api", "operations"),
    ("public", "reconciliation", "notifications"),
    ("reporting", "imports"),
    ("read_model", "upstream"),
    ("kpi", "identity", "pages"),
    ("http", "plans", "documents"),
)
"""As pyproject.toml has them, from the top down; the console will be one more."""

UPWARDS = tuple(
    (f"gateway.{lower}.planted", f"gateway.{upper}.planted" if upper != "service" else "gateway.service")
    for uppers, lowers in pairwise(LAYERS_OF_THE_GATEWAY)
    for upper in uppers
    for lower in lowers
)
ASIDE = tuple(
    (f"gateway.{importer}.planted", f"gateway.{imported}.planted")
    for layer in LAYERS_OF_THE_GATEWAY
    for importer, imported in permutations(layer, 2)
)

FORBIDDEN = (
    ("services.awards.service", "services.outreach.domain.record"),
    ("services.rural.store", "gateway.plans.model"),
    ("services.rural.service", "deploy.local.up"),
    ("gateway.service", "services.members.domain.record"),
    ("services.chassis.records", "services.awards.service"),
    ("services.kernel.change", "services.chassis.records"),
    ("services.contract.view", "services.kernel.change"),
    ("services.members.domain.record", "services.members.store"),
    ("services.members.store", "services.members.service"),
    ("services.members.schemas", "services.members.store"),
    ("services.rural.domain.record", "services.chassis.records"),
    ("services.outreach.domain.record", "nameko"),
    ("services.kernel.change", "pymongo"),
    ("services.contract.view", "werkzeug"),
    ("gateway.plans.periods", "eventlet"),
    ("gateway.kpi.measures", "bson"),
    ("gateway.kpi.ledger", "kombu"),
    ("gateway.documents.table", "services.chassis.records"),
    ("gateway.kpi.answers", "services.chassis.records"),
    ("gateway.imports.sheets.rows", "services.chassis.records"),
    ("gateway.reconciliation.record_pairs", "pymongo"),
    ("gateway.notifications.status_changes", "nameko"),
    ("gateway.notifications.kpi_snapshot", "services.chassis.records"),
    ("deploy.secrets.planted", "deploy.local.planted"),
    ("deploy.local.planted", "deploy.deployment.planted"),
    ("deploy.deployment.planted", "deploy.cli.planted"),
    ("deploy.run", "deploy.provision"),
    ("deploy.local.up", "tests.chaos.campaign"),
    ("tests.bench.saturation", "tests.chaos.load.clients"),
    ("tests.chaos.log.finding", "tests.chaos.world.world"),
    ("tests.chaos.world.world", "tests.chaos.faults.fault"),
    ("tests.chaos.load.clerks", "tests.chaos.faults.fault"),
    ("tests.chaos.checks.invariants", "tests.chaos.campaign"),
    *UPWARDS,
    *ASIDE,
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


def test_a_package_that_no_layer_names_is_reported(tree):
    (tree / "gateway" / "drawer").mkdir()
    (tree / "gateway" / "drawer" / "__init__.py").touch()

    linted = lint(tree)
    assert linted.returncode == 1
    assert "gateway.drawer" in linted.stdout
