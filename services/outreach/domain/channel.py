"""Channels: newspapers, stations, sites and screens through which science popularisation reaches people."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import ChannelKind
from services.kernel import Change, Lifecycle
from services.kernel.day import in_order, past

LIFECYCLE = Lifecycle(open=("closed",))


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A channel with its name and operator; one without a district serves the whole city."""

    channel_kind: ChannelKind
    name: str
    operator_id: str
    opened_on: date
    district: str | None = None
    closed_on: date | None = None
    state: str = "open"


def open(  # noqa: A001 - the word of the association
    *,
    channel_kind: ChannelKind,
    name: str,
    operator_id: str,
    opened_on: date,
    district: str | None = None,
    today: date,
) -> Change[Channel]:
    """Open a channel, once it is there."""
    past(today=today, opened_on=opened_on)

    channel = Channel(
        channel_kind=channel_kind, name=name, operator_id=operator_id, opened_on=opened_on, district=district
    )
    return Change(channel, "opened")


def close(channel: Channel, *, closed_on: date, today: date) -> Change[Channel]:
    """Close it: nothing new is planned for it."""
    state = LIFECYCLE.move(channel.state, "closed")
    past(today=today, closed_on=closed_on)
    in_order(opened_on=channel.opened_on, closed_on=closed_on)

    return Change(replace(channel, state=state, closed_on=closed_on), "closed")
