"""`plan check` and `plan apply`: a plan file is read word by word, and comes into force with a reason."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deploy.cli.client import Gateway
from gateway.plans import plan_file
from gateway.plans.model import Plan
from gateway.plans.yaml_lines import BrokenFile

file = click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def check(path: Path) -> None:
    """What the file says in a line; what is wrong goes to stderr, line by line, and ends with 1."""
    click.echo(_said(_read(path)))


def apply(gateway: Gateway, path: Path, *, why: str) -> None:
    """It is checked here first, so that a broken one is told with its lines even where no gateway answers."""
    plan = _read(path)
    applied = gateway.at("plans").post(file=path.read_text(), why=why)
    click.echo(f"{_said(plan)}\nVersion {applied['version']} is in force; new rules are counted back to January.")


def _read(path: Path) -> Plan:
    try:
        return plan_file.read(path.name, path.read_bytes())
    except BrokenFile as broken:
        click.echo(str(broken), err=True)
        sys.exit(1)


def _said(plan: Plan) -> str:
    numbers, milestones = sum(1 for _ in plan.kpis()), sum(1 for _ in plan.milestones())
    waiting = sum(item.unmeasured is not None for item in plan.items)
    counted = f"{numbers} numbers, {milestones} milestones"
    return f"{plan.title.zh}: {len(plan.items)} items, {counted}; {waiting} items are not counted yet."
