"""Exports over HTTP: whole, of one state, and never cut off (G-15)."""

import base64
import http.client
from hashlib import sha256
from io import BytesIO
from urllib.parse import quote, unquote

import eventlet
import pytest
from docx import Document
from eventlet.event import Event as Signal

from gateway.api import exports
from gateway.documents import xlsx
from gateway.http.server import Server
from gateway.kpi import ledger
from gateway.read_model.store import Store
from gateway.reporting.query_service import QueryService
from gateway.service import Gateway
from gateway.upstream.proxy import ServiceProxy
from services.awards.service import Awards
from services.contract.topology import SERVICES
from tests.gateway.conftest import Http
from tests.gateway.documents.test_documents import read_csv, read_xlsx
from tests.gateway.examples import PLAN, an_event
from tests.gateway.upstream.test_proxy import REPORT, RESULT
from tests.stack import until

KPI, RECORDS, PROGRESS = "/api/v1/kpis/K2", "/api/v1/kpis/K2/records", "/api/v1/plans/2011/progress"
HISTORY = "/api/v1/records/outreach/audience_count/c-0/history"
RESULTS = "/api/v1/awards/external_results"


@pytest.fixture
def small_pages(monkeypatch):
    """Pages of two records, and attempts without long pauses."""
    monkeypatch.setattr(exports, "LONGEST_PAGE", 2)
    monkeypatch.setattr(exports, "PAUSES", (0.0, 0.0, 0.0))


def counts(number):
    return [an_event(record=f"c-{i}", person_times=10 + i) for i in range(number)]


def rows(answered):
    assert answered.status == 200, answered.content
    return read_csv(answered.content)[1:]


def digest_of(content):
    return f"sha-256=:{base64.b64encode(sha256(content).digest()).decode()}:"


