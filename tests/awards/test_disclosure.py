"""What a judge is shown: nothing of the others too early, and of a blind entry nobody's name."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.awards.domain.disclosure import (
    BlindCodeMissing,
    OwnSheetOpen,
    averages,
    blinded,
    means,
    ranking,
    scores_of_others,
    shown,
)
from services.awards.domain.material import Attachment
from services.awards.domain.score_sheet import LIFECYCLE, OPEN, Scores
from tests.awards.examples import a_category
from tests.awards.judging import A_RUBRIC, a_sheet, scores
from tests.awards.jury import an_eligible_entry

AVERAGES = {"e-1": Decimal("70.5"), "e-2": Decimal("81"), "e-3": Decimal("90"), "e-4": Decimal("81")}
UNLOCKED = [state for state in LIFECYCLE.states if state != "locked"]

sheets = st.lists(
    st.builds(
        lambda judge, entry, state: a_sheet(judge_id=judge, entry_id=entry, state=state),
        st.sampled_from(["p-luo", "p-wu", "p-he"]),
        st.sampled_from(list(AVERAGES)),
        st.sampled_from(LIFECYCLE.states),
    ),
    unique_by=lambda sheet: (sheet.judge_id, sheet.entry_id),
)


def a_locked_sheet(judge_id="p-luo", entry_id="e-1", *, said=None, **changes):
    said = said or scores()
    usual = {"state": "locked", "versions": (Scores(values=said, by="u-1"),)}
    return a_sheet(judge_id=judge_id, entry_id=entry_id, **{**usual, **changes})


@pytest.mark.rule("A-12")
@pytest.mark.parametrize("state", UNLOCKED)
def test_the_others_scores_are_shown_once_the_own_sheet_is_locked_and_not_before(state):
    other = a_locked_sheet("p-wu", said=scores(idea="3"))

    with pytest.raises(OwnSheetOpen, match="entry_id=e-1"):
        scores_of_others([a_sheet(state=state), other], judge_id="p-luo", entry_id="e-1")
    assert scores_of_others([a_locked_sheet(), other], judge_id="p-luo", entry_id="e-1") == (scores(idea="3"),)


@pytest.mark.rule("A-12")
def test_who_has_no_sheet_for_an_entry_or_should_not_have_one_sees_nothing_of_it():
    other = a_locked_sheet("p-wu")
    flagged = a_locked_sheet("p-luo", flagged="institutional")
    elsewhere = a_locked_sheet("p-luo", "e-2")

    for own in ([], [flagged], [elsewhere]):
        with pytest.raises(OwnSheetOpen):
            scores_of_others([*own, other], judge_id="p-luo", entry_id="e-1")
        assert "e-1" not in averages([*own, other], AVERAGES, judge_id="p-luo")


@pytest.mark.rule("A-12")
def test_of_the_others_only_what_is_locked_is_shown():
    given_so_far = [
        a_locked_sheet(),
        a_sheet(judge_id="p-wu", state="scored"),
        a_sheet(judge_id="p-he", state="reopened"),
    ]

    assert scores_of_others(given_so_far, judge_id="p-luo", entry_id="e-1") == ()


@pytest.mark.rule("A-12")
@given(sheets)
def test_averages_are_shown_of_the_entries_that_the_judge_has_finished_in_an_order_that_tells_nothing(held):
    finished = {one.entry_id for one in held if one.judge_id == "p-luo" and one.state == "locked"}

    shown = averages(held, AVERAGES, judge_id="p-luo")

    assert set(shown) == finished
    assert list(shown) == sorted(shown)


@pytest.mark.rule("A-12")
@given(sheets)
def test_a_sorted_list_is_shown_once_all_own_sheets_are_locked(held):
    own = [one for one in held if one.judge_id == "p-luo"]

    if any(one.state in OPEN for one in own):
        with pytest.raises(OwnSheetOpen):
            ranking(held, AVERAGES, judge_id="p-luo")
    else:
        ranked = ranking(held, AVERAGES, judge_id="p-luo")
        assert {entry_id for entry_id, _ in ranked} == {one.entry_id for one in own if one.state == "locked"}
        assert [average for _, average in ranked] == sorted((average for _, average in ranked), reverse=True)


def test_entries_with_one_average_are_listed_by_their_ids():
    held = [a_locked_sheet(entry_id=entry_id) for entry_id in AVERAGES]

    assert [entry_id for entry_id, _ in ranking(held, AVERAGES, judge_id="p-luo")] == ["e-3", "e-2", "e-4", "e-1"]


def a_file(letter, **changes):
    return Attachment(sha256=letter * 64, attachment_kind="work", **changes)


def a_blind_entry(**changes):
    usual = {
        "blind_code": "K7WQ2M9X",
        "category": "innovation_project",
        "title": "可调节茶叶采摘器",
        "files": [a_file("a", names_nobody=True), a_file("b")],
        "names": ["罗小明", "何老师", "夹江县实验小学"],
    }
    return blinded(**{**usual, **changes})


@pytest.mark.rule("A-13")
def test_of_a_blind_entry_only_files_that_name_nobody_are_shown():
    assert a_blind_entry().files == ("a" * 64,)


@pytest.mark.rule("A-13")
@pytest.mark.parametrize("title", ["罗小明的采摘器", "夹江县 实验小学采摘器", "「罗·小明」号"])
def test_a_title_that_names_somebody_is_withheld_and_another_one_is_not(title):
    assert a_blind_entry(title=title).title is None
    assert a_blind_entry().title == "可调节茶叶采摘器"


@pytest.mark.rule("A-13")
@given(
    name=st.text("罗小明何一二 AB", min_size=1, max_size=3).filter(str.strip),
    before=st.text("茶采器 AB", max_size=4),
    after=st.text("茶采器 AB", max_size=4),
)
def test_no_name_is_ever_shown(name, before, after):
    shown = a_blind_entry(title=f"{before}{name}{after}", names=[name])

    assert shown.title is None


@pytest.mark.rule("A-13")
@pytest.mark.parametrize("blind_code", [None, ""])
def test_a_blind_entry_is_not_shown_without_its_blind_code(blind_code):
    with pytest.raises(BlindCodeMissing):
        a_blind_entry(blind_code=blind_code)

    assert a_blind_entry(blind_code="K7WQ2M9X").blind_code == "K7WQ2M9X"


@pytest.mark.rule("A-13")
def test_of_a_blind_category_a_title_is_shown_that_somebody_found_to_name_nobody_and_else_none():
    entry, blind = an_eligible_entry("n-1"), a_category(blind=True)

    assert shown(entry, category=blind).title is None
    assert shown(replace(entry, title_names_nobody=True), category=blind).title == "作品n-1"
    assert shown(entry, category=a_category(blind=False)).title == "作品n-1"


@pytest.mark.rule("A-12")
def test_a_mean_is_of_what_counts():
    given_so_far = [
        a_locked_sheet("p-luo", said=scores(idea="8", work="8")),
        a_locked_sheet("p-wu", said=scores(idea="7", work="7")),
        a_locked_sheet("p-he", said=scores(idea="1", work="1"), flagged="relative"),
        a_locked_sheet("p-li", said=scores(idea="1", work="1"), state="scored"),
    ]

    assert means(given_so_far, {"e-1": A_RUBRIC}) == {"e-1": Decimal("75.0000")}
