"""Parking: what cannot be handled gets its further tries on a schedule, and is then in an operator's hand."""

from datetime import timedelta

import eventlet
import pytest

from services.chassis.listener import Retry
from services.chassis.parked import SHOWN
from services.chassis.parking import NOT_NOW, SCHEDULE
from services.chassis.problem import Conflict, InvalidInput, NotAllowed, NotFound, Unavailable
from tests.chassis.conftest import Ear, a_world
from tests.chassis.outsider import Outsider
from tests.chassis.points import (
    QUEUE,
    an_event,
    is_drained,
    is_nothing_due,
    park,
    parked,
    pass_by,
    publish_raw,
    stumble,
    the_one,
)
from tests.chassis.toy import toy
from tests.stack import until


@pytest.fixture(scope="module")
def listening(addresses, keys):
    """Two replicas of the toy service, whose handler each test exchanges for its own."""
    with a_world(addresses, keys) as world:

        def hear(service, event):
            world.ear(service, event)

        yield world.start(toy(hear)).start(toy(hear))


@pytest.fixture
def ear(listening):
    """What the service hears in this test; nothing is parked yet."""
    listening.ear = Ear(stumble)
    listening.database("outreach")["parked"].delete_many({})
    listening.clock.ahead = timedelta()
    return listening.ear


@pytest.fixture(scope="module")
def outsider(listening):
    with Outsider(listening.settings) as one:
        yield one


def not_yet(*_):
    raise Retry("not now")


@pytest.fixture
def bad(listening, ear, outsider):
    """An event that was parked, and is tried again when the test says so."""
    event = an_event(f"p-{listening.a_new_id()}")
    park(listening, outsider, event)
    ear.heard.clear()
    return event


def ask(world, method, roles=("operator",), by="u-chen", **given):
    return world.call("outreach", f"{method}_parked", roles=roles, by=by, **given)


# --- the schedule ----------------------------------------------------------------------------------------------------


def test_a_parked_event_is_tried_after_1_5_30_and_120_minutes_and_then_an_operator_is_alarmed(listening, ear, bad):
    assert SCHEDULE == (60, 300, 1_800, 7_200)

    for tries, seconds in enumerate(SCHEDULE, start=1):
        pass_by(listening, seconds - 10)
        assert is_nothing_due(listening)
        assert (ear.times(bad), the_one(listening)["alarm"]) == (tries - 1, False)
        pass_by(listening, 10)
        until(lambda tries=tries: the_one(listening)["tries"] == tries and ear.times(bad) == tries)

    kept = until(lambda: the_one(listening)["alarm"] and the_one(listening))
    assert (kept["state"], "due_at" in kept) == ("waiting", False)
    pass_by(listening, 365 * 24 * 3600)
    assert is_nothing_due(listening)


def test_what_succeeds_at_its_third_try_waits_no_longer(listening, ear, bad):
    def stumble_twice(_, event):
        if ear.times(event) < 3:
            raise KeyError("not yet")

    ear.do = stumble_twice
    for tries, seconds in enumerate(SCHEDULE[:3], start=1):
        pass_by(listening, seconds)
        until(lambda tries=tries: ear.times(bad) == tries)

    kept = until(lambda: the_one(listening)["state"] == "handled" and the_one(listening))
    assert (kept["tries"], kept["settled_by"], "due_at" in kept) == (3, None, False)
    assert listening.call("outreach", "ping")["parked"] == 0


@pytest.mark.usefixtures("bad")
def test_its_last_error_is_the_one_that_is_shown(listening, ear):
    def stumble_elsewhere(*_):
        raise LookupError("elsewhere")

    ear.do = stumble_elsewhere
    pass_by(listening, SCHEDULE[0])

    until(lambda: the_one(listening)["error"] == "LookupError: elsewhere")
    assert "stumble_elsewhere" in the_one(listening)["traceback"]


def test_of_two_replicas_one_tries_each_message(listening, ear, outsider):
    events = [an_event(f"p-{number}") for number in range(30)]
    park(listening, outsider, *events)
    ear.heard.clear()
    ear.do = lambda *_: eventlet.sleep(0.02)

    pass_by(listening, SCHEDULE[0])
    until(lambda: all(kept["state"] == "handled" for kept in parked(listening)))
    assert sorted(ear.heard) == sorted(event.id for event in events)


