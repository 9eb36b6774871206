"""Messy sheets: what can mean one thing only is read, all else is refused with the cell's address."""

from datetime import date, datetime

import pytest

from gateway.imports.sheets import BrokenSheet
from gateway.imports.sheets.errors import address, column_number
from tests.gateway.imports.sheets.examples import (
    A_ROW,
    AS_SAID,
    COUNTS,
    DAY,
    HEADER,
    a_book,
    a_csv,
    an_xlsx,
    columns_of,
    only_row,
    read,
)

GRANTS = columns_of("rural.approve_grant")
ORGANISATIONS = columns_of("members.create_organisation")
POINTS = columns_of("rural.plan_point")
ACTIVITIES = columns_of("outreach.create_activity")


def a_count(folder, **cells):
    """One row of counts, with these cells by the word of their header."""
    return only_row(an_xlsx(folder, HEADER, [cells.get(word, cell) for word, cell in zip(HEADER, A_ROW, strict=True)]))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (300, 300), ("300", 300), ("３００", 300), ("300人次", 300), ("300 人次", 300), ("3.5万人次", 35_000),
        ("3.5万", 35_000), ("３．５万人次", 35_000), ("1,234", 1_234), ("１，２３４", 1_234), (" 300\u3000", 300),
        ("3千", 3_000), ("0.03亿", 3_000_000), ("300.0", 300), (0, 0), ("0", 0), ("1,234,567人次", 1_234_567),
    ],
)  # fmt: skip
def test_a_number_is_read_however_it_is_written(tmp_path, written, meant):
    row = a_count(tmp_path, 人次=written)

    assert (row.values["person_times"], row.wrongs) == (meant, ())


@pytest.mark.parametrize(
    "written",
    [
        "约300", "300左右", "近300", "300余", "300多", "300+", ">300", "3百多", "几百", "300-400", "三百", "12,34",
        "1,2345", "1.000", 300.5, "3.55555万", "300人", "300户", -1, "-5", True, DAY, "10000001", 10_000_001, "3e5",
        "300 400", "人次", "9" * 60, "٣٠٠",
    ],
)  # fmt: skip
def test_a_number_that_is_not_exact_or_not_a_count_is_refused(tmp_path, written):
    row = a_count(tmp_path, 人次=written)

    assert [(wrong.cell, wrong.field) for wrong in row.wrongs] == [("E2", "person_times")]
    assert row.wrongs[0].zh
    assert row.wrongs[0].en
    assert "person_times" not in row.values


@pytest.mark.parametrize(
    "written",
    [
        DAY, datetime(2011, 5, 14), "2011-05-14", "2011-5-14", "2011年5月14日", "2011年05月14日", "2011.5.14",  # noqa: DTZ001
        "2011/5/14", "２０１１年５月１４日", "20110514", 20110514, 40677, "2011-5-14 00:00:00", "2011/5/14 0:00",
        " 2011.5.14\u3000", "2011年5月14号",
    ],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(tmp_path, written):
    row = a_count(tmp_path, 日期=written)

    assert (row.values["day"], row.wrongs) == ("2011-05-14", ())


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("5/14/2011", "何为月"), ("3/12/2011", "何为月"), ("11-3-12", "四位"), ("11年3月12日", "四位"),
        ("3月12日", "年份"), ("2011年3月", "不是日期"), ("2011-02-29", "没有"), ("2011-13-01", "没有"),
        ("2011-3-12 9:30", "不是日期"), (datetime(2011, 3, 12, 9, 30), "时刻"), ("2011.3-12", "不是日期"),  # noqa: DTZ001
        ("3月中旬", "不是日期"), (12, "不是日期"),
        (40677.5, "不是日期"), ("40677", "不是日期"), ("2011-03-12至14", "不是日期"), (True, "不是日期"),
    ],
)  # fmt: skip
def test_a_day_that_may_be_another_is_refused(tmp_path, written, because):
    row = a_count(tmp_path, 日期=written)

    assert [(wrong.cell, wrong.field) for wrong in row.wrongs] == [("B2", "day")]
    assert because in row.wrongs[0].zh


