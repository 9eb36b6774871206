"""Posts of the association's website, from the draft to the public page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from services.kernel import Change, Lifecycle, Refusal
from services.kernel.day import past
from services.outreach.domain import channel as channels
from services.outreach.domain.channel import Channel
from services.outreach.domain.publication import require_other_reader, require_review

LIFECYCLE = Lifecycle(
    drafted=("reviewed", "withdrawn"),
    reviewed=("published", "withdrawn"),
    published=("withdrawn",),
)


class NotAWebsite(Refusal, rule="O-27", zh="网文只能发布在网站渠道上"):
    """A post stands on a website and on no other channel."""


class AddressTaken(Refusal, rule="O-27", zh="同一网址只登记一篇网文"):
    """An address is that of one published post."""


@dataclass(frozen=True, kw_only=True)
class WebPost:
    """A post with its title and, once it is public, its address."""

    channel_id: str
    district: str | None
    title: str
    author_ids: tuple[str, ...]
    drafted_by: str
    reviewed_by: str | None = None
    reviewed_on: date | None = None
    published_on: date | None = None
    url: str | None = None
    state: str = "drafted"


def draft(
    *, channel_id: str, channel: Channel, title: str, author_ids: tuple[str, ...] = (), by: str
) -> Change[WebPost]:
    """Draft a post for an open website."""
    channels.LIFECYCLE.require(channel.state, "open")
    if channel.channel_kind != "website":
        raise NotAWebsite(channel_id=channel_id, channel_kind=channel.channel_kind)

    post = WebPost(channel_id=channel_id, district=channel.district, title=title, author_ids=author_ids, drafted_by=by)
    return Change(post, "drafted")


def review(post: WebPost, *, reviewed_on: date, today: date, by: str) -> Change[WebPost]:
    """Find it sound, as somebody who did not write it (O-15)."""
    state = LIFECYCLE.move(post.state, "reviewed")
    past(today=today, reviewed_on=reviewed_on)
    require_other_reader(reviewers=(by,), writers=(*post.author_ids, post.drafted_by))

    return Change(replace(post, state=state, reviewed_by=by, reviewed_on=reviewed_on), "reviewed")


def publish(post: WebPost, *, url: str, published_on: date, today: date) -> Change[WebPost]:
    """Note that it is public, with its address."""
    state = LIFECYCLE.move(post.state, "published")
    require_review(reviewed_on=post.reviewed_on, published_on=published_on, today=today)

    return Change(replace(post, state=state, url=url, published_on=published_on), "published")


def withdraw(post: WebPost, *, reason: str) -> Change[WebPost]:
    """Withdraw it, before or after it was public."""
    return Change(replace(post, state=LIFECYCLE.move(post.state, "withdrawn")), "withdrawn", reason)
