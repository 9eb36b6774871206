"""Events of service points, as rural would publish them, and what became of them."""

from datetime import timedelta

from services.chassis.listener import Inboxes
from services.chassis.parking import Parking
from services.contract import KINDS
from services.contract.event import Event
from services.contract.topology import exchange
from tests.contract.views import samples_of
from tests.stack import until

POINT = KINDS["rural.service_point"]
QUEUE = "outreach.from.rural"


def an_event(record, version=1, happened="completed", state="complete"):
    data = {**samples_of(POINT)[0], "state": state, "district": "511102"}
    return Event(
        kind=POINT, record=record, version=version, happened=happened, time="2011-05-14T10:00:00.000+08:00",
        actor="u-li", cause="c-1", hash="0", data=data,
    )  # fmt: skip


def publish(outsider, *events):
    for event in events:
        publish_raw(outsider, event.write(), message_id=event.id)


def publish_raw(outsider, body, **properties):
    outsider.send("service_point.completed", body, exchange=exchange("rural"), **properties)


def parked(world):
    return list(world.database("outreach")["parked"].find())


def is_drained(world, outsider):
    return not outsider.messages_in(QUEUE) and not any(inbox.is_busy for inbox in inboxes_of(world))


def inboxes_of(world):
    (inboxes,) = {one for one in world.containers[0].extensions if isinstance(one, Inboxes)}
    return list(inboxes.open_ones)


def inbox_of(world):
    """The one that takes in what the tests publish."""
    (inbox,) = [one for one in inboxes_of(world) if one.queue.name == QUEUE]
    return inbox


def park(world, outsider, *events):
    """Publish events that nobody can handle now, and wait until they are parked."""
    before = len(parked(world))
    publish(outsider, *events)
    until(lambda: len(parked(world)) == before + len(events) and is_drained(world, outsider))


def pass_by(world, seconds):
    """Let that time pass."""
    world.clock.ahead += timedelta(seconds=seconds)


def is_nothing_due(world):
    return Parking(world.database("outreach"), world.clock).claim([QUEUE]) is None


def the_one(world):
    """The only message that is parked."""
    (kept,) = parked(world)
    return kept


def stumble(*_):
    """A handler with a bug."""
    raise KeyError("no such thing")