@pytest.mark.parametrize("written", ["-", "—", "－", "——", "无", "/", "N/A", "", None, " \u3000"])
def test_nothing_is_none_where_it_may_be_left_out_and_missing_where_it_is_needed(tmp_path, written):
    row = a_count(tmp_path, 未成年人人次=written)
    assert (row.values.get("minors"), row.wrongs) == (None, ())

    needed = a_count(tmp_path, 人次=written)
    assert [(wrong.cell, wrong.zh) for wrong in needed.wrongs] == [("E2", "此项必填")]


@pytest.mark.parametrize("written", ["线下", "offline", "Offline", " 线 下", "ＯＦＦＬＩＮＥ"])
def test_a_choice_is_read_by_any_of_its_words(tmp_path, written):
    assert a_count(tmp_path, 参与方式=written).values["mode"] == "offline"


@pytest.mark.parametrize("written", ["线下线上", "off", 1, True, "现场直播"])
def test_a_word_that_is_no_choice_is_refused_with_the_choices(tmp_path, written):
    (wrong,) = a_count(tmp_path, 参与方式=written).wrongs

    assert wrong.cell == "C2"
    assert "线下、线上" in wrong.zh or "须为文本" in wrong.zh


def test_the_word_for_nothing_is_a_choice_where_it_is_one(tmp_path):
    results = columns_of("awards.report_external_result")
    header = [column.header() for column in results if column.required]
    cells = {"grade": "无", "series": "青创赛", "level": "省级", "category": "科幻画", "award_kind": "专项奖"}
    rest = {
        "edition_no": "26届",
        "title": "水火箭",
        "first_entrant": "e-1",
        "awarded_on": DAY,
        "document_sha256": "0F" * 32,
    }

    row = only_row(
        an_xlsx(tmp_path, header, [{**cells, **rest}[column.name] for column in results if column.required]), results
    )

    assert row.wrongs == ()
    assert (row.values["grade"], row.values["edition_no"]) == ("none", 26)
    assert row.values["document_sha256"] == "0f" * 32


@pytest.mark.parametrize(
    ("written", "fen"),
    [
        (12000.5, 1_200_050), ("12,000.50", 1_200_050), ("￥12,000.50", 1_200_050), ("¥12000.5元", 1_200_050),
        ("1.2万元", 1_200_000), (0.1 + 0.2, 30), ("0.07", 7), (1.13, 113), ("60万元", 60_000_000), (600000, 60_000_000),
    ],
)  # fmt: skip
def test_yuan_are_read_as_fen_exactly(tmp_path, written, fen):
    path = an_xlsx(tmp_path, ("批准金额（元）", "批准日期", "发文机关级别"), (written, DAY, "中央"))

    row = only_row(path, GRANTS)

    assert row.values == {"approved_fen": fen, "approved_on": "2011-05-14", "issuer_level": "central"}


@pytest.mark.parametrize("written", ["12,000.505", 0.001, "约5万元", 0, "5美元", "12.000,50", "0.0000001万元"])
def test_yuan_that_are_no_whole_fen_are_refused(tmp_path, written):
    path = an_xlsx(tmp_path, ("批准金额", "批准日期", "发文机关级别"), (written, DAY, "中央"))

    assert [wrong.cell for wrong in only_row(path, GRANTS).wrongs] == ["A2"]


def test_a_column_in_another_unit_is_not_the_column(tmp_path):
    path = an_xlsx(tmp_path, ("批准金额（万元）", "批准日期", "发文机关级别"), (60, DAY, "中央"))

    with pytest.raises(BrokenSheet, match=r"unknown column “批准金额（万元）”, perhaps Approved amount \(yuan\)"):
        read(path, GRANTS)


@pytest.mark.parametrize("written", ["市中区", "511102", 511102, "乐山市市中区", "５１１１０２", "市中"])
def test_a_district_is_read_by_name_or_code(tmp_path, written):
    path = an_xlsx(
        tmp_path,
        ("组织名称", "组织类型", "依托单位编号", "县市区", "科技工作者人数"),
        ("某校科协", "高校科协", 12, written, "80人"),
    )

    row = only_row(path, ORGANISATIONS)

    assert row.wrongs == ()
    assert row.values["district"] == "511102"
    assert row.values["institution_id"] == "12"


