"""Answers as tables: their columns, what spreadsheets make of them, and that nothing is cut off or calculated."""

import csv as standard_csv
from datetime import date
from hashlib import sha256
from io import BytesIO, StringIO
from zipfile import ZipFile

import pytest
from python_calamine import CalamineWorkbook

from gateway.documents import answer_rows, column_labels, csv, table, xlsx
from gateway.documents.table import AMOUNTS, ExportData, Table
from gateway.kpi import answers
from gateway.kpi.figures import Figures
from gateway.kpi.plan_index import PlanIndex, resolve_period
from services.contract import KINDS
from tests.gateway.examples import COUNT, EXAMPLES, PLAN, RECEIPT

UNIT = {"zh": "元", "en": "yuan", "scale": 100}


def export_data(*rows, of="", **facts):
    made = ExportData("清单", facts, of=of)
    made.rows.add(rows)
    return made


def as_csv(made):
    file = BytesIO()
    digest = csv.write(file, made)
    return file.getvalue(), digest


def as_xlsx(made):
    file = BytesIO()
    digest = xlsx.write(file, made)
    return file.getvalue(), digest


def read_csv(content):
    return list(standard_csv.reader(StringIO(content.decode("utf-8-sig"), newline="")))


def read_xlsx(content, sheet=0):
    return CalamineWorkbook.from_filelike(BytesIO(content)).get_sheet_by_index(sheet).to_python()


def heads_and_cells(made):
    made = Table(made)
    return made.heads, [[table.text(cell) for cell in row] for row in made]


def test_columns_are_what_the_rows_hold_in_chinese():
    heads, cells = heads_and_cells(
        export_data({"id": "c-1", "version": 2, **COUNT, "minors": 3}, of="outreach.audience_count")
    )

    assert heads[:7] == ["编号", "版本", "活动编号", "日期", "参与方式", "统计方法", "人次"]
    assert cells[0][:7] == ["c-1", "2", "a-1", "2011-05-14", "线下", "清点", "300"]
    assert (cells[0][heads.index("辖区名称")], cells[0][heads.index("计入科普人次")]) == ("市中区", "是")


def test_every_field_of_every_kind_and_its_values_have_a_chinese_word():
    for key, kind in KINDS.items():
        for name, field in kind.fields.items():
            assert not column_labels.head((name,), of=key).isascii(), (key, name)
            for choice in field.choices:
                assert not column_labels.value(name, choice, of=key).isascii(), (key, name, choice)


def test_a_value_means_what_it_means_in_its_kind_and_free_text_stays_as_it_is():
    assert column_labels.value("state", "closed", of="outreach.activity") == "已归档"
    assert column_labels.value("state", "closed", of="outreach.campaign") == "已结束"
    assert column_labels.value("name", "open") == "open"


def test_a_column_that_only_later_rows_have_is_there_and_an_object_has_one_for_each_field():
    heads, cells = heads_and_cells(
        export_data({"id": "a", "reported": None}, {"id": "b", "reported": {"value": 1}, "note": "x"})
    )

    assert heads == ["编号", "填报数·数值", "备注"]
    assert cells == [["a", "", ""], ["b", "1", "x"]]


def test_a_list_is_one_cell():
    _, cells = heads_and_cells(
        export_data(
            {
                "vouchers": ["v-1", "v-2"],
                "reasons": [{"service": "rural", "zh": "尚未比对", "en": "not compared"}],
                "beside": [{"title": {"zh": "批准", "en": "approved"}, "value": 3}],
            }
        )
    )

    assert cells == [["v-1；v-2", "科普惠农：尚未比对", "名称 批准，数值 3"]]


def test_fen_are_given_in_yuan_to_the_last_one():
    heads, cells = heads_and_cells(export_data({**RECEIPT, "net_fen": 2**63 - 1}))
    assert cells[0][heads.index("净到账金额（元）")] == "92233720368547758.07"

    heads, cells = heads_and_cells(export_data({"unit": UNIT, "value": 60_000_001, "records": 60_000_001}))
    assert dict(zip(heads, cells[0], strict=True)) == {"单位": "元", "数值": "600000.01", "记录数": "60000001"}


