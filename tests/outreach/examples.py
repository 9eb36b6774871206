"""Named examples for the tests of outreach; what a test does not say stands here."""

from dataclasses import replace
from datetime import date

from services import contract
from services.outreach.domain import activity, audience, campaign, evidence, venue

SATURDAY = date(2011, 5, 14)
SUNDAY = date(2011, 5, 15)
LATER = date(2011, 12, 31)

A_BRAND = {
    "campaign_kind": "st_week",
    "theme": "携手建设创新型国家",
    "starts_on": SATURDAY,
    "ends_on": date(2011, 5, 20),
}
A_PLAN = {
    "title": "科技周广场活动",
    "format": "plaza",
    "delivery": "on_site",
    "lead_org_id": "o-leshan",
    "district": "511102",
    "days": (SATURDAY,),
}
AN_AUDIENCE = {"activity_id": "a-1", "day": SATURDAY, "mode": "offline", "method": "sign_in", "person_times": 300}
A_PHOTO = {"activity_id": "a-1", "evidence_kind": "photo", "taken_on": SATURDAY}
A_POINT = {
    "name": "青江村惠农服务站",
    "village_code": "511102001201",
    "district": "511102",
    "host_id": "as-tea",
    "capacity": 80,
    "station": "operating",
    "column": "operating",
    "officer": "operating",
    "parts_accepted": 3,
    "completed_on": date(2011, 4, 1),
    "state": "complete",
}


def a_campaign(**changes):
    return campaign.open(**{**A_BRAND, **changes}).record


def a_venue(*, state="available", turns=0, **changes):
    place = {"venue_kind": "plaza", "name": "嘉州广场", "district": "511102", "capacity": 2_000, **changes}
    return replace(venue.register(**place).record, state=state, turns=turns)


def an_activity(*, state="held", venue_id="v-1", **changes):
    """An activity in any of its states; where it needs one, it has a venue."""
    plan = {name: value for name, value in changes.items() if name in A_PLAN or name in ("campaign", "campaign_id")}
    rest = {name: value for name, value in changes.items() if name not in plan}
    drafted = activity.create(**{**A_PLAN, "co_org_ids": rest.pop("co_org_ids", ()), **plan}).record
    if state == "draft":
        return drafted
    scheduled = activity.schedule(drafted, venue_id=venue_id, venue=a_venue()).record
    bookings = scheduled.bookings if state in ("scheduled", "ongoing") else ()
    return replace(scheduled, **{"state": state, "bookings": bookings, **rest})


def a_count(*, state="recorded", recorded_by="u-li", held=None, capacity=None, **changes):
    """A count in any of its states, recorded by u-li for the Saturday."""
    roomy = replace(held or an_activity(), capacity=capacity)
    recorded = audience.record(roomy, **{**AN_AUDIENCE, "today": LATER, "by": recorded_by, **changes}).record
    return replace(recorded, state=state)


def some_evidence(kind="press", *, activity_id="a-1", taken_on=SATURDAY):
    return evidence.attach(
        an_activity(), activity_id=activity_id, evidence_kind=kind, taken_on=taken_on, by="u-li"
    ).record


def a_point(**changes):
    """What rural says about a service point."""
    return contract.rural.ServicePoint(**{**A_POINT, **changes})