def test_a_code_that_excel_took_for_a_number_is_read_as_long_as_it_is_whole(tmp_path):
    header = ("站点名称", "村（社区）代码", "承建单位编号")

    whole = only_row(an_xlsx(tmp_path, header, ("青江站", 511102001201, "as-tea")), POINTS)
    assert whole.values["village_code"] == "511102001201"

    (cut,) = only_row(an_xlsx(tmp_path, header, ("青江站", 5.11102e17, "as-tea")), POINTS).wrongs
    assert (cut.cell, cut.field) == ("B2", "village_code")
    (said,) = only_row(an_xlsx(tmp_path, header, ("青江站", "5.11102E+11", "as-tea")), POINTS).wrongs
    assert "12 位村（社区）代码" in said.zh
    assert "village's code of 12 digits" in said.en


def test_several_values_stand_in_one_cell(tmp_path):
    header = (
        "活动名称",
        "活动形式",
        "举办方式",
        "主办单位编号",
        "县（市、区）",
        "活动日期",
        "重点人群",
        "协办单位编号",
    )
    cells = ("科技周", "广场活动", "线下", "o-1", "市中区", "2011年5月14日、2011.5.15", "未成年人；农民", "o-2, o-3")

    row = only_row(an_xlsx(tmp_path, header, cells), ACTIVITIES)

    assert row.wrongs == ()
    assert row.values["days"] == ["2011-05-14", "2011-05-15"]
    assert row.values["key_groups"] == ["minors", "farmers"]
    assert row.values["co_org_ids"] == ["o-2", "o-3"]
    assert only_row(an_xlsx(tmp_path, header, [*cells[:5], DAY]), ACTIVITIES).values["days"] == ["2011-05-14"]


@pytest.mark.parametrize(("written", "meant"), [("是", True), ("否", False), ("Yes", True), (True, True), ("√", True)])
def test_yes_and_no_are_read(tmp_path, written, meant):
    campaigns = columns_of("outreach.open_campaign")
    path = an_xlsx(
        tmp_path, ("品牌活动", "主题", "开始日期", "结束日期", "计入科普人次"), ("科技周", "携手", DAY, DAY, written)
    )

    assert only_row(path, campaigns).values["counts_for_k2"] is meant


def test_a_text_keeps_its_full_width_signs_and_loses_the_blanks_around_it(tmp_path):
    path = an_xlsx(tmp_path, ("人次记录编号", "理由"), ("c-1", "\u3000重复上报（第２次） "))

    assert only_row(path, columns_of("outreach.reject_count")).values["reason"] == "重复上报（第２次）"


def test_a_text_that_is_too_long_or_a_date_is_refused(tmp_path):
    rejecting = columns_of("outreach.reject_count")
    path = an_xlsx(tmp_path, ("人次记录编号", "理由"), ("c-1", "长" * 501), ("c-2", DAY), ("c-3", 12))

    rows = read(path, rejecting)

    assert [[wrong.cell for wrong in row.wrongs] for row in rows] == [["B2"], ["B3"], []]
    assert rows[2].values["reason"] == "12"


@pytest.mark.parametrize(
    ("number", "form", "is_read"),
    [
        (42, "General", True), (42, "0", True), (42, "@", True), (42, "0_ ", True), (42, "[Red]0;-0", True),
        (999_999_999_999_999, "General", True), (140_001_000_000_140_001, "General", False), (42, "00000", False),
        (0.05, "0%", False), (1234, "#,##0", False), (42, '"记-"0', False), (12.5, "0.00", False), (42, "0.00", False),
        (42, "0.00E+00", False), (0.5, "# ?/?", False),
    ],
)  # fmt: skip
def test_a_number_is_a_text_only_where_the_sheet_shows_it_as_its_digits(tmp_path, number, form, is_read):
    path = a_book(tmp_path, ("人次记录编号", "理由"), ("c-1", number), formats={"B2": form})

    row = only_row(path, columns_of("outreach.reject_count"))

    assert row.values.get("reason") == (str(number) if is_read else None)
    assert [wrong.cell for wrong in row.wrongs] == ([] if is_read else ["B2"])


