"""Columns and templates: what a command takes, as a sheet that a clerk can fill in and we read again."""

import zipfile
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.imports.sheets import BrokenSheet, NotFlat, columns, read, template
from gateway.imports.sheets.cell import BLANKS, narrow
from gateway.imports.sheets.cell_reading import NOTHING
from services.chassis.fields import load
from services.contract.district import DISTRICTS
from services.kernel.day import YEARS
from tests.contract.commands import ADDING, COMMANDS, FLAT
from tests.gateway.imports.sheets.examples import AS_SAID, COUNTS, cells_of, columns_of, only_row

LARGEST = 2**63 - 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("sheets")


def save(folder, content):
    (folder / "template.xlsx").write_bytes(content)
    return folder / "template.xlsx"


@pytest.mark.parametrize("command", FLAT)
def test_every_flat_command_has_a_template_which_reads_as_empty(command, folder):
    path = save(folder, template(columns_of(command), command))

    with pytest.raises(BrokenSheet, match="no row of data"):
        list(read(path, path.name, columns_of(command)))


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_template_filled_with_any_inputs_reads_as_those_inputs(folder, data):
    command = data.draw(st.sampled_from(sorted(FLAT)))
    inputs = data.draw(st.lists(an_input_of(columns_of(command)), min_size=1, max_size=5))

    path = save(folder, template(columns_of(command), command, inputs))
    rows = list(read(path, path.name, columns_of(command)))

    assert [(row.values, row.wrongs) for row in rows] == [(one, ()) for one in inputs]
    assert all(load(COMMANDS[command], row.values) for row in rows)


def an_input_of(columns):
    return st.fixed_dictionaries(
        {column.name: _value(column) for column in columns if column.required},
        optional={column.name: _value(column) for column in columns if not column.required},
    )


def _value(column):
    one = _one(column)
    if not column.many:
        return one
    if column.holds == "text":
        one = one.filter(lambda text: not set(text) & set(";；"))  # these stand between two texts of a cell
    return st.lists(one, min_size=max(1, column.fewest_values), max_size=3)


def _one(column):
    if column.choices:
        return st.sampled_from(column.choices)
    match column.holds:
        case "day":
            return st.dates(date(YEARS.start, 1, 1), date(YEARS.stop - 1, 12, 31)).map(date.isoformat)
        case "flag":
            return st.booleans()
        case "whole" | "yuan":
            return st.integers(column.least, LARGEST if column.most is None else column.most)
        case "text":
            words = st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), min_size=1, max_size=40)
            return words.filter(lambda text: text == text.strip(BLANKS) and narrow(text).casefold() not in NOTHING)
    return st.from_regex(f"\\A(?:{column.pattern})\\Z").filter(lambda code: len(code) <= column.longest)


def test_needed_columns_come_first_with_a_star_and_money_is_in_yuan(folder):
    path = save(folder, template(columns_of("rural.receive_funds"), "登记资金到账"))

    assert cells_of(path)[0] == ["资金项目编号*", "凭证号*", "到账金额（元）*", "到账日期*"]
    header = cells_of(save(folder, template(COUNTS, "填报科普人次")))[0]
    assert header[:5] == ["活动编号*", "日期*", "参与方式*", "统计方法*", "人次*"]
    assert header[5:] == ["人次记录编号", "未成年人人次", "发放资料（份）", "咨询人次"]


def test_a_template_explains_each_column_and_offers_the_words_of_closed_lists(folder):
    path = save(folder, template(columns_of("outreach.register_venue"), "登记活动场地"))

    explained = {row[0]: row for row in cells_of(path, 1)}
    assert explained["县（市、区）"][2] == "必填"
    assert "市中区 511102" in explained["县（市、区）"][7]
    assert explained["容纳人数"][4] == "整数，0 至 10,000,000"
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count('<dataValidation type="list"') == 2
    assert '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/>' in sheet


def test_the_same_template_has_the_same_bytes():
    assert template(COUNTS, "填报科普人次") == template(COUNTS, "填报科普人次")


def test_money_is_what_a_clerk_writes_in_yuan_and_the_command_takes_in_fen():
    (fen,) = [column for column in columns_of("rural.receive_funds") if column.name == "fen"]

    assert fen.holds == "yuan"
    assert fen.range() == "0.01 至 100,000,000,000.00"


def test_what_a_row_cannot_hold_is_refused_by_name():
    nested = {
        "type": "object",
        "properties": {
            "title": {"type": "string"},
            "vouchers": {"type": "array", "items": {"type": "object", "properties": {}}},
            "anything": {},
        },
        "required": [],
    }

    with pytest.raises(NotFlat) as refused:
        columns(nested, of="rural.approve_grant")

    assert refused.value.names == ("vouchers", "anything")
    assert "vouchers、anything" in refused.value.zh


def test_every_command_that_a_sheet_is_given_to_fits_one():
    assert set(FLAT) >= ADDING
    for command in FLAT:
        names = {column.name for column in columns_of(command)}
        assert names == set(COMMANDS[command].fields)


def test_districts_and_their_codes_are_what_a_district_may_be():
    (district,) = [column for column in columns_of("members.create_organisation") if column.name == "district"]

    assert set(district.values.values()) == set(DISTRICTS)
    assert district.pattern == "^[0-9]{6}$"


def test_a_filled_template_is_the_input(folder):
    path = save(folder, template(COUNTS, "填报科普人次", [AS_SAID]))

    assert only_row(path).values == AS_SAID
