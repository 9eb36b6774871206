from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services import contract
from services.kernel import ForbiddenMove, Refusal
from services.kernel.day import NotYet
from services.kernel.quantity import NotWhole
from services.rural.domain import service_point
from services.rural.domain.service_point import (
    LIFECYCLE,
    PART_LIFECYCLE,
    STANDING,
    AcceptedByBuilder,
    ContentMissing,
    OfficerUnnamed,
    PhotoMissing,
)
from tests.rural.examples import A_PHOTO, LATER, a_complete_point, a_part, a_point, an_acceptance

PARTS = ("station", "column", "officer")


def operate(point, part, **changes):
    return service_point.operate(point, part=part, **{"on": date(2011, 6, 1), "today": LATER, **changes})


def check(point, on, **changes):
    return service_point.check(point, on=on, **{"today": LATER, **changes})


def recheck(point, part, **changes):
    usual = {"on": date(2011, 12, 1), "photo_ids": (A_PHOTO,), "today": LATER, "by": "u-wang"}
    return service_point.recheck(point, part=part, **{**usual, **changes})


COMMANDS = {
    "build": lambda point, part: service_point.build(point, part=part, by="u-li"),
    "accept": lambda point, part: service_point.accept(point, **an_acceptance(part)),
    "operate": operate,
    "lapse": lambda point, part: service_point.lapse(point, part=part, reason="屋顶漏水"),
    "recheck": recheck,
}
ALLOWED = {
    "planned": {"build": "built"},
    "built": {"accept": "accepted"},
    "accepted": {"operate": "operating", "lapse": "lapsed"},
    "operating": {"operate": "operating", "lapse": "lapsed"},
    "lapsed": {"recheck": "operating"},
}
HAPPENS = {
    "build": "built",
    "accept": "accepted",
    "operate": "operated",
    "lapse": "part_lapsed",
    "recheck": "rechecked",
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", PART_LIFECYCLE.states)
def test_a_command_moves_a_part_only_from_the_states_that_allow_it(state, command, part):
    point = a_point(**{part: state})

    if command in ALLOWED[state]:
        change = COMMANDS[command](point, part)

        assert change.happened == HAPPENS[command]
        assert getattr(change.record, part) == ALLOWED[state][command]
        assert change.record.state == "incomplete"
    else:
        with pytest.raises(ForbiddenMove):
            COMMANDS[command](point, part)


STATIONS = {"incomplete": "built", "complete": "accepted", "lapsed": "lapsed"}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize(("command", "to"), [("accept", "complete"), ("recheck", "complete"), ("lapse", "lapsed")])
def test_a_set_becomes_what_its_last_part_makes_of_it(state, command, to):
    point = a_complete_point(station=STATIONS[state], state=state)

    if command in ALLOWED[STATIONS[state]]:
        assert to in LIFECYCLE.moves[state]
        assert COMMANDS[command](point, "station").record.state == to
    else:
        with pytest.raises(ForbiddenMove):
            COMMANDS[command](point, "station")


def test_the_machines_have_the_states_of_the_contract_and_no_move_that_no_command_makes():
    made = {(state, target) for state, commands in ALLOWED.items() for target in commands.values()}
    moves = {(state, target) for state, targets in PART_LIFECYCLE.moves.items() for target in targets}

    assert made == moves
    assert set(PART_LIFECYCLE.states) == set(contract.rural.ServicePoint.kind.fields["station"].choices)
    assert set(LIFECYCLE.states) == set(contract.rural.ServicePoint.kind.states)


def test_the_record_offers_every_field_of_its_view_and_nobody_to_call():
    said = contract.rural.ServicePoint.kind.write(a_complete_point())

    assert contract.rural.ServicePoint.kind.read(said).parts_accepted == 3
    assert said["district"] == "511126"
    assert not {"p-he", "0833-0000000", A_PHOTO} & {str(value) for value in said.values()}


def test_the_set_is_complete_with_the_third_part_and_not_with_two():
    one = service_point.accept(a_point(station="built", column="built", officer="built"), **an_acceptance("station"))
    two = service_point.accept(one.record, **an_acceptance("column"))
    three = service_point.accept(two.record, **an_acceptance("officer"))

    assert [one.happened, two.happened, three.happened] == ["accepted", "accepted", "completed"]
    assert [change.record.parts_accepted for change in (one, two, three)] == [1, 2, 3]
    assert two.record.completed_on is None
    assert three.record.state == "complete"


def test_the_set_is_complete_from_the_day_of_its_last_part_whatever_was_entered_last():
    point = a_point(station="accepted", column="built", officer="built")
    point = service_point.accept(point, **an_acceptance("officer", accepted_on=date(2011, 12, 20))).record

    complete = service_point.accept(point, **an_acceptance("column", accepted_on=date(2011, 11, 2))).record

    assert complete.completed_on == date(2011, 12, 20)


def test_a_set_that_lost_a_part_is_complete_again_after_a_recheck_and_keeps_its_day():
    lapsed = service_point.lapse(a_complete_point(), part="station", reason="屋顶漏水")
    again = recheck(lapsed.record, "station")

    assert (lapsed.happened, lapsed.record.state, lapsed.reason) == ("lapsed", "lapsed", "屋顶漏水")
    assert lapsed.record.completed_on == date(2011, 5, 12)
    assert (again.happened, again.record.state) == ("completed", "complete")
    assert again.record.completed_on == date(2011, 5, 12)


def test_a_set_that_lost_two_parts_needs_both_back():
    one = service_point.lapse(a_complete_point(), part="station", reason="屋顶漏水")
    two = service_point.lapse(one.record, part="officer", reason="外出务工")
    half = recheck(two.record, "station")
    whole = recheck(half.record, "officer")

    assert [one.happened, two.happened, half.happened, whole.happened] == [
        "lapsed",
        "part_lapsed",
        "rechecked",
        "completed",
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([*COMMANDS, "check"]), st.sampled_from(PARTS)),
        max_size=30,
    )
)
def test_the_set_is_complete_exactly_while_three_parts_stand_and_says_so_whenever_that_changes(steps):
    point = a_point()
    for command, part in steps:
        was = point.state
        try:
            change = check(point, on=date(2012, 6, 1)) if command == "check" else COMMANDS[command](point, part)
        except Refusal:
            continue
        if change is None:
            continue
        point = change.record

        stands = all(getattr(point, name) in STANDING for name in PARTS)
        assert (point.state == "complete") == stands
        assert (change.happened == "completed") == (was != "complete" and stands)
        assert (change.happened == "lapsed") == (was == "complete" and not stands)
        assert change.happened in contract.rural.ServicePoint.kind.happenings


