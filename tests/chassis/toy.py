"""A service for the tests of the chassis: halls of outreach, with commands that also go wrong on purpose."""

# ruff: noqa: ARG002, ARG005 - every command is told by whom

from dataclasses import dataclass, replace
from functools import partial

import eventlet

from services import contract
from services.chassis.entrypoints import command
from services.chassis.fields import Fen, Id, OneOf, Schema, Text, Whole
from services.chassis.listener import batches, listens
from services.chassis.provider import Provider
from services.chassis.records import Records, Unique
from services.chassis.service import Service
from services.contract.topology import LEDGER_QUEUE, MESSAGE_LIMIT
from services.kernel import REFUSALS, Change, Lifecycle, Refusal
from tests.stack import WITHIN

LIFECYCLE = Lifecycle(available=("suspended",), suspended=("available",))


class NameTaken(Refusal, rule="T-01", zh="名称已被占用"):
    """No two halls share a name."""


class BuiltTwice(Refusal, rule="T-02", zh="会堂不得重复建设"):
    """A hall is built once."""


for refusal in (NameTaken, BuiltTwice):
    REFUSALS.remove(refusal)  # no rules of the association


@dataclass(frozen=True, kw_only=True)
class Hall:
    name: str
    district: str
    capacity: int | None = None
    venue_kind: str = "hall"
    service_point_id: str | None = None
    state: str = "available"


class Halls(Records[Hall]):
    kind = contract.outreach.Venue.kind
    record = Hall
    unique = (Unique("name", refusal=NameTaken),)


class Itself(Provider):
    """The container that the service runs in."""

    def provide(self):
        return self.container


class RegisterHall(Schema):
    hall_id = Id(required=False)
    name = Text(max=80)
    district = OneOf("511102", "511111")
    capacity = Whole(required=False)


class RegisterOnlyHall(RegisterHall):
    pass


class SuspendHall(Schema):
    hall_id = Id()
    reason = Text(max=300)


class AddSeats(Schema):
    hall_id = Id()
    seats = Fen()


class FurnishHall(Schema):
    hall_id = Id()
    seats = Whole()


class OneHall(Schema):
    hall_id = Id()


class BreakHall(Schema):
    hall_id = Id()
    how = OneOf("bug", "container", "object", "endless", "surrogate", "happening", "large")
    text = Text(required=False)


def fall():
    raise RuntimeError("a thread of the container fell")


def suspend(hall, *, reason):
    return Change(replace(hall, state=LIFECYCLE.move(hall.state, "suspended")), "suspended", reason)


def restore(hall):
    return Change(replace(hall, state=LIFECYCLE.move(hall.state, "available")), "restored")


def add_seats(hall, *, seats):
    return Change(replace(hall, capacity=(hall.capacity or 0) + seats), "restored")


def furnish(hall, *, seats):
    """A hall with so many seats, whether there was one or not; none where it has as many."""
    if hall and hall.capacity == seats:
        return None
    if hall is None:
        return Change(Hall(name=f"hall of {seats}", district="511102", capacity=seats), "registered") if seats else None
    return Change(replace(hall, capacity=seats), "restored")


def follow_point(hall, *, point_id, point):
    """A hall that is in step with its point; None where it is already."""
    state = "available" if point.state == "complete" else "suspended"
    if hall is None:
        made = Hall(name=point_id, district=point.district, service_point_id=point_id, state=state)
        return Change(made, "registered")
    if hall.state == state:
        return None
    return Change(replace(hall, state=state), "suspended" if state == "suspended" else "restored")


def keep_in_step(self, event):
    """What the service does with a service point's event, unless a test wants something else."""
    self.halls.follow(f"hall.{event.record}", event, partial(follow_point, point_id=event.record, point=event.view))


def toy(hear=keep_in_step):
    """The service as a class; `hear(self, event)` handles the events of service points."""
    recorder = {"roles": ("recorder",)}
    venue = contract.outreach.Venue

    class Toy(Service):
        """Halls."""

        name = "outreach"
        halls = Halls()
        container = Itself()

        @command(venue, RegisterHall, **recorder, adds=True)
        def register_hall(self, hall_id, *, by, **stated):
            """Enter a hall."""
            return self.halls.add(Change(Hall(**stated), "registered"), hall_id)

        @command(venue, RegisterOnlyHall, **recorder, adds=True)
        def register_only_hall(self, hall_id, *, by, **stated):
            if self.halls.exists(name=stated["name"]):
                raise BuiltTwice()
            return self.halls.add(Change(Hall(**stated), "registered"), hall_id)

        @command(venue, SuspendHall, roles=("verifier", "chair"))
        def suspend_hall(self, hall_id, *, reason, by):
            return self.halls.change(hall_id, partial(suspend, reason=reason))

        @command(venue, OneHall, **recorder)
        def restore_hall(self, hall_id, *, by):
            return self.halls.change(hall_id, restore)

        @command(venue, AddSeats, **recorder)
        def add_seats(self, hall_id, *, seats, by):
            return self.halls.change(hall_id, partial(add_seats, seats=seats))

        @command(venue, FurnishHall, roles=("recorder", "judge"))
        def furnish_hall(self, hall_id, *, seats, by):
            return self.halls.put(hall_id, partial(furnish, seats=seats))

        @command(venue, OneHall, **recorder)
        def leave_hall(self, hall_id, *, by):
            return self.halls.change(hall_id, lambda hall: None)

        @command(venue, OneHall, **recorder)
        def linger_in_hall(self, hall_id, *, by):
            """Says so in the collection `lingering`, and goes on once the same id stands in `let_go`."""
            database = self.halls.collection.database
            database["lingering"].replace_one({"_id": hall_id}, {"_id": hall_id}, upsert=True)
            with eventlet.Timeout(WITHIN, RuntimeError("nobody let go")):
                while not database["let_go"].find_one({"_id": hall_id}):
                    eventlet.sleep(0.02)
            return self.halls.change(hall_id, partial(add_seats, seats=1))

        @command(venue, BreakHall, **recorder)
        def break_hall(self, hall_id, *, how, text, by):
            if how == "bug":
                raise RuntimeError(f"{hall_id} fell down on {text}")
            if how == "container":
                return self.container.spawn_managed_thread(fall, identifier="falls")
            if how == "object":
                return {"hall": object()}
            if how == "endless":
                endless = []
                endless.append(endless)
                return endless
            if how == "surrogate":
                return {"hall": "\ud800"}
            if how == "large":
                return {"hall": "x" * MESSAGE_LIMIT}
            return self.halls.change(hall_id, lambda hall: Change(hall, "painted"))

        @listens(contract.rural.ServicePoint, "completed", "lapsed")
        def hear_of_point(self, event):
            hear(self, event)

    return Toy


Toy = toy()


class Ledger:
    """Takes in what the gateway's ledger takes in."""

    name = "gateway"
    taken: list[str] = []  # noqa: RUF012 - ids of events, for the tests of a module

    @batches(LEDGER_QUEUE)
    def take(self, events):
        self.taken.extend(event.id for event in events)
