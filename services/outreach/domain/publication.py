"""Publication: an issue or a post is reviewed by somebody who did not write it, on its day at the latest (O-15)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from services.kernel import Refusal
from services.kernel.day import past


class ReviewedByAuthor(Refusal, rule="O-15", zh="撰稿人不得审查自己的稿件"):
    """Nobody reviews what they wrote themselves."""


class PublishedUnreviewed(Refusal, rule="O-15", zh="未经科学审查的内容不得发布"):
    """Nothing is published that was not reviewed before, on the same day at the latest."""


def require_other_reader(*, reviewers: Iterable[str], writers: Iterable[str]) -> None:
    """Refuse a reviewer, or who records the review, among those who wrote or drafted it (O-15)."""
    if both := sorted(set(reviewers) & set(writers)):
        raise ReviewedByAuthor(reviewed_by=", ".join(both))


def require_review(*, reviewed_on: date | None, published_on: date, today: date) -> None:
    """Refuse a publication before the review (O-15), or in the future (X-07)."""
    past(today=today, published_on=published_on)
    if reviewed_on is None or published_on < reviewed_on:
        raise PublishedUnreviewed(reviewed_on=reviewed_on, published_on=published_on)
