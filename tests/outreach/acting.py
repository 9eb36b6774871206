"""What people do at outreach, each in the role that may: for tests that run the service."""

from contextlib import contextmanager
from functools import partial

import pytest

from services.chassis.problem import RefusedByRule
from tests.outreach.examples import A_BRAND, A_PHOTO, A_PLAN, AN_AUDIENCE, SATURDAY

ROLES = {
    "open_campaign": "chair",
    "close_campaign": "chair",
    "close_activity": "chair",
    "approve_count": "chair",
    "correct_count": "verifier",
    "supersede_count": "verifier",
    "end_column": "chair",
    "suspend_expert": "chair",
    "restore_expert": "chair",
}
REVIEWS = ("verify_", "reject_", "review_", "withdraw_")
WHO = {"recorder": "u-li", "verifier": "u-wang", "chair": "u-zhang"}
USUALLY = {
    "open_campaign": A_BRAND,
    "register_venue": {"venue_kind": "plaza", "name": "嘉州广场", "district": "511102"},
    "create_activity": A_PLAN,
    "cancel_activity": {"reason": "暴雨"},
    "attach_evidence": A_PHOTO,
    "record_count": AN_AUDIENCE,
    "reject_count": {"reason": "无佐证"},
    "correct_count": {"reason": "重新清点签到表"},
    "supersede_count": {"reason": "以扫码人次为准"},
    "open_channel": {
        "channel_kind": "newspaper",
        "name": "乐山日报",
        "operator_id": "o-daily",
        "opened_on": "2011-01-04",
    },
    "plan_column": {"name": "科学生活"},
    "record_coverage": {
        "outlet": "四川日报",
        "outlet_level": "province",
        "channel_kind": "newspaper",
        "title": "科普之春进乡村",
        "published_on": "2011-04-23",
    },
    "enrol_expert": {"discipline_codes": ["d-geo"], "enrolled_on": "2011-01-10"},
    "request_visit": {
        "target": "school",
        "receiver_id": "o-school",
        "district": "511102",
        "day": SATURDAY,
        "slot": "morning",
        "topic": "防震避险",
    },
    "register_resource": {"resource_kind": "panel_set", "name": "防震减灾展板", "acquired_on": "2011-01-10"},
    "reserve_resource": {"borrower_id": "o-school", "starts_on": "2011-05-14", "ends_on": "2011-05-16"},
    "draft_post": {"title": "科普日预告"},
}


class Acting:
    """`acting.verify_count(count_id="n-1")` is done by who usually does it, `by=` says who else."""

    def __init__(self, running):
        self.running = running

    def __getattr__(self, command):
        return partial(self._do, command)

    def _do(self, command, *, by=None, **arguments):
        role = ROLES.get(command, "verifier" if command.startswith(REVIEWS) else "recorder")
        given = {**USUALLY.get(command, {}), **arguments}
        return self.running.call(
            "outreach",
            command,
            by=by or WHO[role],
            roles=[role],
            **{name: _plain(value) for name, value in given.items()},
        )

    def get(self, kind, id):  # noqa: A002 - the word of the API
        return self.running.call("outreach", f"get_{kind}", id=id, roles=["viewer"])

    def schedule(self, activity_id="a-1", *, venue_id="v-1", slots=(), **plan):
        """A scheduled activity at a venue that is there already."""
        self.create_activity(activity_id=activity_id, **plan)
        return self.schedule_activity(activity_id=activity_id, venue_id=venue_id, slots=slots)

    def hold(self, activity_id="a-1", *, capacity=None, **plan):
        """An activity that was held at a venue of its own."""
        self.register_venue(venue_id=f"v-of-{activity_id}", capacity=capacity)
        self.schedule(activity_id, venue_id=f"v-of-{activity_id}", **plan)
        self.start_activity(activity_id=activity_id)
        return self.finish_activity(activity_id=activity_id)

    def count(self, count_id="n-1", *, by="u-wang", **audience):
        """A verified count."""
        self.record_count(count_id=count_id, **audience)
        return self.verify_count(count_id=count_id, by=by)


@contextmanager
def refused(rule):
    """Expect a refusal by this rule."""
    with pytest.raises(RefusedByRule) as refusal:
        yield
    assert refusal.value.code == rule


def _plain(value):
    """As JSON has it."""
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value
