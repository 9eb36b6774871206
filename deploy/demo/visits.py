"""The expert group of the demo year, and its visits to the schools and communities that activities took place in."""

from __future__ import annotations

from datetime import date
from typing import Any

from deploy.demo.story import Story, sha256_of

FIELDS = ("geology", "medicine", "agronomy", "astronomy", "ecology", "energy", "food", "informatics")


def experts() -> Story:
    """Return the experts, one of whom is suspended during the year."""
    story = Story("experts")
    for number, field in enumerate(FIELDS):
        story.tell(
            "outreach", "enrol_expert", entry_id=f"x-{number}", person_id=f"p-expert-{number}",
            discipline_codes=[field], enrolled_on=date(2011, 1, 4),
        )  # fmt: skip
    story.tell(
        "outreach", "enrol_expert", person_id="p-expert-0", discipline_codes=["geology"], enrolled_on=date(2011, 1, 4),
        expected="O-26",
    )  # fmt: skip
    story.tell("outreach", "suspend_expert", by="chair", entry_id="x-7", reason="本人申请")
    return story


def visit(story: Story, number: int, *, activity_id: str, district: str, day: date, slot: str) -> None:
    """Tell of the visit that an activity, which was held, was made for."""
    it: dict[str, Any] = {"visit_id": f"z-{number:03}"}
    is_school = number % 20 == 4
    story.tell(
        "outreach", "request_visit", **it, target="school" if is_school else "community",
        receiver_id=f"org-{number % 40 + 1}", district=district, day=day, slot=slot, topic="科学与生活",
    )  # fmt: skip
    if number % 30 == 4:
        story.tell("outreach", "match_expert", **it, entry_ids=["x-7"], expected="O-14")
    story.tell("outreach", "match_expert", **it, entry_ids=[f"x-{number % 7}"])
    if is_school:
        story.tell("outreach", "confirm_visit", **it, expected="O-14")
    contact: dict[str, Any] = {"contact_name": "德育处", "contact_phone": "0833-2442121"} if is_school else {}
    story.tell("outreach", "confirm_visit", **it, **contact)
    story.tell("outreach", "deliver_visit", **it, activity_id=activity_id, expected="O-25")
    story.tell("outreach", "deliver_visit", **it, activity_id=activity_id, receipt_sha256=sha256_of("receipt", number))
    if is_school:
        story.tell("outreach", "evaluate_visit", by="reviewer", **it, rating=4 + number % 2)
