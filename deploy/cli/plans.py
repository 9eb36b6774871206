"""`plan check` and `plan apply`: checking a plan file line by line, and putting it into force with a reason."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deploy.cli.client import Gateway
from gateway.plans.model import Plan
from gateway.plans.plan_file import read
from gateway.plans.yaml_lines import BrokenFile

file = click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def check(path: Path) -> None:
    """Print a plan in one line; print errors to stderr, line by line, and exit with 1."""
    click.echo(_summary(_read(path)))


def apply(gateway: Gateway, path: Path, *, why: str) -> None:
    """Put a plan into force; check it here first, so that errors are shown with their lines without a gateway."""
    plan = _read(path)
    applied = gateway.at("plans").post(file=path.read_text(), why=why)
    click.echo(f"{_summary(plan)}\nVersion {applied['version']} is in force; new rules are counted back to January.")


def _read(path: Path) -> Plan:
    try:
        return read(path.name, path.read_bytes())
    except BrokenFile as broken:
        click.echo(str(broken), err=True)
        sys.exit(1)


def _summary(plan: Plan) -> str:
    numbers, milestones = sum(1 for _ in plan.kpis()), sum(1 for _ in plan.milestones())
    waiting = sum(item.unmeasured is not None for item in plan.items)
    counted = f"{numbers} numbers, {milestones} milestones"
    return f"{plan.title.zh}: {len(plan.items)} items, {counted}; {waiting} items are not counted yet."
