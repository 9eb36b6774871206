"""What outreach publishes, lends and is told of, on a real broker and database."""

import pytest
from eventlet import GreenPool

from services.chassis.problem import RefusedByRule
from services.outreach.service import Outreach
from tests.outreach.acting import Acting, refused
from tests.stack import until


@pytest.fixture
def people(running):
    return Acting(running.start(Outreach))


@pytest.mark.rule("O-11", "O-15", "O-22")
def test_an_issue_is_reviewed_published_and_its_reach_told_once(people):
    people.open_channel(channel_id="ch-1")
    people.plan_column(column_id="co-1", channel_id="ch-1")
    people.start_column(column_id="co-1", started_on="2011-01-05")
    people.plan_issue(issue_id="i-1", column_id="co-1", issue_no=1)
    with refused("O-22"):
        people.plan_issue(issue_id="i-2", column_id="co-1", issue_no=1)

    people.draft_issue(issue_id="i-1", title="防震常识", author_ids=["p-1"])
    with refused("O-15"):
        people.review_issue(issue_id="i-1", reviewer_id="p-1", reviewed_on="2011-05-02")
    people.review_issue(issue_id="i-1", reviewer_id="p-9", reviewed_on="2011-05-02")
    with refused("O-11"):
        people.report_reach(issue_id="i-1", reach=9, measured_on="2011-05-03")
    assert people.publish_issue(issue_id="i-1", published_on="2011-05-03")["state"] == "published"

    people.report_reach(report_id="r-1", issue_id="i-1", reach=48_000, measured_on="2011-05-03")
    with refused("O-11"):
        people.report_reach(report_id="r-2", issue_id="i-1", reach=49_000, measured_on="2011-05-03")
    people.verify_reach(report_id="r-1")
    people.reject_reach(report_id="r-1", reason="口径不符")
    assert (
        people.report_reach(report_id="r-3", issue_id="i-1", reach=47_000, measured_on="2011-05-03")["reach"] == 47_000
    )


@pytest.mark.rule("O-27")
def test_two_posts_never_have_one_address(people):
    people.open_channel(channel_id="ch-web", channel_kind="website")
    for post_id in ("w-1", "w-2"):
        people.draft_post(post_id=post_id, channel_id="ch-web")
        people.review_post(post_id=post_id, reviewed_on="2011-05-02")
    address = {"url": "https://www.example.cn/1.html", "published_on": "2011-05-02"}
    people.publish_post(post_id="w-1", **address)

    with refused("O-27"):
        people.publish_post(post_id="w-2", **address)
    people.withdraw_post(post_id="w-1", reason="内容过时")
    assert people.publish_post(post_id="w-2", **address)["url"] == address["url"]


@pytest.mark.rule("O-21")
def test_of_40_clerks_who_reserve_the_last_panels_at_once_one_has_them(people):
    people.register_resource(resource_id="panels-1")
    refusals = []

    def reserve(number):
        try:
            people.reserve_resource(loan_id=f"l-{number}", resource_id="panels-1", by=f"u-{number}")
        except RefusedByRule as refusal:
            refusals.append(refusal.code)

    pool = GreenPool(40)
    for number in range(40):
        pool.spawn(reserve, number)
    pool.waitall()

    assert refusals == ["O-21"] * 39


@pytest.mark.rule("O-21")
def test_an_item_is_with_one_borrower_until_it_is_back_and_a_lost_one_is_lent_no_more(people):
    people.register_resource(resource_id="panels-1")
    people.reserve_resource(loan_id="l-1", resource_id="panels-1")
    people.lend_resource(loan_id="l-1", out_on="2011-05-14")
    people.reserve_resource(loan_id="l-2", resource_id="panels-1", starts_on="2011-05-17", ends_on="2011-05-18")

    with refused("O-21"):
        people.lend_resource(loan_id="l-2", out_on="2011-05-17")
    assert people.mark_overdue(loan_id="l-1")["overdue"]
    people.return_resource(loan_id="l-1", returned_on="2011-05-15")
    people.reserve_resource(loan_id="l-3", resource_id="panels-1", starts_on="2011-05-16", ends_on="2011-05-16")

    people.lend_resource(loan_id="l-2", out_on="2011-05-17")
    people.lose_resource(loan_id="l-2", reason="搬运途中遗失")
    until(lambda: people.get("resource", "panels-1")["state"] == "lost")
    with refused("X-12"):
        people.lend_resource(loan_id="l-3", out_on="2011-05-16")


@pytest.mark.rule("O-23")
def test_the_same_clip_is_recorded_once_by_its_address_and_by_its_file(people):
    people.record_coverage(coverage_id="m-1", url="https://a.cn/1", clip_sha256="a" * 64)
    for same in ({"url": "https://a.cn/1"}, {"url": "https://a.cn/2", "clip_sha256": "a" * 64}):
        with refused("O-23"):
            people.record_coverage(**same)

    assert people.verify_coverage(coverage_id="m-1")["state"] == "verified"
    people.reject_coverage(coverage_id="m-1", reason="与科协工作无关")
    assert people.record_coverage(coverage_id="m-2", url="https://a.cn/1")["state"] == "recorded"


@pytest.mark.rule("O-28")
def test_a_commemorative_day_stands_in_the_calendar_once(people):
    people.enter_day(day_id="d-1", name="世界地球日", day="2011-04-22")
    with refused("O-28"):
        people.enter_day(name="世界 地球日", day="2011-04-22")

    people.strike_day(day_id="d-1", reason="日期有误")
    assert people.enter_day(name="世界地球日", day="2011-04-22")["state"] == "listed"


@pytest.mark.rule("O-14", "O-24", "O-25", "O-26")
def test_an_expert_is_at_one_school_in_a_slot_and_the_school_confirms_that(people):
    people.enrol_expert(entry_id="x-1", person_id="p-1")
    with refused("O-26"):
        people.enrol_expert(person_id="p-1")
    people.request_visit(visit_id="z-1")
    people.request_visit(visit_id="z-2", target="community")
    people.match_expert(visit_id="z-1", entry_ids=["x-1"])
    with refused("O-24"):
        people.match_expert(visit_id="z-2", entry_ids=["x-1"])

    with refused("O-14"):
        people.confirm_visit(visit_id="z-1")
    confirmed = people.confirm_visit(visit_id="z-1", contact_name="某老师", contact_phone="0833-2442121")
    told = people.running.call("outreach", "history_of_expert_visit", id="z-1", roles=["recorder"])
    assert "某老师" not in str([confirmed, told, people.get("expert_visit", "z-1")])
    people.hold("a-1", format="lecture")
    with refused("O-25"):
        people.deliver_visit(visit_id="z-1", activity_id="a-1")
    people.deliver_visit(visit_id="z-1", activity_id="a-1", receipt_sha256="a" * 64)
    assert people.evaluate_visit(visit_id="z-1", rating=5)["state"] == "evaluated"

    people.suspend_expert(entry_id="x-1", reason="本人申请")
    with refused("O-14"):
        people.match_expert(visit_id="z-2", entry_ids=["x-1"])
