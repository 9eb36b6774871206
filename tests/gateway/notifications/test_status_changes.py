"""What changed for a rule: pure, with statuses as the query service states them."""

from gateway.notifications import kpi_snapshot, status_changes
from gateway.notifications.status_changes import StatusChange, Subscription, condition_of


def subscribed(*to, kpis=(), items=()):
    return Subscription(2011, frozenset(kpis), frozenset(items), frozenset(to))


def a_kpi(status, code="K2"):
    return {"code": code, "status": {"code": status, "rule": "G-..."} if status else None}


def stands(status=None, *reasons):
    return condition_of(a_kpi(status), [{"code": reason} for reason in reasons])


def test_a_status_is_the_code_of_what_is_answered_and_may_be_none():
    assert [kpi_snapshot.status(a_kpi("behind")), kpi_snapshot.status(a_kpi(None)), kpi_snapshot.status({})] == [
        "behind",
        None,
        None,
    ]


def test_a_change_to_a_word_that_was_asked_for_is_one_and_to_another_is_none():
    before, now = {"K2": stands("on_track")}, {"K2": stands("behind")}

    assert status_changes.changes(before, now, subscribed("behind", "late")) == [
        StatusChange("K2", was="on_track", now="behind")
    ]
    assert status_changes.changes(before, now, subscribed("late")) == []
    assert status_changes.changes(now, now, subscribed("behind")) == []


def test_what_was_never_seen_is_noted_and_makes_no_change():
    assert status_changes.changes({}, {"K2": stands("behind")}, subscribed("behind")) == []
    assert status_changes.changes({"K2": {}}, {"K2": stands("behind")}, subscribed("behind")) == []


def test_a_kpi_that_had_no_status_changes_when_it_has_one():
    assert status_changes.changes({"K2": stands(None)}, {"K2": stands("behind")}, subscribed("behind")) == [
        StatusChange("K2", was=None, now="behind")
    ]
    assert status_changes.changes({"K2": stands("behind")}, {"K2": stands(None)}, subscribed("behind")) == []


def test_a_number_can_become_late_and_incomplete_at_once():
    before, now = {"K2": stands("behind")}, {"K2": stands("late", "parked")}

    found_changes = status_changes.changes(before, now, subscribed("late", "incomplete", "parked"))

    assert [(change.was, change.now) for change in found_changes] == [
        ("behind", "late"), ("complete", "incomplete"), ("settled", "parked"),
    ]  # fmt: skip


def test_what_is_parked_makes_a_number_incomplete_and_another_reason_does_not_make_it_parked():
    assert stands("behind", "parked") == {"status": "behind", "whole": "incomplete", "parked": "parked"}
    assert stands("behind", "not_compared") == {"status": "behind", "whole": "incomplete", "parked": "settled"}
    assert stands("behind") == {"status": "behind", "whole": "complete", "parked": "settled"}


def test_what_only_one_of_two_looks_saw_is_not_believed():
    last, now = {"K2": stands("behind")}, {"K2": stands("behind", "parked"), "K1": stands("late")}

    steady = status_changes.confirmed(last, now)

    assert steady == {"K2": {"status": "behind"}, "K1": {}}
    assert status_changes.changes({"K2": stands("on_track")}, steady, subscribed("behind", "parked")) == [
        StatusChange("K2", was="on_track", now="behind")
    ]


def test_what_a_look_did_not_see_stays_as_it_was_known():
    before = {"K2": {"status": "behind", "parked": "settled"}, "K1": {"status": "late"}}

    known = status_changes.updated(
        before, {"K2": {"parked": "parked"}, "K3": {"status": "ahead"}}, subscribed("late", "parked")
    )

    assert known == {
        "K1": {"status": "late"}, "K2": {"status": "behind", "parked": "parked"}, "K3": {"status": "ahead"},
    }  # fmt: skip


def test_only_what_is_asked_for_is_known_of_a_kpi():
    assert status_changes.updated({}, {"K2": stands("behind", "parked")}, subscribed("late")) == {
        "K2": {"status": "behind"}
    }
    assert not subscribed("late").needs_reasons
    assert subscribed("late", "complete").needs_reasons


def test_a_rule_watches_its_kpis_and_all_of_its_items_or_the_whole_year():
    progress = {
        "items": [
            {"no": 7, "kpis": [a_kpi("late", "K3")]},
            {"no": 35, "kpis": [a_kpi("late"), a_kpi("late", "K2-online")]},
            {"no": 62, "kpis": []},
        ]
    }

    def watched(**which):
        asked = subscribed("late", **which)
        return [code for code, kpi in status_changes.kpis_by_code(progress).items() if asked.covers(kpi)]

    assert watched() == ["K3", "K2", "K2-online"]
    assert watched(kpis=["K2"]) == ["K2"]
    assert watched(items=[35]) == ["K2", "K2-online"]
    assert watched(kpis=["K3"], items=[35, 62]) == watched()
    assert watched(items=[62]) == []
