"""Public notices: told while they run and as their owners say them, to anybody, and without names."""

import re
from datetime import datetime, timedelta

import pytest
from jsonschema import Draft202012Validator

from gateway.http import pagination
from gateway.public.notices import NOTICES
from gateway.read_model.store import Store
from gateway.service import Gateway
from services.contract.topology import SERVICES
from services.kernel.calendar import SHANGHAI
from tests.gateway.conftest import Http, MovedClock
from tests.gateway.examples import LINE, an_event

FIRST = datetime(2011, 5, 1, tzinfo=SHANGHAI)
OVER = datetime(2011, 5, 8, tzinfo=SHANGHAI)
SECOND = timedelta(seconds=1)


@pytest.fixture
def gateway(running):
    """A gateway on the third of May 2011."""
    running.clock = MovedClock(datetime(2011, 5, 3, 9, tzinfo=SHANGHAI))
    running.start(Gateway)
    Store(running.database("gateway")).note_compared(dict.fromkeys(SERVICES, 0))
    return Http(running)


def a_notice(record="paper-9.1", version=1, **changes):
    return an_event("awards.notice", record, version, **changes)


def until(day):
    return {"ends_at": f"{day}T00:00:00+08:00"}


def told(gateway, question=""):
    answered = gateway.get(f"/api/v1/notices{question}", token="")
    assert answered.status == 200, answered.content
    return answered.body


def shown(gateway, question=""):
    return [notice["id"] for notice in told(gateway, question)["items"]]


def page(gateway, question=""):
    answered = gateway.get(f"/notices{question}", token="")
    assert answered.status == 200, answered.content
    return answered.content.decode()


# --- what is told -----------------------------------------------------------------------------------------------------


def test_anybody_is_told_what_is_on_display_as_its_owner_says_it(gateway):
    gateway.take(a_notice())

    said = told(gateway)

    (notice,) = said["items"]
    assert [notice[name] for name in ("service", "kind", "id", "version")] == ["awards", "notice", "paper-9.1", 1]
    assert [notice[name] for name in ("programme_kind", "level", "edition_no", "year")] == ["paper", "city", 9, 2011]
    assert (notice["starts_at"], notice["ends_at"]) == ("2011-05-01T00:00:00+08:00", "2011-05-08T00:00:00+08:00")
    assert (notice["office_line"], notice["lines"]) == ("0833-2442121", [LINE])
    assert (said["complete"], said["cursor"]) == (True, None)
    Draft202012Validator(NOTICES).validate(said)


def test_a_notice_runs_from_its_first_moment_to_its_last_second(gateway):
    gateway.take(a_notice())
    found = {}
    for at in (FIRST - SECOND, FIRST, OVER - SECOND, OVER):
        gateway.running.clock.at = at
        found[at] = (shown(gateway), shown(gateway, "?ended=true"))

    assert found == {
        FIRST - SECOND: ([], []),
        FIRST: (["paper-9.1"], []),
        OVER - SECOND: (["paper-9.1"], []),
        OVER: ([], ["paper-9.1"]),
    }


def test_another_clock_s_way_to_write_an_instant_changes_nothing(gateway):
    gateway.take(a_notice(ends_at="2011-05-03T00:59:00Z"))  # 08:59 here
    gateway.take(a_notice("home-1.1", ends_at="2011-05-03T01:01:00Z"))

    assert (shown(gateway), shown(gateway, "?ended=true")) == (["home-1.1"], ["paper-9.1"])


@pytest.mark.rule("X-08")
def test_a_withdrawn_notice_is_told_nowhere_nor_why(gateway):
    gateway.take(a_notice())
    gateway.take(a_notice(version=2, happened="withdrawn", state="withdrawn"))
    before = shown(gateway), shown(gateway, "?ended=true"), "paper-9.1" in page(gateway)

    gateway.running.clock.at = OVER

    assert before == ([], [], False)
    assert shown(gateway, "?ended=true") == []


def test_a_grant_after_the_end_is_told_among_those_that_ended(gateway):
    gateway.running.clock.at = OVER
    line = {**LINE, "state": "granted", "document_no": "d-1", "granted_on": "2011-05-09"}
    gateway.take(a_notice(), a_notice(version=2, happened="granted", state="granted", lines=[line]))

    (notice,) = told(gateway, "?ended=true")["items"]

    assert (notice["state"], notice["lines"]) == ("granted", [line])


def test_what_ends_first_is_told_first_and_of_the_ended_ones_the_last_page_by_page(gateway):
    days = {"n-a": "2011-05-06", "n-b": "2011-05-05", "n-c": "2011-05-05", "n-d": "2011-05-04"}
    gateway.take(*[a_notice(record, **until(day)) for record, day in days.items()])
    running = shown(gateway)
    gateway.running.clock.at = OVER

    pages, cursor = [], ""
    while cursor is not None:
        said = told(gateway, f"?ended=true&limit=1{cursor and '&cursor=' + cursor}")
        pages.append([notice["id"] for notice in said["items"]])
        cursor = said["cursor"]

    assert running == ["n-d", "n-b", "n-c", "n-a"]
    assert pages == [["n-a"], ["n-b"], ["n-c"], ["n-d"]]


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00", "2011-05-08", "", 1])
def test_a_cursor_whose_instant_is_beyond_all_calendars_is_refused(gateway, instant):
    cursor = pagination.write_mark(instant, "awards.notice/n-1")

    answered = gateway.get(f"/api/v1/notices?ended=true&cursor={cursor}", token="")

    assert answered.status == (200 if instant == "2011-05-08" else 400)


def test_an_answer_says_when_what_its_service_told_is_not_whole(gateway):
    Store(gateway.running.database("gateway")).note_compared({"awards": 1, "rural": 2})

    said = told(gateway)

    assert (said["complete"], [reason["service"] for reason in said["reasons"]]) == (False, ["awards"])


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_has_a_table_for_each_notice_and_says_until_when_and_where_one_objects(gateway):
    lines = [LINE, {**LINE, "line_no": 2, "grade": "second", "rank": None, "subject_id": "e-8", "state": "struck"}]
    gateway.take(a_notice(lines=lines), a_notice("home-1.1", programme_kind="home"))

    text = page(gateway)

    assert text.count("<table>") == 2
    assert {"优秀科技论文评选，市级", "科技工作者之家，市级"} == set(re.findall("<h2>获奖公示：(.+?) <", text))
    for said in ("2011-05-01 至 2011-05-07 24:00", "0833-2442121", "e-8", "二等奖"):
        assert said in text, said
    assert '<a href="http://lskx.example/notice/9" rel="nofollow">' in text
    assert "已删除" in text
    assert "目前没有公示" in page(gateway, "?ended=true")


def test_the_page_runs_no_script_and_what_a_notice_says_is_text(gateway):
    gateway.take(a_notice(office_line="<script>x</script>", url="javascript:x", lines=[{**LINE, "subject_id": "<b>"}]))

    answered = gateway.get("/notices", token="")

    text = answered.content.decode()
    assert "script-src 'self';" in answered.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<b>|href=\"javascript|\son\w+=|style=", text)


def test_the_page_leads_to_the_next_one_and_to_those_that_ended(gateway):
    gateway.take(*[a_notice(f"n-{number}") for number in range(3)])

    first = page(gateway, "?limit=2")
    (follows,) = re.findall(r'href="/notices(\?cursor=[^"]+)"', first)

    assert 'href="/notices?ended=true"' in first
    assert page(gateway, follows).count("<table>") == 1
