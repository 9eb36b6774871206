"""Media coverage: what newspapers, stations and sites said of the association; a clip counts once (O-23)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from services.contract.outreach import ChannelKind, OutletLevel
from services.kernel import Change, Refusal
from services.kernel.day import past
from services.outreach.domain.second_person import Statement


class ClipMissing(Refusal, rule="O-23", zh="媒体报道须附网址或剪报文件摘要"):
    """Coverage is shown by its address or by the file of the clip."""


class ClipTwice(Refusal, rule="O-23", zh="同一篇报道只登记一次"):
    """The same clip is recorded once."""


@dataclass(frozen=True, kw_only=True)
class MediaCoverage(Statement):
    """A report of an outlet about the association's work."""

    outlet: str
    outlet_level: OutletLevel
    channel_kind: ChannelKind
    title: str
    published_on: date
    url: str | None = None
    clip_sha256: str | None = None
    activity_id: str | None = None
    district: str | None = None


def record(
    *,
    outlet: str,
    outlet_level: OutletLevel,
    channel_kind: ChannelKind,
    title: str,
    published_on: date,
    url: str | None = None,
    clip_sha256: str | None = None,
    activity_id: str | None = None,
    district: str | None = None,
    today: date,
    by: str,
) -> Change[MediaCoverage]:
    """Record a report by its address, its file, or both."""
    past(today=today, published_on=published_on)
    if url is None and clip_sha256 is None:
        raise ClipMissing(published_on=published_on)

    coverage = MediaCoverage(
        outlet=outlet,
        outlet_level=outlet_level,
        channel_kind=channel_kind,
        title=title,
        published_on=published_on,
        url=url,
        clip_sha256=clip_sha256,
        activity_id=activity_id,
        district=district,
        recorded_by=by,
    )
    return Change(coverage, "recorded")