@pytest.mark.rule("R-17")
@pytest.mark.parametrize("part", PARTS)
def test_whoever_built_a_part_does_not_accept_it(part):
    with pytest.raises(AcceptedByBuilder, match="built_by=u-li"):
        service_point.accept(a_point(**{part: "built"}), **an_acceptance(part, by="u-li"))
    with pytest.raises(AcceptedByBuilder):
        recheck(a_point(**{part: "lapsed"}), part, by="u-li")


@pytest.mark.rule("R-17")
@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_accepted_with_a_photo(part):
    with pytest.raises(PhotoMissing):
        service_point.accept(a_point(**{part: "built"}), **an_acceptance(part, photo_ids=()))
    with pytest.raises(PhotoMissing):
        recheck(a_point(**{part: "lapsed"}), part, photo_ids=())


@pytest.mark.rule("R-17")
def test_a_column_has_its_first_content_by_the_day_it_is_accepted():
    point = a_point(column="built")

    for late in (None, date(2011, 5, 13)):
        with pytest.raises(ContentMissing):
            service_point.accept(point, **an_acceptance("column", content_on=late))
    change = service_point.accept(point, **an_acceptance("column", content_on=date(2011, 5, 12)))
    assert change.happened == "accepted"


def test_a_station_needs_no_activity_before_it_is_accepted():
    change = service_point.accept(a_point(station="built"), **an_acceptance("station", content_on=None))

    assert change.happened == "accepted"


@pytest.mark.rule("R-17")
@pytest.mark.parametrize(("lacking", "word"), [("person_id", "person"), ("phone", "phone")])
def test_an_officer_is_a_named_person_with_a_telephone_number(lacking, word):
    point = a_point(officer=a_part("built", **{lacking: None}))

    with pytest.raises(OfficerUnnamed, match=word):
        service_point.accept(point, **an_acceptance("officer"))


