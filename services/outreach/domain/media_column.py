"""Media columns (科普栏目): what appears in a channel issue by issue, and pauses or ends as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.contract.outreach import ChannelKind
from services.kernel import Change, Lifecycle
from services.kernel.day import in_order, past
from services.outreach.domain import channel as channels
from services.outreach.domain.channel import Channel

LIFECYCLE = Lifecycle(
    planned=("running", "ended"),
    running=("paused", "ended"),
    paused=("running", "ended"),
)


@dataclass(frozen=True, kw_only=True)
class MediaColumn:
    """A column of a channel."""

    name: str
    channel_id: str
    channel_kind: ChannelKind
    district: str | None
    channel_opened_on: date
    started_on: date | None = None
    state: str = "planned"


def plan(*, name: str, channel_id: str, channel: Channel) -> Change[MediaColumn]:
    """Plan a column of an open channel."""
    channels.LIFECYCLE.require(channel.state, "open")

    column = MediaColumn(
        name=name,
        channel_id=channel_id,
        channel_kind=channel.channel_kind,
        district=channel.district,
        channel_opened_on=channel.opened_on,
    )
    return Change(column, "planned")


def start(column: MediaColumn, *, started_on: date, today: date) -> Change[MediaColumn]:
    """Begin with it: issues may be published from this day on."""
    LIFECYCLE.require(column.state, "planned")
    past(today=today, started_on=started_on)
    in_order(opened_on=column.channel_opened_on, started_on=started_on)

    return Change(replace(column, state="running", started_on=started_on), "started")


def pause(column: MediaColumn, *, reason: str) -> Change[MediaColumn]:
    """Pause it: issues are prepared, and none is published."""
    return Change(replace(column, state=LIFECYCLE.move(column.state, "paused")), "paused", reason)


def resume(column: MediaColumn) -> Change[MediaColumn]:
    """Go on with it after a pause."""
    LIFECYCLE.require(column.state, "paused")

    return Change(replace(column, state="running"), "resumed")


def end(column: MediaColumn, *, reason: str) -> Change[MediaColumn]:
    """End it for good; what was published stays."""
    return Change(replace(column, state=LIFECYCLE.move(column.state, "ended")), "ended", reason)
