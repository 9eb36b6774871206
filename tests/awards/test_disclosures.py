"""What a judge sees through the service, and what a judge does not (A-12, A-13)."""

import pytest

from services.awards.service import Awards
from services.chassis.entrypoints import Query
from services.chassis.problem import NotAllowed
from services.chassis.tokens import READERS, STAFF
from tests.awards.jury import EDITION, Jury, scores

TELLING = ("s-n-1", "p-n-1", "p-tutor-n-1", "o-shizhong", "511102", "f" * 64)


@pytest.fixture
def jury(running):
    return Jury(running)


def own(jury, judge_id="p-1"):
    return jury.as_judge(judge_id, "my_sheets", edition_id=EDITION)["sheets"]


def sheet_of(jury, judge_id, entry_id="n-1"):
    (found,) = [one for one in own(jury, judge_id) if one["id"] == jury.sheet(judge_id, entry_id)]
    return found


@pytest.mark.rule("A-13")
def test_a_judge_of_a_blind_category_sees_codes_and_nothing_that_tells_whose_an_entry_is(jury):
    jury.seat("p-1", "p-2")

    shown = own(jury)

    assert sorted(one["entry"]["blind_code"] for one in shown) == ["CODEn-1", "CODEn-2"]
    assert {(one["entry"]["title"], tuple(one["entry"]["files"])) for one in shown} == {(None, ())}
    assert not [word for word in (*TELLING, "n-1 ", "'n-1'") if word in str(shown)]
    assert [one["criterion_code"] for one in shown[0]["criteria"]] == ["innovation"]


@pytest.mark.rule("A-13")
def test_title_and_files_of_a_blind_entry_are_shown_once_somebody_looked_at_them(running):
    jury = Jury(running, entries=())
    jury.enter("n-1")
    checked = {"entry_id": "n-1", "eligible": True, "by": "u-wang", "role": "verifier"}
    assert jury.refused("check_eligibility", **checked, anonymous_files=["0" * 64]) == "A-13"
    jury.do("check_eligibility", **checked, anonymous_files=["e" * 64], anonymous_title=True)
    jury.seat("p-1", "p-2")

    (shown,) = own(jury)

    assert (shown["entry"]["title"], shown["entry"]["files"]) == ("作品n-1", ["e" * 64])


def test_of_an_open_category_a_judge_sees_title_and_unit_and_not_the_signed_form(running):
    jury = Jury(running, blind=False)
    jury.seat("p-1", "p-2")

    shown = sheet_of(jury, "p-1")["entry"]

    assert (shown["title"], shown["nominating_unit_id"]) == ("作品n-1", "o-shizhong")
    assert shown["files"] == ["e" * 64]


@pytest.mark.rule("A-12")
def test_others_scores_and_averages_are_shown_once_the_own_sheet_is_locked(jury):
    jury.seat("p-1", "p-2")
    jury.finish("p-2", points="90")
    jury.accept("p-1")
    jury.score("p-1", points="80")
    mine, of_round = {"sheet_id": jury.sheet("p-1")}, {"edition_id": EDITION, "round_no": 1}

    assert jury.refused("scores_of_others", by="p-1", role="judge", **mine) == "A-12"
    assert jury.as_judge("p-1", "averages_of_my_entries", **of_round)["averages"] == []
    assert sheet_of(jury, "p-1")["scores"] == {"innovation": "80"}

    jury.lock("p-1")
    assert jury.as_judge("p-1", "scores_of_others", **mine)["scores"] == [{"innovation": "90"}]
    averages = jury.as_judge("p-1", "averages_of_my_entries", **of_round)["averages"]
    assert averages == [{"sheet_id": mine["sheet_id"], "average": "85.0000"}]


@pytest.mark.rule("A-12")
def test_a_list_by_averages_is_shown_once_all_own_sheets_of_the_round_are_locked(jury):
    jury.seat("p-1", "p-2")
    of_round = {"edition_id": EDITION, "round_no": 1}
    jury.finish("p-1", "n-1", points="70")
    assert jury.refused("ranking_of_my_entries", by="p-1", role="judge", **of_round) == "A-12"

    jury.finish("p-1", "n-2", points="90")
    ranking = jury.as_judge("p-1", "ranking_of_my_entries", **of_round)["ranking"]
    assert [one["sheet_id"] for one in ranking] == [jury.sheet("p-1", "n-2"), jury.sheet("p-1", "n-1")]


@pytest.mark.rule("A-13")
def test_a_judge_who_came_into_conflict_sees_the_entry_no_more(jury):
    jury.seat("p-1", "p-2")
    jury.accept("p-1", "n-1")
    jury.as_judge("p-1", "declare_conflict", entry_id="n-1", conflict_type="relative")
    jury.running.settle()

    flagged = sheet_of(jury, "p-1")
    assert (flagged["in_conflict"], flagged["entry"]) == (True, None)


@pytest.mark.rule("A-13")
def test_a_judge_is_told_of_a_record_that_it_was_changed_and_whoever_may_read_it_all_of_it(jury):
    jury.seat("p-1", "p-2")
    sheet = {"sheet_id": jury.sheet("p-1")}

    accepted = jury.running.call("awards", "accept_sheet", by="p-1", roles=["judge"], **sheet)
    scored = {**sheet, "scores": scores("80")}
    told = jury.running.call("awards", "submit_score", by="p-1", roles=["judge", "recorder"], **scored)

    assert accepted == {"id": sheet["sheet_id"], "version": 2, "state": "accepted"}
    assert told["entry_id"] == "n-1"


def queries():
    """Those of the service that need a token, with the roles that may ask."""
    for name in dir(Awards):
        for one in getattr(getattr(Awards, name), "nameko_entrypoints", ()):
            if isinstance(one, Query) and not one.public:
                yield name, one.roles


FOR_JUDGES = {"my_sheets", "scores_of_others", "averages_of_my_entries", "ranking_of_my_entries", "my_conflicts"}


@pytest.mark.rule("A-12", "A-13")
def test_of_all_that_can_be_asked_a_judge_may_ask_about_own_sheets_and_own_conflicts_only():
    assert {name for name, roles in queries() if "judge" in roles} == FOR_JUDGES
    assert "judge" not in {*READERS, *STAFF}


@pytest.mark.rule("A-12", "A-13")
@pytest.mark.parametrize("kind", ["entry", "score_sheet", "edition", "conflicts"])
def test_a_judge_reads_no_record_whatever_it_is(jury, kind):
    plural = {"entry": "entries", "conflicts": "conflicts"}.get(kind, f"{kind}s")

    for method, asked in (
        (f"get_{kind}", {"id": "n-1"}),
        (f"list_{plural}", {}),
        (f"history_of_{kind}", {"id": "n-1"}),
    ):
        with pytest.raises(NotAllowed):
            jury.as_judge("p-1", method, **asked)
