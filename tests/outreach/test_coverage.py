"""The rules of media coverage and of commemorative days."""

from dataclasses import replace
from datetime import date
from functools import partial

import pytest

from services import contract
from services.kernel.day import NotYet
from services.kernel.duty import SamePerson
from services.outreach.domain import commemorative_day, media_coverage, second_person
from services.outreach.domain.commemorative_day import LIFECYCLE, NotOfThisDay
from services.outreach.domain.media_coverage import ClipMissing
from tests.machines import follows_the_machine
from tests.outreach.examples import a_campaign

TODAY = date(2011, 6, 30)
EARTH = date(2011, 4, 22)
CLIP = {"outlet": "四川日报", "outlet_level": "province", "channel_kind": "newspaper", "title": "科普之春进乡村"}


def a_report(*, state="recorded", **changes):
    """Recorded by u-li by its address."""
    given = {**CLIP, "published_on": EARTH, "url": "https://a.cn/1", "today": TODAY, "by": "u-li", **changes}
    return replace(media_coverage.record(**given).record, state=state)


def a_day(*, state="listed"):
    return replace(commemorative_day.enter(name="世界地球日", day=EARTH).record, state=state)


def of_the_day(**changes):
    return a_campaign(**{"campaign_kind": "commemorative", "starts_on": EARTH, "ends_on": EARTH, **changes})


OF_REPORTS = {
    ("verified", "verified"): lambda it: second_person.verify(it, by="u-wang"),
    ("rejected", "rejected"): lambda it: second_person.reject(it, reason="与科协工作无关"),
}
OF_DAYS = {
    ("covered", "covered"): lambda it: commemorative_day.cover(it, campaign_id="c-earth", campaign=of_the_day()),
    ("listed", "uncovered"): lambda it: commemorative_day.uncover(it, reason="活动未举办"),
    ("struck", "struck"): lambda it: commemorative_day.strike(it, reason="重复"),
}


@pytest.mark.parametrize("state", second_person.LIFECYCLE.states)
@pytest.mark.parametrize(("to", "happening"), OF_REPORTS)
@pytest.mark.rule("X-12")
def test_a_report_allows_its_own_moves_and_refuses_all_others(state, to, happening):
    do = partial(OF_REPORTS[to, happening], a_report(state=state))

    follows_the_machine(second_person.LIFECYCLE, state, to, do, happened=happening)


@pytest.mark.parametrize("state", LIFECYCLE.states)
@pytest.mark.parametrize(("to", "happening"), OF_DAYS)
@pytest.mark.rule("X-12")
def test_a_day_allows_its_own_moves_and_refuses_all_others(state, to, happening):
    follows_the_machine(LIFECYCLE, state, to, partial(OF_DAYS[to, happening], a_day(state=state)), happened=happening)


def test_the_machines_have_the_states_and_happenings_of_the_contract():
    reports, days = contract.outreach.MediaCoverage.kind, contract.outreach.CommemorativeDay.kind

    assert set(second_person.LIFECYCLE.states) == set(reports.states)
    assert {"recorded", *(happening for _, happening in OF_REPORTS)} == set(reports.happenings)
    assert set(LIFECYCLE.states) == set(days.states)
    assert {"listed", *(happening for _, happening in OF_DAYS)} == set(days.happenings)


@pytest.mark.rule("O-23")
def test_coverage_is_shown_by_its_address_or_by_the_file_of_the_clip():
    with pytest.raises(ClipMissing):
        a_report(url=None)

    assert a_report(url=None, clip_sha256="a" * 64).url is None


@pytest.mark.rule("X-05", "X-07")
def test_coverage_of_the_past_is_verified_by_somebody_else():
    with pytest.raises(NotYet):
        a_report(published_on=date(2011, 7, 1))
    with pytest.raises(SamePerson):
        second_person.verify(a_report(), by="u-li")


@pytest.mark.rule("O-28")
@pytest.mark.parametrize(
    "changes", [{"campaign_kind": "st_week"}, {"ends_on": date(2011, 4, 21), "starts_on": date(2011, 4, 20)}]
)
def test_a_day_is_covered_by_a_commemorative_campaign_on_that_day_alone(changes):
    with pytest.raises(NotOfThisDay):
        commemorative_day.cover(a_day(), campaign_id="c-1", campaign=of_the_day(**changes))

    covered = commemorative_day.cover(a_day(), campaign_id="c-1", campaign=of_the_day()).record
    assert covered.campaign_id == "c-1"
    assert commemorative_day.uncover(covered, reason="活动未举办").record.campaign_id is None


def test_a_day_has_one_identity_however_its_name_is_written_until_it_is_struck_off():
    again = commemorative_day.enter(name="世界 地球日", day=EARTH).record
    county = commemorative_day.enter(name="世界地球日", day=EARTH, district="511132").record

    assert again.identity == a_day().identity != county.identity
    assert commemorative_day.strike(again, reason="重复").record.identity is None