def test_what_is_only_not_now_is_no_try_and_comes_again_soon(listening, ear, bad):
    ear.do = not_yet
    pass_by(listening, SCHEDULE[0])
    until(lambda: ear.times(bad) == 1 and the_one(listening)["tries"] == 0)

    ear.do = None
    pass_by(listening, NOT_NOW)
    until(lambda: the_one(listening)["state"] == "handled")
    assert the_one(listening)["tries"] == 1


@pytest.mark.rule("X-11")
def test_what_could_not_be_read_is_read_anew_at_each_try(listening, ear, outsider):
    event = an_event("p-newer")
    publish_raw(outsider, event.write().replace(b"/rural/service_point/1", b"/rural/service_point/2"))
    until(lambda: parked(listening))
    pass_by(listening, SCHEDULE[0])
    until(lambda: the_one(listening)["tries"] == 1)
    assert ear.heard == []

    now_known = {"$set": {"body": event.write()}}
    listening.database("outreach")["parked"].update_one({}, now_known)
    ear.do = None
    pass_by(listening, SCHEDULE[1])
    until(lambda: the_one(listening)["state"] == "handled")
    assert ear.heard == [event.id]


# --- what is the same message ----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("ear")
def test_a_message_that_comes_again_while_it_waits_is_parked_once(listening, outsider):
    for _ in range(2):
        publish_raw(outsider, b"garbage", message_id="m-1")
    publish_raw(outsider, b"garbage", message_id="m-2")
    publish_raw(outsider, b"refuse", message_id="m-1")

    until(lambda: len(parked(listening)) == 3 and is_drained(listening, outsider))
    assert sorted(bytes(kept["body"]) for kept in parked(listening)) == [b"garbage", b"garbage", b"refuse"]


def test_a_message_that_comes_again_after_it_was_discarded_waits_again(listening, bad, outsider):
    ask(listening, "discard", id=the_one(listening)["_id"], why="wrong")
    park(listening, outsider, bad)

    assert [kept["state"] for kept in parked(listening)] == ["discarded", "waiting"]


# --- the operator ----------------------------------------------------------------------------------------------------


def test_an_operator_replays_a_message_and_it_says_who_and_why(listening, ear, bad):
    ear.do = None
    told = ask(listening, "replay", id=the_one(listening)["_id"], why="the bug is mended")

    assert ear.heard == [bad.id]
    assert (told["state"], told["settled_by"], told["why"]) == ("replayed", "u-chen", "the bug is mended")
    assert told["settled_at"].endswith("+08:00")
    assert listening.call("outreach", "ping")["parked"] == 0
    assert ask(listening, "list")["items"] == []
    assert ask(listening, "list", state="settled")["items"] == [told]


@pytest.mark.usefixtures("bad")
def test_a_replay_that_fails_leaves_the_message_waiting_and_tells_only_the_name_of_the_error(listening, ear):
    def fall(*_):
        raise LookupError("王小明")

    ear.do = fall
    with pytest.raises(Conflict, match=r"^It failed again: LookupError\.$"):
        ask(listening, "replay", id=the_one(listening)["_id"], why="perhaps now")

    kept = the_one(listening)
    assert (kept["state"], kept["tries"], kept["error"]) == ("waiting", 0, "LookupError: 王小明")


@pytest.mark.usefixtures("bad")
def test_a_replay_that_is_only_not_now_may_be_asked_for_again(listening, ear):
    ear.do = not_yet
    with pytest.raises(Unavailable):
        ask(listening, "replay", id=the_one(listening)["_id"], why="perhaps now")

    assert the_one(listening)["state"] == "waiting"


@pytest.mark.usefixtures("bad")
def test_an_operator_discards_a_message_and_it_is_not_tried_again(listening, ear):
    told = ask(listening, "discard", id=the_one(listening)["_id"], why="nobody needs it")

    assert (told["state"], told["settled_by"], told["why"]) == ("discarded", "u-chen", "nobody needs it")
    assert told["due_at"] is None
    pass_by(listening, 365 * 24 * 3600)
    assert is_nothing_due(listening)
    assert ear.heard == []


