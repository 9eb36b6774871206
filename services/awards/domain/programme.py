"""Programmes (评选项目): contests that the association holds again and again, each with the habits of its kind.

A habit applies to an edition whose call says nothing else; the terms of entry of a youth contest differed from decade
to decade.
"""

from __future__ import annotations

from dataclasses import dataclass

from services.contract.awards import ProgrammeKind


@dataclass(frozen=True, kw_only=True)
class Habits:
    """An edition's rules where its call says nothing."""

    one_entry_each: bool = False
    same_place: bool = False  # a team's members are of one district
    same_stage: bool = False  # and of one stage of school


HABITS: dict[ProgrammeKind, Habits] = {
    "paper": Habits(),
    "golden_bridge": Habits(),
    "youth": Habits(one_entry_each=True, same_place=True, same_stage=True),
    "jiangbi": Habits(),
    "home": Habits(),
    "worker": Habits(one_entry_each=True),
}

BY_BENEFIT: tuple[ProgrammeKind, ...] = ("golden_bridge",)
"""Programmes whose entries are ranked by benefit, so that each has a verified one (A-28)."""