def test_another_person_can_take_over_from_a_lapsed_officer():
    point = a_point(officer="lapsed")

    taken_over = recheck(point, "officer", person_id="p-lan", phone="0833-1111111").record.parts.officer
    kept = recheck(point, "officer").record.parts.officer

    assert (taken_over.person_id, taken_over.phone) == ("p-lan", "0833-1111111")
    assert kept.person_id == "p-he"


@pytest.mark.rule("X-07")
@pytest.mark.parametrize("day", ["accepted_on", "content_on"])
def test_a_part_is_accepted_on_a_day_that_has_come_and_shows_content_of_such_a_day(day):
    point, acceptance = a_point(station="built"), an_acceptance("station", today=date(2011, 5, 20))

    with pytest.raises(NotYet, match=f"{day}=2011-05-21"):
        service_point.accept(point, **{**acceptance, day: date(2011, 5, 21)})
    assert service_point.accept(point, **{**acceptance, day: date(2011, 5, 20)}).happened == "accepted"


@pytest.mark.rule("X-07")
def test_nothing_is_noted_rechecked_or_found_silent_on_a_day_that_is_still_to_come():
    today, tomorrow = date(2012, 3, 1), date(2012, 3, 2)
    standing, lapsed = a_complete_point(), a_point(station="lapsed")

    for deed in (
        lambda on: operate(standing, "station", on=on, today=today),
        lambda on: recheck(lapsed, "station", on=on, today=today),
        lambda on: check(standing, on=on, today=today),
    ):
        with pytest.raises(NotYet, match="on=2012-03-02, today=2012-03-01"):
            deed(tomorrow)
        assert deed(today) is not None


@pytest.mark.rule("R-16")
def test_a_column_lapses_after_six_months_and_a_day_without_content_and_not_before():
    point = a_complete_point(
        station=a_part("operating", last_on=date(2011, 11, 1)), column=a_part("operating", last_on=date(2011, 5, 9))
    )

    assert check(point, on=date(2011, 11, 9)) is None
    change = check(point, on=date(2011, 11, 10))
    assert change.happened == "lapsed"
    assert change.reason == "column silent for more than 6 months on 2011-11-10"
    assert (change.record.station, change.record.column) == ("operating", "lapsed")


@pytest.mark.rule("R-16")
def test_a_check_lapses_station_and_column_together_and_leaves_the_officer():
    change = check(a_complete_point(), on=date(2012, 3, 1))

    assert (change.record.station, change.record.column, change.record.officer) == ("lapsed", "lapsed", "accepted")
    assert check(change.record, on=date(2012, 3, 1)) is None


@pytest.mark.rule("R-16")
def test_the_months_of_silence_are_a_setting():
    assert check(a_complete_point(), on=date(2011, 8, 10), months=3) is not None
    assert check(a_complete_point(), on=date(2011, 8, 10)) is None


@pytest.mark.rule("R-16")
def test_a_station_without_any_activity_is_silent_since_its_acceptance():
    never = a_part("accepted", stands_since=date(2011, 5, 10), last_on=None)
    point = a_complete_point(station=never, column=a_part("operating", last_on=date(2011, 11, 10)))

    assert check(point, on=date(2011, 11, 10)) is None
    assert check(point, on=date(2011, 11, 11)).record.station == "lapsed"


def test_new_content_ends_the_silence_and_an_older_one_entered_late_changes_nothing():
    point = a_complete_point()

    point = operate(point, part="column", on=date(2011, 10, 1), note="第5期：柑橘病虫害").record
    point = operate(point, part="column", on=date(2011, 8, 1)).record

    assert point.parts.column.last_on == date(2011, 10, 1)
    assert point.state == "complete"


def test_a_rechecked_column_has_its_whole_time_again():
    lapsed = check(a_complete_point(), on=date(2011, 12, 1)).record

    again = recheck(recheck(lapsed, "column").record, "station").record

    assert again.state == "complete"
    assert check(again, on=date(2012, 6, 1)) is None
    assert check(again, on=date(2012, 6, 2)) is not None


@pytest.mark.rule("X-06")
def test_the_capacity_is_a_whole_number_or_not_known():
    new = {"name": "联合村服务站", "village_code": "511126101203", "host_id": "a-1"}

    with pytest.raises(NotWhole):
        service_point.plan(**new, capacity=-1)
    assert service_point.plan(**new).record.capacity is None