@pytest.mark.usefixtures("bad")
@pytest.mark.parametrize("method", ["replay", "discard"])
def test_what_is_settled_is_settled_once(listening, ear, method):
    ear.do = None
    id_ = the_one(listening)["_id"]
    ask(listening, "discard", id=id_, why="nobody needs it")

    with pytest.raises(Conflict, match="It was discarded already") as refused:
        ask(listening, method, id=id_, why="again", by="u-wang")
    assert refused.value.code == "already_settled"
    assert refused.value.involved["by"] == "u-chen"
    assert the_one(listening)["why"] == "nobody needs it"
    assert ear.heard == []


@pytest.mark.usefixtures("ear")
def test_a_command_that_nobody_waits_for_and_our_fault_stopped_can_only_be_discarded(listening, outsider):
    token = listening.token()
    body = b'{"kwargs": {"hall_id": "h", "how": "bug", "text": "x"}}'
    outsider.send("outreach.break_hall", body, token=token, app_id="a program")
    kept = until(lambda: parked(listening) and the_one(listening))
    assert (kept["alarm"], "due_at" in kept) == (False, False)

    shown = ask(listening, "show", id=kept["_id"])
    assert shown["properties"]["app_id"] == "a program"
    assert token not in str(kept)
    with pytest.raises(Conflict, match="its sender has to send it again") as refused:
        ask(listening, "replay", id=kept["_id"], why="try")
    assert refused.value.code == "not_replayable"
    assert ask(listening, "discard", id=kept["_id"], why="told its sender")["state"] == "discarded"


@pytest.mark.usefixtures("ear")
def test_a_list_goes_page_by_page_and_one_is_shown_with_its_body(listening, outsider):
    bodies = [b"\xff" + b"x" * SHOWN, b"two", b"three"]
    for number, body in enumerate(bodies, start=1):
        publish_raw(outsider, body)
        until(lambda number=number: len(parked(listening)) == number)

    first = ask(listening, "list", limit=2)
    rest = ask(listening, "list", limit=2, cursor=first["cursor"])
    assert (first["total"], rest["total"], rest["cursor"]) == (3, 3, None)
    assert [item["size"] for item in first["items"] + rest["items"]] == [len(body) for body in bodies]

    item = first["items"][0]
    assert (item["queue"], item["state"], item["tries"], item["alarm"]) == (QUEUE, "waiting", 0, False)
    shown = ask(listening, "show", id=item["id"])
    assert shown["body"] == "\\xff" + "x" * (SHOWN - 4)
    assert {name: shown[name] for name in item} == item
    assert "NotAnEvent" in shown["traceback"]


@pytest.mark.parametrize(
    ("method", "given", "field"),
    [
        ("list", {"state": "lost"}, "state"),
        ("list", {"limit": 0}, "limit"),
        ("list", {"limit": 1_001}, "limit"),
        ("list", {"cursor": {"$gt": ""}}, "cursor"),
        ("list", {"queue": "q"}, "queue"),
        ("show", {}, "id"),
        ("replay", {"id": "m-1"}, "why"),
        ("replay", {"id": "m-1", "why": " "}, "why"),
        ("discard", {"id": "m-1", "why": "x" * 501}, "why"),
    ],
)
def test_what_is_asked_wrongly_is_named(listening, method, given, field):
    with pytest.raises(InvalidInput) as wrong:
        ask(listening, method, **given)
    assert [error.field for error in wrong.value.errors] == [field]


@pytest.mark.usefixtures("bad")
def test_only_operators_see_and_settle_what_is_parked(listening):
    id_ = the_one(listening)["_id"]
    for method, given in (
        ("list", {}),
        ("show", {"id": id_}),
        ("replay", {"id": id_, "why": "x"}),
        ("discard", {"id": id_, "why": "x"}),
    ):
        with pytest.raises(NotAllowed):
            ask(listening, method, roles=("recorder", "verifier", "chair", "finance"), **given)

    assert the_one(listening)["state"] == "waiting"
    with pytest.raises(NotFound):
        ask(listening, "show", id="m-unknown")
