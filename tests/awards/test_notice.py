"""The rules of award lists: on display for so many days, granted line by line where nobody objects."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial

import pytest

from services import contract
from services.awards.domain import edition, entry, notice
from services.awards.domain.notice import (
    LIFECYCLE,
    EntriesUndecided,
    GrantedEarly,
    GrantedWithoutDocument,
    ListEmpty,
    ListWithoutMinute,
    NothingToGrant,
)
from services.contract.awards import Quota
from services.kernel import ForbiddenMove
from services.kernel.calendar import SHANGHAI
from services.kernel.day import NotYet, Over
from tests.awards.examples import an_edition, an_entry
from tests.awards.publicity import (
    DOCUMENT,
    LAST_MOMENT,
    OVER,
    STARTS_ON,
    a_line,
    a_notice,
    deliberated,
    published,
)
from tests.machines import follows_the_machine

KIND = contract.awards.Notice.kind
NOTHING = frozenset()


def granted(held, *, contested=NOTHING, refuted=NOTHING, at=OVER, document_no=DOCUMENT, **changes):
    return notice.grant(
        held, deliberated(), contested=contested, refuted=refuted, at=at, document_no=document_no, **changes
    )


def struck(held, *refuted):
    return notice.strike(held, refuted=refuted)


def states(held):
    return [line.state for line in held.lines]


MOVES = {
    "granted": (granted, "granted"),
    "withdrawn": (lambda held: notice.withdraw(held, reason="名单有误"), "withdrawn"),
}


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize("to", MOVES)
def test_a_state_allows_its_own_moves_and_refuses_all_others(state, to):
    do, happening = MOVES[to]

    follows_the_machine(LIFECYCLE, state, to, partial(do, a_notice(state=state)), happened=happening)
    assert happening in KIND.happenings


def test_the_machine_has_the_states_of_the_contract_and_each_move_has_its_command():
    assert set(LIFECYCLE.states) == set(KIND.states)
    assert {to for targets in LIFECYCLE.moves.values() for to in targets} == set(MOVES)


# --- the publication --------------------------------------------------------------------------------------------------


@pytest.mark.rule("X-12")
@pytest.mark.parametrize("state", edition.LIFECYCLE.states)
def test_a_list_is_published_of_a_deliberated_edition_only(state):
    if state == "deliberation":
        assert published(replace(deliberated(), state=state)).happened == "published"
    else:
        with pytest.raises(ForbiddenMove, match=f"state={state}"):
            published(replace(deliberated(), state=state))


@pytest.mark.rule("A-20")
@pytest.mark.parametrize("lacking", ["minute_no", "minute_sha256"])
def test_a_list_is_published_with_the_committee_s_minute(lacking):
    with pytest.raises(ListWithoutMinute):
        published(**{lacking: None})


@pytest.mark.rule("A-20")
@pytest.mark.parametrize("state", entry.LIFECYCLE.states)
def test_a_list_comes_once_every_entry_was_decided_on(state):
    entry_states = {**{f"n-{number}": "proposed" for number in range(1, 11)}, "n-11": state}

    if state in ("submitted", "returned", "eligible", "in_review", "shortlisted"):
        with pytest.raises(EntriesUndecided, match="entries=1"):
            published(entry_states=entry_states)
    else:
        assert len(published(entry_states=entry_states).record.lines) == 3


@pytest.mark.rule("A-20")
def test_a_list_without_a_prize_is_none():
    with pytest.raises(ListEmpty):
        published(deliberated(quotas=()))


@pytest.mark.rule("X-07")
def test_a_list_is_on_display_from_today_on_at_the_earliest():
    assert published(today=STARTS_ON).happened == "published"
    with pytest.raises(Over):
        published(today=STARTS_ON + timedelta(days=1))


@pytest.mark.rule("X-07")
@pytest.mark.parametrize(
    ("unit", "days", "ends"),
    [("calendar", 7, (2011, 5, 10)), ("working", 5, (2011, 5, 10)), ("calendar", 1, (2011, 5, 4))],
)
def test_the_period_ends_with_the_last_moment_of_its_last_day(unit, days, ends):
    held = published(deliberated(publicity_unit=unit, publicity_days=days)).record  # 3 May 2011 is a Tuesday

    assert held.starts_at == datetime(2011, 5, 3, tzinfo=SHANGHAI)
    assert held.ends_at == datetime(*ends, tzinfo=SHANGHAI)


def test_everybody_reads_when_the_period_starts_and_ends_and_nobody_the_reasons_of_the_committee():
    quotas = (Quota(grade="first", places=1),)
    view = KIND.write(published(deliberated(quotas=quotas)).record)

    assert (view["starts_at"], view["ends_at"]) == ("2011-05-03T00:00:00+08:00", "2011-05-10T00:00:00+08:00")
    assert [line["subject_id"] for line in view["lines"]] == ["n-1"]
    assert not {"minute_no", "decisions", "published_by"} & set(view)


# --- the grant --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-21", "X-07")
def test_prizes_are_granted_from_the_first_moment_after_the_last_day():
    with pytest.raises(GrantedEarly):
        granted(a_notice(), at=LAST_MOMENT)

    change = granted(a_notice(), at=OVER)
    assert states(change.record) == ["granted", "granted"]
    assert {(line.document_no, line.granted_on) for line in change.record.lines} == {(DOCUMENT, date(2011, 5, 10))}


@pytest.mark.rule("A-21")
def test_a_decision_is_not_older_than_the_end_of_the_period_nor_of_a_day_to_come():
    later = OVER + timedelta(days=3)

    assert granted(a_notice(), at=later, granted_on=date(2011, 5, 10)).happened == "granted"
    with pytest.raises(GrantedEarly):
        granted(a_notice(), at=later, granted_on=date(2011, 5, 9))
    with pytest.raises(NotYet):
        granted(a_notice(), at=later, granted_on=date(2011, 5, 14))


@pytest.mark.rule("A-21")
@pytest.mark.parametrize("document_no", [None, ""])
def test_prizes_are_granted_by_a_document(document_no):
    with pytest.raises(GrantedWithoutDocument):
        granted(a_notice(), document_no=document_no)


@pytest.mark.rule("A-21")
def test_a_line_that_is_objected_to_waits_and_the_others_do_not():
    held = granted(a_notice(), contested={2}).record
    assert states(held) == ["granted", "held"]
    with pytest.raises(NothingToGrant):
        granted(held, contested={2})

    later = granted(held, document_no="乐科协〔2011〕20号").record
    assert [line.document_no for line in later.lines] == [DOCUMENT, "乐科协〔2011〕20号"]
    with pytest.raises(NothingToGrant):
        granted(later)


@pytest.mark.rule("A-21")
def test_what_was_rightly_objected_to_is_struck_by_the_grant_where_the_list_had_not_heard_of_it():
    assert states(granted(a_notice(), refuted={1}).record) == ["struck", "granted"]
    with pytest.raises(NothingToGrant):
        granted(a_notice(), refuted={1}, contested={2})


@pytest.mark.rule("A-25")
def test_a_granted_prize_stays_granted_whoever_objects_to_it_later():
    held = a_notice(a_line(1, state="granted"), a_line(2, state="struck"), a_line(3), state="granted")

    assert states(granted(held, contested={1, 2}).record) == ["granted", "struck", "granted"]


@pytest.mark.rule("A-21")
def test_all_prizes_of_the_one_who_is_objected_to_wait():
    special = a_line(3, award_kind="special", grade="none", subject_id="n-1")
    namesake = a_line(4, award_kind="tutor", grade="none", subject_type="person", subject_id="n-1")

    held = granted(a_notice(a_line(1), a_line(2), special, namesake), contested={3}).record

    assert states(held) == ["held", "granted", "held", "granted"]


# --- objections -------------------------------------------------------------------------------------------------------


def test_all_prizes_of_the_one_who_was_rightly_objected_to_are_struck_once():
    special = a_line(3, award_kind="special", grade="none", subject_id="n-1")
    change = struck(a_notice(a_line(1, state="held"), a_line(2), special), 1)

    assert (states(change.record), change.happened) == (["struck", "proposed", "struck"], "struck")
    assert struck(change.record, 1) is None
    assert states(granted(change.record).record) == ["struck", "granted", "struck"]


def test_nothing_follows_where_the_list_stands_no_longer():
    assert struck(a_notice(state="withdrawn"), 1) is None
    assert struck(a_notice()) is None


@pytest.mark.parametrize("state", LIFECYCLE.states)
def test_a_list_that_is_not_granted_ends_with_its_edition(state):
    change = notice.withdraw_with_edition(a_notice(state=state))

    assert (change and change.record.state) == ("withdrawn" if state == "published" else None)


@pytest.mark.rule("A-25")
def test_a_granted_prize_is_not_struck():
    assert struck(a_notice(a_line(1, state="granted"), state="granted"), 1) is None


# --- who follows a list -----------------------------------------------------------------------------------------------


PUBLISHED = a_notice(a_line(1))
STRUCK = a_notice(a_line(1, state="struck"))
GRANTED = a_notice(a_line(1, state="granted"), state="granted")
WITHOUT = a_notice(a_line(2))
GRANTED_WITHOUT = a_notice(a_line(2, state="granted"), state="granted")
OBJECTED, REFUTED = {"contested": {1}}, {"contested": {1}, "refuted": {1}}


def followed(state, held, *, times=1, **objections):
    """What becomes of entry n-1 that follows this list."""
    one = an_entry(state=state)
    for _ in range(times):
        change = entry.follow_list(one, to=notice.entry_state(held, "n-1", **objections))
        one = change.record if change else one
    return one.state


@pytest.mark.parametrize(
    ("state", "held", "objections", "then"),
    [
        ("proposed", PUBLISHED, {}, "on_publicity"),
        ("proposed", WITHOUT, {}, "proposed"),
        ("proposed", GRANTED_WITHOUT, {}, "not_awarded"),
        ("eliminated", WITHOUT, {}, "eliminated"),
        ("eliminated", GRANTED_WITHOUT, {}, "not_awarded"),
        ("on_publicity", PUBLISHED, OBJECTED, "on_hold"),
        ("on_hold", PUBLISHED, OBJECTED, "on_hold"),
        ("on_hold", PUBLISHED, {}, "on_publicity"),
        ("on_hold", PUBLISHED, REFUTED, "not_awarded"),
        ("on_hold", STRUCK, {}, "not_awarded"),
        ("on_publicity", GRANTED, {}, "awarded"),
        ("on_publicity", None, {}, "proposed"),
        ("on_hold", None, {}, "proposed"),
        ("disqualified", GRANTED, {}, "disqualified"),
        ("in_review", None, {}, "in_review"),
        ("revoked", GRANTED, {}, "revoked"),
    ],
)
def test_an_entry_is_as_the_list_and_the_objections_say(state, held, objections, then):
    assert followed(state, held, **objections) == then


@pytest.mark.parametrize(
    ("held", "objections", "then"),
    [(PUBLISHED, OBJECTED, "on_hold"), (GRANTED, {}, "awarded"), (STRUCK, {}, "not_awarded")],
)
@pytest.mark.parametrize("state", ["proposed", "on_publicity", "on_hold"])
def test_an_entry_that_hears_of_two_steps_late_has_taken_both(state, held, objections, then):
    assert followed(state, held, times=2, **objections) == then


def test_an_entry_waits_whichever_of_its_prizes_is_objected_to():
    special = a_line(2, award_kind="special", grade="none", subject_id="n-1")

    assert followed("on_publicity", a_notice(a_line(1), special), contested={2}) == "on_hold"


@pytest.mark.parametrize(
    ("state", "lists", "then"),
    [
        ("deliberation", [PUBLISHED], "publicity"),
        ("publicity", [GRANTED], "granted"),
        ("deliberation", [GRANTED, GRANTED], "granted"),
        ("publicity", [None], "deliberation"),
        ("deliberation", [None], "deliberation"),
        ("judging", [None], "judging"),
        ("archived", [GRANTED], "archived"),
    ],
)
def test_an_edition_is_as_its_list_says(state, lists, then):
    one = an_edition(state=state)
    for held in lists:
        change = edition.follow_list(one, to=notice.edition_state(held))
        one = change.record if change else one

    assert one.state == then
