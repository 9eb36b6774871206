"""Commemorative days (纪念日): the calendar of a year as data, and the campaign that covered each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.kernel import Change, Lifecycle, Refusal
from services.kernel.name import normalised
from services.outreach.domain.campaign import Campaign

LIFECYCLE = Lifecycle(listed=("covered", "struck"), covered=("listed",))


class DayListedTwice(Refusal, rule="O-28", zh="同一纪念日同一年只登记一次"):
    """A commemorative day stands in the calendar of a year once."""


class NotOfThisDay(Refusal, rule="O-28", zh="纪念日须由日期涵盖当日的纪念日活动覆盖"):
    """A day is covered by a commemorative campaign that takes place on it."""


@dataclass(frozen=True, kw_only=True)
class CommemorativeDay:
    """A day of a year with its name; one of no district is the whole city's."""

    name: str
    day: date
    identity: str | None  # place, day and name; None once it was struck off
    district: str | None = None
    campaign_id: str | None = None
    state: str = "listed"


def enter(*, name: str, day: date, district: str | None = None) -> Change[CommemorativeDay]:
    """Enter a day in the calendar."""
    identity = f"{district or 'city'} {day} {normalised(name)}"
    return Change(CommemorativeDay(name=name, day=day, identity=identity, district=district), "listed")


def cover(entry: CommemorativeDay, *, campaign_id: str, campaign: Campaign) -> Change[CommemorativeDay]:
    """Name the campaign that took it up."""
    state = LIFECYCLE.move(entry.state, "covered")
    if campaign.campaign_kind != "commemorative" or not campaign.starts_on <= entry.day <= campaign.ends_on:
        raise NotOfThisDay(
            day=entry.day, campaign_kind=campaign.campaign_kind, starts_on=campaign.starts_on, ends_on=campaign.ends_on
        )

    return Change(replace(entry, state=state, campaign_id=campaign_id), "covered")


def uncover(entry: CommemorativeDay, *, reason: str) -> Change[CommemorativeDay]:
    """Take back that a campaign took it up."""
    state = LIFECYCLE.move(entry.state, "listed")

    return Change(replace(entry, state=state, campaign_id=None), "uncovered", reason)


def strike(entry: CommemorativeDay, *, reason: str) -> Change[CommemorativeDay]:
    """Strike it off the calendar; it may be entered anew."""
    return Change(replace(entry, state=LIFECYCLE.move(entry.state, "struck"), identity=None), "struck", reason)
