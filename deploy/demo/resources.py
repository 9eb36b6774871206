"""The shared library of the demo year and its loans, of which some overlap, are late, or are lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from deploy.demo.story import Story

ITEMS = (
    ("panels-quake", "panel_set", "防震减灾展板", 9),
    ("panels-food", "panel_set", "食品安全展板", 8),
    ("video-stars", "video", "天文科普片", 6),
    ("kit-circuits", "kit", "电路实验箱", 7),
    ("caravan", "caravan", "科普大篷车", 12),
    ("museum", "mobile_museum", "流动科技馆", 4),
)
"""Id, kind, name, and the number of loans."""


def library() -> Story:
    """Return the items that can be borrowed."""
    story = Story("library")
    for id_, kind, name, _ in ITEMS:
        story.tell(
            "outreach", "register_resource", resource_id=id_, resource_kind=kind, name=name,
            acquired_on=date(2011, 1, 10),
        )  # fmt: skip
    return story


def loans() -> Iterator[Story]:
    """Yield the loans of each item, one after the other."""
    for number, (id_, _, _, count) in enumerate(ITEMS):
        story = Story(f"loans-{id_}")
        for loan in range(count):
            _loan(story, id_, loan, date(2011, 2, 10 + number) + timedelta(days=26 * loan))
        yield story
    yield _lost()
    yield _still_out()


def _loan(story: Story, resource_id: str, number: int, first: date) -> None:
    it: dict[str, Any] = {"loan_id": f"l-{resource_id}-{number:02}"}
    last = first + timedelta(days=6)
    story.tell(
        "outreach", "reserve_resource", **it, resource_id=resource_id, borrower_id=f"org-{number % 9 + 1}",
        starts_on=first, ends_on=last,
    )  # fmt: skip
    if number % 7 == 5:
        story.tell("outreach", "cancel_loan", **it, reason="活动改期")
        return
    story.tell("outreach", "lend_resource", **it, out_on=first)
    if number % 4 == 2:
        story.tell("outreach", "mark_overdue", **it)
    story.tell("outreach", "return_resource", **it, returned_on=last + timedelta(days=2 * (number % 4 == 2)))


def _lost() -> Story:
    story, it = Story("loan-lost"), dict[str, Any](loan_id="l-telescope")
    story.tell(
        "outreach", "register_resource", resource_id="telescope", resource_kind="kit", name="天文望远镜",
        acquired_on=date(2011, 1, 10),
    )  # fmt: skip
    story.tell(
        "outreach", "reserve_resource", **it, resource_id="telescope", borrower_id="org-4", starts_on=date(2011, 7, 5),
        ends_on=date(2011, 7, 9),
    )  # fmt: skip
    story.tell("outreach", "lend_resource", **it, out_on=date(2011, 7, 5))
    story.tell("outreach", "lose_resource", **it, reason="搬运途中遗失")
    return story


def _still_out() -> Story:
    """Return an item that is out at the end of the year, and that another clerk wanted too."""
    story, it = Story("loan-out"), dict[str, Any](loan_id="l-weather")
    story.tell(
        "outreach", "register_resource", resource_id="weather", resource_kind="kit", name="校园气象站",
        acquired_on=date(2011, 1, 10),
    )  # fmt: skip
    terms: dict[str, Any] = {"resource_id": "weather", "starts_on": date(2011, 12, 20), "ends_on": date(2011, 12, 31)}
    story.tell("outreach", "reserve_resource", **it, borrower_id="org-5", **terms)
    story.tell("outreach", "reserve_resource", by="clerk-2", borrower_id="org-20", **terms, expected="O-21")
    story.tell("outreach", "lend_resource", **it, out_on=date(2011, 12, 20))
    return story
