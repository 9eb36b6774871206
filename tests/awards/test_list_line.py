"""Lines of an award list: what follows from the results, what the committee changes, and other prizes."""

from dataclasses import replace

import pytest

from services.awards.domain.award_list import Decision, DecisionUnfounded, NotRanked, OverCap, OverQuota
from services.awards.domain.list_line import ListedTwice, OtherAward, WrongSubject, draw_up
from services.awards.domain.ranking import BoundaryTie
from services.contract.awards import Quota
from tests.awards.publicity import MINUTE, a_place, deliberated, of_places, results


def drawn(edition=None, found=None, *, proposed=None, **changes):
    found = found or results()
    everybody = {place.entry_id for places in found.places.values() for place in places}
    return draw_up(edition or deliberated(), found, proposed=everybody if proposed is None else proposed, **changes)


def said(lines):
    return " ".join(f"{line.line_no}:{line.subject_id}:{line.award_kind}:{line.grade}" for line in lines)


def a_decision(entry_id="n-4", grade="second", reason="终审答辩突出", minute=MINUTE):
    return Decision(entry_id=entry_id, grade=grade, reason=reason, minute=minute)


def test_the_list_has_the_prizes_of_the_quotas_from_the_top():
    assert said(drawn()) == "1:n-1:graded:first 2:n-2:graded:second 3:n-3:graded:second"


@pytest.mark.rule("A-18")
def test_a_quota_in_percent_is_a_share_of_those_who_were_judged():
    tenth = deliberated(quotas=(Quota(grade="first", percent=10),))

    assert len(drawn(tenth, results(19))) == 1
    assert len(drawn(tenth, results(20))) == 2


@pytest.mark.rule("A-18")
def test_the_committee_gives_no_more_than_the_quotas_and_the_cap():
    with pytest.raises(OverQuota):
        drawn(decisions=[a_decision()])
    with pytest.raises(OverCap):
        drawn(deliberated(award_cap_percent=20))


@pytest.mark.rule("A-19")
def test_a_tie_at_the_last_first_prize_is_resolved_before_and_the_deciding_step_is_on_the_line():
    tied = [a_place(1, "n-1", decided_by=None), a_place(1, "n-2", decided_by=None), a_place(3)]
    with pytest.raises(BoundaryTie):
        drawn(found=of_places(*tied))

    resolved = [
        a_place(1, decided_by="committee"),
        a_place(2, decided_by="committee"),
        a_place(3, decided_by="lower_stdev"),
    ]
    lines = drawn(deliberated(award_cap_percent=100), of_places(*resolved))
    assert [(line.rank, line.decided_by) for line in lines] == [
        (1, "committee"), (2, "committee"), (3, "lower_stdev"),
    ]  # fmt: skip


@pytest.mark.rule("A-19")
def test_a_tie_at_the_edge_goes_as_the_edition_says():
    tied = [a_place(1, "n-1", decided_by=None), a_place(1, "n-2", decided_by=None), *map(a_place, range(3, 11))]
    found = of_places(*tied)
    quotas = (Quota(grade="first", places=1),)

    assert len(drawn(deliberated(tie_policy="expand", quotas=quotas), found)) == 2
    assert len(drawn(deliberated(tie_policy="shrink", quotas=quotas), found)) == 0


@pytest.mark.rule("A-20")
def test_a_departure_from_the_results_has_a_reason_and_a_minute_and_shows_on_its_line():
    down = a_decision("n-3", "none")
    lines = drawn(decisions=[down, a_decision()])

    assert said(lines) == "1:n-1:graded:first 2:n-2:graded:second 3:n-4:graded:second"
    assert [line.departs for line in lines] == [False, False, True]
    for lacking in ({"reason": None}, {"minute": None}):
        with pytest.raises(DecisionUnfounded):
            drawn(decisions=[replace(down, **lacking)])


@pytest.mark.rule("A-20")
def test_whoever_is_no_longer_proposed_leaves_its_place_to_the_next_and_is_not_on_the_list():
    left = {f"n-{number}" for number in range(2, 11)}

    assert said(drawn(proposed=left)) == "1:n-2:graded:first 2:n-3:graded:second 3:n-4:graded:second"
    with pytest.raises(NotRanked):
        drawn(proposed=left, decisions=[a_decision("n-1")])
    with pytest.raises(NotRanked):
        drawn(proposed=left, other_awards=[an_award(subject_id="n-1")])


def test_other_prizes_come_after_the_grades_and_an_entry_may_have_both():
    others = [an_award(), an_award("organisation", "organisation", "o-1"), an_award("tutor", "person", "p-he")]

    lines = drawn(other_awards=others)[3:]

    assert said(lines) == "4:n-1:special:none 5:o-1:organisation:none 6:p-he:tutor:none"
    assert [line.entry_id for line in lines] == ["n-1", None, None]


@pytest.mark.rule("A-20")
@pytest.mark.parametrize(
    ("award_kind", "subject_type"),
    [("graded", "entry"), ("organisation", "entry"), ("organisation", "person"), ("tutor", "entry")],
)
def test_a_prize_goes_to_whom_it_is_for(award_kind, subject_type):
    with pytest.raises(WrongSubject):
        drawn(other_awards=[an_award(award_kind, subject_type)])


@pytest.mark.rule("A-20")
def test_a_prize_is_on_the_list_once_for_each_subject():
    with pytest.raises(ListedTwice):
        drawn(other_awards=[an_award(), an_award()])
    assert len(drawn(other_awards=[an_award(), an_award("commendation")])) == 5


def an_award(award_kind="special", subject_type="entry", subject_id="n-1"):
    return OtherAward(award_kind=award_kind, subject_type=subject_type, subject_id=subject_id)