def test_the_format_of_a_number_does_not_matter_where_a_number_is_meant(tmp_path):
    path = a_book(
        tmp_path, HEADER, ("a-1", "2011-05-14", "线下", "签到", 1234, 20), formats={"E2": "#,##0", "F2": "000"}
    )

    row = only_row(path)

    assert (row.values["person_times"], row.values["minors"]) == (1234, 20)


# --- which rows are data ---------------------------------------------------------------------------------------------


def test_titles_blanks_repeated_headers_totals_and_notes_are_no_data(tmp_path):
    path = an_xlsx(
        tmp_path,
        ["乐山市2011年科技周参与人次统计表"],
        ["单位：人次", None, None, "2011年5月"],
        [],
        ("序号", *HEADER),
        (1, *A_ROW),
        [None] * 7,
        [2, " ", "\u3000"],
        ("序号", *HEADER),
        (3, *A_ROW),
        ["小 计", None, None, None, None, 600, 40],
        [4, *A_ROW],
        ["合计：", None, None, "-", None, "900人次", 60],
        ["填表人：王某", None, "审核人：", "李某", None, "日期：", DAY],
        ["注：", "未成年人指18周岁以下"],
        ["说明：本表由各县（市、区）科协填报"],
    )

    rows = read(path)

    assert [(row.number, row.values, row.wrongs) for row in rows] == [
        (5, AS_SAID, ()), (9, AS_SAID, ()), (11, AS_SAID, ()),
    ]  # fmt: skip


def test_a_merged_title_is_above_the_header_and_a_merged_note_below_the_data(tmp_path):
    path = an_xlsx(tmp_path, [], HEADER, A_ROW, merged=[("A1:F1", "2011年统计表"), ("A4:F4", "注：数据截至5月底")])

    assert only_row(path).values == AS_SAID


def test_a_merged_cell_among_the_data_is_refused_even_where_it_may_be_empty(tmp_path):
    path = an_xlsx(tmp_path, HEADER, A_ROW[:5], A_ROW[:5], merged=[("F2:F3", "20")])

    first, second = read(path)

    assert first.values["minors"] == 20
    assert [(wrong.cell, wrong.field) for wrong in second.wrongs] == [("F3", "minors")]
    assert "合并" in second.wrongs[0].zh


@pytest.mark.parametrize(
    ("cells", "at"),
    [
        (["合计", None, "线下", None, 300], "A3"),
        (["以上数据为初步统计"], "A3"),
        ([None, None, None, None, 300], "E3"),
        (["合计", DAY, "线下", "签到", 300], "A3"),
        (["共3场，合计", None, None, None, "约300"], "A3"),
    ],
)
def test_a_row_that_may_be_data_or_not_is_refused_at_its_cell(tmp_path, cells, at):
    first, second = read(an_xlsx(tmp_path, HEADER, A_ROW, cells))

    assert first.values == AS_SAID
    assert [wrong.cell for wrong in second.wrongs] == [at]


def test_a_complete_row_is_data_whatever_it_looks_like(tmp_path):
    rejecting = columns_of("members.create_organisation")
    header = ("组织名称", "组织类型", "依托单位编号", "县市区", "科技工作者人数")
    path = an_xlsx(
        tmp_path, header, ("说明：某科协", "学会", "i-1", "市中区", 8), ("某某合计", "学会", "i-1", "市中区", 8)
    )

    noted, total = read(path, rejecting)

    assert noted.values["name"] == "说明：某科协"
    assert [wrong.cell for wrong in total.wrongs] == ["A3"]


def test_all_that_is_wrong_in_a_row_is_said_at_once(tmp_path):
    (row,) = read(an_xlsx(tmp_path, HEADER, ("甲", "3月12日", "现场直播", None, "约300", "-")))

    assert [(wrong.cell, wrong.field) for wrong in row.wrongs] == [
        ("A2", "activity_id"), ("B2", "day"), ("C2", "mode"), ("D2", "method"), ("E2", "person_times"),
    ]  # fmt: skip
    assert row.values == {}


def test_a_value_outside_of_every_column_is_refused(tmp_path):
    (row,) = read(an_xlsx(tmp_path, HEADER, [*A_ROW, None, "其中老年人50"]))

    assert [(wrong.cell, wrong.field) for wrong in row.wrongs] == [("H2", "")]