def patiently_get(gateway, path):
    """For files that take longer to make than a page to answer."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.extension(Server).port, timeout=200)
    connection.request("GET", path, headers={"Authorization": f"Bearer {gateway.running.token('u-li', ('viewer',))}"})
    response = connection.getresponse()
    content = response.read()
    connection.close()
    assert response.status == 200, content
    return response.headers, content


# --- whole ------------------------------------------------------------------------------------------------------------


@pytest.mark.acceptance(10)
@pytest.mark.timeout(400)
def test_an_export_of_50001_records_has_50001_rows(running):
    store = Store(running.database("gateway"))
    store.prepare(PLAN.rules())
    store.prepare([])  # forgotten again: the gateway counts them from the views that are there when it starts
    view = ledger.view("", an_event(person_times=1))
    store.views.insert_many({**view, "_id": f"outreach.audience_count/c-{i:05}"} for i in range(50_001))
    running.start(Gateway)
    store.note_compared(dict.fromkeys(SERVICES, 0))
    gateway = Http(running)

    told, as_csv = patiently_get(gateway, f"{RECORDS}.csv")
    told_too, as_xlsx = patiently_get(gateway, f"{RECORDS}.xlsx")

    heads, *found = read_csv(as_csv)
    assert (len(found), len({row[heads.index("编号")] for row in found})) == (50_001, 50_001)
    assert len(read_xlsx(as_xlsx)) == 50_001 + 1
    for headers, content in ((told, as_csv), (told_too, as_xlsx)):
        assert headers["Kexie-Rows"] == "50001"
        assert headers["Content-Length"] == str(len(content))
        assert headers["Content-Digest"] == digest_of(content)
    assert told["Kexie-Data-Digest"] == told_too["Kexie-Data-Digest"] == digest_of(as_csv.partition(b"\r\n")[2])


@pytest.mark.usefixtures("small_pages")
def test_a_file_has_the_records_of_the_question_and_says_of_which_state_they_are(gateway):
    gateway.take(*counts(5), an_event(record="c-9", day="2011-06-01"))

    answered = gateway.get(f"{RECORDS}.csv?period=201105")
    listed = gateway.get(f"{RECORDS}?period=201105").body

    assert [row[2] for row in rows(answered)] == [item["id"] for item in listed["items"]]
    headers = answered.headers
    assert headers["Content-Type"].startswith("text/csv; charset=utf-8")
    assert headers["Kexie-Revision"] == str(listed["revision"])
    assert headers["Kexie-Definition"] == str(listed["definition"])
    assert (headers["Kexie-Rows"], headers["Kexie-Complete"]) == ("5", "true")
    assert headers["Kexie-As-Of"][:10] == listed["as_of"][:10]
    assert headers["Content-Digest"] == digest_of(answered.content)
    assert headers["Content-Length"] == str(len(answered.content))


def test_a_sheet_says_on_its_second_page_what_the_headers_say(gateway):
    gateway.take(*counts(3))

    answered = gateway.get(f"{RECORDS}.xlsx?period=201105")

    notes = dict(read_xlsx(answered.content, sheet=1))
    headers = answered.headers
    assert (notes["截至"], notes["台账版本"], notes["定义版本"], notes["行数"], notes["查询"]) == (
        headers["Kexie-As-Of"], headers["Kexie-Revision"], headers["Kexie-Definition"], "3",
        f"{RECORDS}.xlsx?period=201105",
    )  # fmt: skip
    assert f"sha-256=:{base64.b64encode(bytes.fromhex(notes['数据摘要'])).decode()}:" == headers["Kexie-Data-Digest"]


def test_a_file_has_a_chinese_name_and_one_for_old_programs(gateway):
    gateway.take(*counts(1))

    told = gateway.get(f"{RECORDS}.xlsx").headers["Content-Disposition"]

    plain, _, chinese = told.partition("; filename*=UTF-8''")
    assert plain.startswith('attachment; filename="K2-20')
    assert unquote(chinese).startswith("指标记录-K2-20")
    assert unquote(chinese).endswith(".xlsx")


def test_everything_that_is_listed_is_exported_with_chinese_heads(gateway):
    gateway.running.start(Awards)
    gateway.post(REPORT, RESULT)
    gateway.take(*counts(2))

    items = gateway.get(PROGRESS).body["items"]
    lines = sum(len(item["kpis"]) + len(item["milestones"]) or 1 for item in items)
    for path, number in {
        "/api/v1/plans": 1, PROGRESS: lines, f"{KPI}/series": 12, KPI: 1, f"{KPI}?by=district": 13, RECORDS: 2,
        HISTORY: 1, RESULTS: 1, f"{RESULTS}/r-1/history": 1,
    }.items():  # fmt: skip
        address, _, query = path.partition("?")
        as_csv = gateway.get(f"{address}.csv?{query}", roles=("recorder",))
        as_xlsx = gateway.get(f"{address}.xlsx?{query}", roles=("recorder",))
        heads, *found = read_csv(as_csv.content)
        assert [head for head in heads if head.isascii()] == [], path
        assert len(set(heads)) == len(heads), path
        assert len(found) == number == int(as_csv.headers["Kexie-Rows"]), path
        assert read_xlsx(as_xlsx.content)[0] == heads
        assert as_xlsx.headers["Kexie-Data-Digest"] == as_csv.headers["Kexie-Data-Digest"], path
        assert as_csv.headers["Kexie-As-Of"]
        assert as_csv.headers["Kexie-Definition"] or path == "/api/v1/plans"


@pytest.mark.usefixtures("small_pages")
def test_a_list_of_a_service_is_exported_whole_and_filtered(gateway):
    gateway.running.start(Awards)
    for i in range(5):
        gateway.post(
            REPORT, RESULT | {"result_id": f"r-{i}", "title": f"车{i}", "grade": "second" if i == 4 else "first"}
        )

    assert [row[0] for row in rows(gateway.get(f"{RESULTS}.csv"))] == [f"r-{i}" for i in range(5)]
    assert [row[0] for row in rows(gateway.get(f"{RESULTS}.csv?grade=first&order=-id"))] == ["r-3", "r-2", "r-1", "r-0"]
    assert rows(gateway.get(f"{RESULTS}.csv?grade=third")) == []


# --- or nothing -------------------------------------------------------------------------------------------------------


def between_pages_of(monkeypatch, owner, name):
    """Changes made one by one, each after another page was read."""
    happenings, read = [], getattr(owner, name)

    def page(*asked):
        answer = read(*asked)
        if happenings:
            happenings.pop(0)()
        return answer

    monkeypatch.setattr(owner, name, page)
    return happenings


@pytest.mark.usefixtures("small_pages")
def test_an_export_while_records_change_is_of_one_state(gateway, monkeypatch):
    gateway.take(*counts(5))
    between_pages = between_pages_of(monkeypatch, QueryService, "records")
    for version in range(2, 5):
        between_pages.append(
            lambda version=version: gateway.take(
                an_event(record=f"c-0{version}"), an_event(record="c-3", version=version, day="2011-01-01")
            )
        )

    answered = gateway.get(f"{RECORDS}.csv")

    as_of = answered.headers["Kexie-As-Of"]
    listed = gateway.get(f"{RECORDS}?as_of={quote(as_of)}").body
    assert [row[2] for row in rows(answered)] == [item["id"] for item in listed["items"]]
    assert len(rows(answered)) == 6  # the first happening came before it was asked, for a look at how whole all is
    assert len(gateway.get(RECORDS).body["items"]) == 8


@pytest.mark.usefixtures("small_pages")
def test_a_list_that_grows_while_it_is_read_is_read_again(gateway, monkeypatch):
    gateway.running.start(Awards)
    for name in ("r-1", "r-2", "r-3"):
        gateway.post(REPORT, RESULT | {"result_id": name, "title": name})
    between_pages = between_pages_of(monkeypatch, ServiceProxy, "page")
    between_pages.append(lambda: gateway.post(REPORT, RESULT | {"result_id": "r-0", "title": "r-0"}))

    answered = gateway.get(f"{RESULTS}.csv")

    assert [row[0] for row in rows(answered)] == ["r-0", "r-1", "r-2", "r-3"]


@pytest.mark.usefixtures("small_pages")
def test_a_list_whose_records_change_while_it_is_read_is_of_one_state(gateway, monkeypatch):
    """Of as many records as before: nothing but their versions tells."""
    gateway.running.start(Awards)
    for name in ("r-1", "r-2", "r-3"):
        gateway.post(REPORT, RESULT | {"result_id": name, "title": name})

    def verify_first_and_last():
        for name in ("r-1", "r-3"):
            gateway.post("/api/v1/awards/verify_external_result", {"result_id": name}, by="u-w", roles=("verifier",))

    between_pages_of(monkeypatch, ServiceProxy, "page").append(verify_first_and_last)

    (*heads,), *found = read_csv(gateway.get(f"{RESULTS}.csv").content)

    states = {row[heads.index("编号")]: row[heads.index("状态")] for row in found}
    assert states == {"r-1": "已核实", "r-2": "已申报", "r-3": "已核实"}


@pytest.mark.usefixtures("small_pages")
def test_an_export_of_what_changes_all_the_while_is_refused(gateway, monkeypatch):
    gateway.running.start(Awards)
    between_pages = between_pages_of(monkeypatch, ServiceProxy, "page")
    for number in range(40):
        said = RESULT | {"result_id": f"r-{number}", "title": f"r-{number}"}
        between_pages.append(lambda said=said: gateway.post(REPORT, said))

    answered = gateway.get(f"{RESULTS}.csv")

    assert (answered.status, answered.body["code"], answered.headers["Retry-After"]) == (503, "unavailable", "1")
    assert "total" in answered.body["en"]


@pytest.mark.usefixtures("small_pages")
def test_rows_that_are_not_as_many_as_was_told_are_not_sent(gateway):
    gateway.take(*counts(5))
    Store(gateway.running.database("gateway")).views.delete_one({"_id": "outreach.audience_count/c-3"})

    answered = gateway.get(f"{RECORDS}.csv")

    assert answered.status == 503
    assert "4 / 5" in answered.body["en"]


def test_a_page_of_a_file_cannot_be_asked_for(gateway):
    gateway.running.start(Awards)

    for path in (RECORDS, RESULTS):
        for asked in ("limit=10", "cursor=WyIyMDExLTA1LTE0IiwieCJd"):
            for ending in ("csv", "xlsx"):
                answered = gateway.get(f"{path}.{ending}?{asked}")
                assert (answered.status, answered.body["errors"][0]["field"]) == (400, asked.partition("=")[0]), path


def test_too_many_rows_for_a_sheet_are_refused_before_they_are_read(gateway, monkeypatch):
    gateway.take(*counts(3))
    monkeypatch.setattr(xlsx, "MOST_ROWS", 2)

    answered = gateway.get(f"{RECORDS}.xlsx")

    assert (answered.status, answered.body["code"]) == (400, "invalid_input")
    assert ".csv" in answered.body["zh"]
    assert len(rows(gateway.get(f"{RECORDS}.csv"))) == 3


def test_two_exports_are_made_at_once_and_a_third_is_told_to_come_again(gateway, monkeypatch):
    asked, go_on, read = [], Signal(), QueryService.progress

    def progress(query_service, year, wanted):
        asked.append(year)
        go_on.wait()
        return read(query_service, year, wanted)

    monkeypatch.setattr(QueryService, "progress", progress)
    two = [eventlet.spawn(gateway.get, f"{PROGRESS}.csv") for _ in range(2)]
    until(lambda: len(asked) == 2)

    third = gateway.get(f"{KPI}.csv")
    assert (third.status, third.body["code"], third.headers["Retry-After"]) == (503, "overloaded", "1")

    go_on.send()
    assert [one.wait().status for one in two] == [200, 200]
    assert gateway.get(f"{KPI}.csv").status == 200


def test_a_file_is_for_whom_its_answer_is_for(gateway):
    assert gateway.get(f"{PROGRESS}.csv", token="").status == 200
    assert gateway.get(f"{RECORDS}.csv", token="").status == 401
    assert gateway.get("/api/v1/kpis/K9.csv").status == 404
    assert gateway.get(f"{RECORDS}.csv?period=x").body["errors"][0]["field"] == "period"


# --- the yearly report ------------------------------------------------------------------------------------------------


@pytest.mark.timeout(240)
def test_the_yearly_report_is_a_document_with_tables_and_charts(gateway):
    gateway.take(*counts(5), an_event("rural.fund_receipt", "r-1"))

    headers, content = patiently_get(gateway, "/api/v1/plans/2011/report.docx")

    document = Document(BytesIO(content))
    assert document.paragraphs[0].text == "乐山市科协2011年工作要点完成情况报告"
    (k2,) = [row for row in document.tables[0].rows if row.cells[0].text == "K2"]
    assert k2.cells[3].text == "60人次"
    assert len(document.inline_shapes) == 4  # percent; K2 by district and by month, K5 by month
    footer = document.sections[0].footer.paragraphs[1].text
    assert headers["Kexie-Data-Digest"] == f"sha-256=:{base64.b64encode(bytes.fromhex(footer.split()[-1])).decode()}:"
    assert headers["Content-Digest"] == digest_of(content)


@pytest.mark.timeout(240)
def test_a_report_of_one_district_and_period_has_no_charts_by_these(gateway):
    gateway.take(*counts(5))

    _, content = patiently_get(gateway, "/api/v1/plans/2011/report.docx?period=2011Q2&district=511102")

    document = Document(BytesIO(content))
    assert "市中区" in document.paragraphs[3].text
    assert len(document.inline_shapes) == 0


def test_a_report_is_of_one_state(gateway, monkeypatch):
    gateway.take(*counts(5))
    between = between_pages_of(monkeypatch, QueryService, "progress")
    between.extend(lambda record=f"d-{number}": gateway.take(an_event(record=record)) for number in range(40))

    _, content = patiently_get(gateway, "/api/v1/plans/2011/report.docx")

    (k2,) = [row for row in Document(BytesIO(content)).tables[0].rows if row.cells[0].text == "K2"]
    alone = gateway.get(f"{KPI}?as_of={quote(told_of(content))}").body["value"]
    assert k2.cells[3].text == f"{alone:,}人次"
    assert alone < gateway.get(KPI).body["value"]


def told_of(report):
    """The instant that the foot of every page names."""
    return Document(BytesIO(report)).sections[0].footer.paragraphs[0].text.split()[1]