NUMBERS_OF_THINGS = {"plan", "item", "records", "scale", "percent"}


def test_every_number_of_an_answer_is_an_amount_or_a_number_of_things():
    """Fails where an answer has learnt a new number: say in `table.AMOUNTS` whether it is counted in fen."""
    plan_index = PlanIndex({2011: PLAN})
    (line,) = [line for line in plan_index.kpi_lines(2011) if line.kpi.unit.is_money][:1]
    documents = {one.key + "|2011": {"seen": 1, "n": 1, "sum": 5} for one in line.measures}
    figures = Figures(documents, frozenset(one.key for one in line.measures), None, date(2011, 12, 31))
    answer = answers.kpi(line, resolve_period("2011"), figures)

    assert answer["value"] == 5
    assert set(_numbers(answer)) <= {*AMOUNTS, *NUMBERS_OF_THINGS}


def _numbers(answer):
    for name, value in answer.items() if isinstance(answer, dict) else enumerate(answer):
        if isinstance(value, dict | list):
            yield from _numbers(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield name


# --- rows of answers --------------------------------------------------------------------------------------------------


def test_the_rows_of_a_number_are_its_groups_and_what_belongs_to_none_and_the_total_is_marked_apart():
    answer = {
        "code": "K2", "unit": {"zh": "人次", "en": "person-times", "scale": 1}, "value": 10, "records": 3,
        "by": "district",
        "groups": [{"key": "511102", "name": "市中区", "value": 7, "records": 2}],
        "unassigned": {"value": 3, "records": 1}, "as_of": "2011-12-31T10:00:00+08:00", "revision": 4,
    }  # fmt: skip

    rows, facts = answer_rows.number(answer)

    assert [(row["group"]["name"], row["value"]) for row in rows] == [("市中区", 7), (None, 3), (None, 10)]
    heads, cells = heads_and_cells(export_data(*rows))
    assert [row[heads.index("行别")] for row in cells] == ["分组", "未归入", "合计"]
    assert sum(row["value"] for row in rows if row["row"] != "total") == rows[-1]["value"]
    assert (facts["revision"], facts["code"]) == (4, "K2")
    (whole,), _ = answer_rows.number({name: answer[name] for name in ("code", "value", "as_of", "revision")})
    assert whole == {"code": "K2", "value": 10, "status": None}


def test_a_status_and_its_rule_have_a_column_each():
    rule = {"zh": "已达到目标", "en": "the target is reached"}

    (whole,), _ = answer_rows.number({"code": "K2", "status": {"code": "reached", "rule": rule}, "months": [{}]})

    heads, cells = heads_and_cells(export_data(whole))
    assert dict(zip(heads, cells[0], strict=True)) == {"代码": "K2", "进度": "已达目标", "规则": "已达到目标"}


def test_milestones_and_items_without_a_number_are_rows_too():
    answer = {
        "plan": 2011,
        "items": [
            {"no": 1, "kpis": [], "milestones": []},
            {
                "no": 2,
                "kpis": [{"code": "K1", "plan": 2011, "item": 2}, {"code": "K2"}],
                "milestones": [{"code": "M-1", "item": 2, "state": "reached"}],
            },
        ],
    }

    rows, facts = answer_rows.kpis(answer)

    assert list(rows) == [
        {"item": {"no": 1}},
        {"item": {"no": 2}, "kpi": {"code": "K1", "status": None}},
        {"item": {"no": 2}, "kpi": {"code": "K2", "status": None}},
        {"item": {"no": 2}, "milestone": {"code": "M-1", "state": "reached"}},
    ]
    assert facts["plan"] == 2011


# --- CSV --------------------------------------------------------------------------------------------------------------

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1+1", '=HYPERLINK("http://x")']


def test_no_cell_begins_a_formula_and_numbers_stay_numbers():
    made = export_data(*({"name": text, "value": -5} for text in FORMULAS))

    content, _ = as_csv(made)
    assert read_csv(content)[1:] == [[f"'{text}", "-5"] for text in FORMULAS]

    _, *cells = read_xlsx(as_xlsx(made)[0])
    assert [row[1] for row in cells] == [-5] * len(FORMULAS)
    assert [row[0].lstrip("\n") for row in cells] == [text.lstrip("\n") for text in FORMULAS]
    assert b"<f>" not in _sheet(as_xlsx(made)[0])


def test_a_csv_is_utf_8_with_a_mark_and_quotes_what_would_break_a_line():
    content, digest = as_csv(export_data({"name": '站，"一"\n二, 三', "value": 1}))

    assert content == '\ufeff名称,数值\r\n"站，""一""\n二, 三",1\r\n'.encode()
    assert digest == sha256('"站，""一""\n二, 三",1\r\n'.encode()).digest()


def test_no_rows_are_a_table_without_rows():
    assert as_csv(export_data())[0] == b"\xef\xbb\xbf\r\n"
    assert read_xlsx(as_xlsx(export_data())[0]) == []


# --- XLSX -------------------------------------------------------------------------------------------------------------


def test_a_sheet_holds_texts_numbers_and_days_as_what_they_are():
    content, _ = as_xlsx(
        export_data({"id": "0511102", "day": "2011-05-14", "value": 300, "percent": 0.75, "note": None})
    )

    assert read_xlsx(content) == [
        ["编号", "日期", "数值", "完成百分比", "备注"],
        ["0511102", date(2011, 5, 14), 300.0, 0.75, ""],
    ]


def test_a_number_of_more_digits_than_a_sheet_keeps_is_a_text():
    content, _ = as_xlsx(export_data({"value": 2**63 - 1}, {"value": 10**15 - 1}))

    assert read_xlsx(content)[1:] == [["9223372036854775807"], [999_999_999_999_999.0]]


def test_the_second_sheet_says_what_is_to_be_known_and_its_digest_is_that_of_the_csv():
    made = export_data(
        {"id": "a", "name": "=1"}, as_of="2011-12-31T10:00:00+08:00", revision=7, definition="d", complete=True
    )

    content, digest = as_xlsx(made)

    notes = dict(read_xlsx(content, sheet=1))
    assert (notes["截至"], notes["台账版本"], notes["定义版本"], notes["行数"]) == (
        "2011-12-31T10:00:00+08:00", "7", "d", "1",
    )  # fmt: skip
    assert notes["数据摘要"] == digest.hex() == as_csv(made)[1].hex()
    (_, *cells) = read_xlsx(content)
    assert digest == sha256(b"".join(csv.line(row) for row in cells)).digest()


def test_what_does_not_fit_into_a_sheet_is_refused_and_never_cut_off():
    with pytest.raises(xlsx.DoesNotFit, match="1048576 rows"):
        xlsx.fits(xlsx.MOST_ROWS + 1)
    xlsx.fits(xlsx.MOST_ROWS)

    with pytest.raises(xlsx.DoesNotFit, match="row 2"):
        as_xlsx(export_data({"name": "x" * (xlsx.LONGEST_TEXT + 1)}))
    assert len(read_xlsx(as_xlsx(export_data({"name": "x" * xlsx.LONGEST_TEXT}))[0])[1][0]) == xlsx.LONGEST_TEXT


def test_examples_of_all_kinds_can_be_written():
    for kind, example in EXAMPLES.items():
        made = export_data({"id": "1", "version": 1, **example}, of=kind)
        assert len(read_xlsx(as_xlsx(made)[0])) == len(read_csv(as_csv(made)[0])) == 2


def _sheet(content):
    return ZipFile(BytesIO(content)).read("xl/worksheets/sheet1.xml")