# --- the header ------------------------------------------------------------------------------------------------------


def test_columns_may_stand_in_any_order_and_be_called_by_any_of_their_words(tmp_path):
    words = ("Person-times（人次）", "统计 方式", "* MODE", "day\n（必填）", "activity_id", "其中：未成年人")
    path = an_xlsx(tmp_path, words, (300, "签到", "线下", DAY, "a-1", 20))

    assert only_row(path).values == AS_SAID


def test_addresses_are_those_of_the_sheet_wherever_the_table_stands(tmp_path):
    moved = [[], [], [None, None, *HEADER], [None, None, *A_ROW[:4], "约300", 20]]

    (row,) = read(an_xlsx(tmp_path, *moved))

    assert [(row.number, wrong.cell) for wrong in row.wrongs] == [(4, "G4")]


def test_everything_wrong_with_the_header_is_said_at_once(tmp_path):
    path = an_xlsx(tmp_path, ("活动编号", "日期", "参与方试", "人次", "人次", "天气"), A_ROW)

    with pytest.raises(BrokenSheet) as broken:
        read(path)

    assert [(wrong.cell, wrong.field) for wrong in broken.value.wrongs] == [
        ("C1", ""), ("F1", ""), ("E1", "person_times"), ("A1", "mode"), ("A1", "method"),
    ]  # fmt: skip
    assert "C1 不认识的列“参与方试”，是否为“参与方式”" in broken.value.zh
    assert "缺少列“统计方法”" in broken.value.zh
    assert "E1 与 D1 都是“人次”" in broken.value.zh


def test_a_sheet_without_the_header_is_refused_with_what_it_should_have(tmp_path):
    with pytest.raises(BrokenSheet, match="Activity id, Day, Mode, Method, Person-times"):
        read(an_xlsx(tmp_path, ("甲", "乙"), (1, 2)))


def test_the_sheet_with_the_header_is_read_and_two_such_sheets_are_refused(tmp_path):
    assert only_row(an_xlsx(tmp_path, ["封面"], 数据=[HEADER, A_ROW], 附表=[["甲"]])).values == AS_SAID

    with pytest.raises(BrokenSheet, match="填报、数据"):
        read(an_xlsx(tmp_path, HEADER, A_ROW, 数据=[HEADER, A_ROW]))


@pytest.mark.parametrize("hide", [(3,), (3, 4), ("G",), (3, "G"), ("F",)])
def test_rows_that_a_sheet_does_not_show_whole_are_read_as_such(tmp_path, hide):
    (handouts,) = [column.header() for column in COUNTS if column.name == "handouts"]
    rows = [(*A_ROW, ""), (*A_ROW, 7), A_ROW[:5]]
    written = [[str(cell) for cell in row] for row in ((*HEADER, handouts), *rows)]

    hidden = [row.number for row in read(a_book(tmp_path, *written, hide=hide)) if row.is_hidden]

    by_column = {"G": [3], "F": [2, 3]}
    assert hidden == sorted({number for one in hide for number in by_column.get(one, [one])})


@pytest.mark.parametrize("rows", [(), (("合计", "", "", "", 300),), (("填表人：", "王"),)])
@pytest.mark.parametrize("make", [an_xlsx, a_csv])
def test_a_header_without_a_row_of_data_is_no_sheet(tmp_path, make, rows):
    with pytest.raises(BrokenSheet, match="no row of data"):
        read(make(tmp_path, HEADER, *rows))


def test_an_empty_sheet_has_no_header(tmp_path):
    with pytest.raises(BrokenSheet):
        read(an_xlsx(tmp_path))
    with pytest.raises(BrokenSheet):
        read(a_csv(tmp_path))


def test_addresses_go_on_after_z():
    assert [address(7, place) for place in (0, 25, 26, 701, 702)] == ["A7", "Z7", "AA7", "ZZ7", "AAA7"]
    assert [column_number(letters) for letters in ("A", "Z", "AA", "ZZ", "AAA")] == [0, 25, 26, 701, 702]


def test_the_number_of_a_day_is_that_of_excel(tmp_path):
    assert a_count(tmp_path, 日期=40614).values["day"] == date(2011, 3, 12).isoformat()
    assert COUNTS[1].name == "day"
