"""Files: CSV of any kind and workbooks, those that are refused before they are parsed, and the sheet given back."""

import zipfile
from datetime import date, datetime

import pytest

from gateway.imports.sheets import BrokenSheet, CellError, marked, tables, xlsx_guard
from tests.gateway.imports.sheets.examples import (
    A_ROW,
    AS_SAID,
    COUNTS,
    DAY,
    HEADER,
    a_csv,
    an_xlsx,
    cells_of,
    columns_of,
    only_row,
    read,
)

CELL = '<c r="{}"><v>1</v></c>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_is_read_however_it_was_saved(tmp_path, encoding, delimiter):
    path = a_csv(tmp_path, ["2011年科技周"], HEADER, [], A_ROW, encoding=encoding, delimiter=delimiter)

    row = only_row(path)

    assert (row.number, row.values, row.wrongs) == (4, AS_SAID, ())


def test_quotes_do_not_hide_the_delimiter(tmp_path):
    path = tmp_path / "sheet.csv"
    path.write_text("\n".join(";".join(f'"{cell}"' for cell in row) for row in (HEADER, A_ROW)))

    assert only_row(path).values == AS_SAID


def test_a_csv_of_one_column_needs_no_delimiter(tmp_path):
    rows = read(
        a_csv(tmp_path, ["人次记录编号"], ["c-1"], ["c-2"], ["填表人：王某"]), columns_of("outreach.verify_count")
    )

    assert [row.values["count_id"] for row in rows] == ["c-1", "c-2"]


@pytest.mark.parametrize(
    ("name", "content", "because"),
    [
        ("a.csv", b'"never closed', "CSV"),
        ("a.csv", b"\xff\xff\xff", "编码"),
        ("a.csv", b"a,b\x00,c", "编码"),
        ("a.xls", b"\xd0\xcf\x11\xe0", "旧版"),
        ("a.xlsx", b"not a workbook", "旧版"),
        ("a.xlsx", b"PK\x03\x04garbage", "损坏"),
        ("a.pdf", b"%PDF", "只能读取"),
        ("a", b"", "只能读取"),
    ],
)
def test_a_file_that_cannot_be_read_says_so(tmp_path, name, content, because):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(BrokenSheet) as broken:
        read(tmp_path / name)

    assert because in broken.value.zh
    assert broken.value.en


def test_a_workbook_is_one_by_its_bytes_and_not_by_its_name(tmp_path):
    path = an_xlsx(tmp_path, HEADER, A_ROW).rename(tmp_path / "sheet.csv")

    assert only_row(path).values == AS_SAID


def a_workbook(folder, *, parts=(), sheet=""):
    """A workbook like Excel's own with its sheet, or any part of it, put in by hand."""
    whole = an_xlsx(folder, HEADER, A_ROW)
    changed = dict(parts)
    if sheet:
        changed["xl/worksheets/sheet1.xml"] = f"<worksheet><sheetData>{sheet}</sheetData></worksheet>"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(folder / "changed.xlsx", "w", zipfile.ZIP_DEFLATED) as new:
        for name in {*old.namelist(), *changed}:
            new.writestr(name, changed.get(name, old.read(name) if name in old.namelist() else b""))
    return folder / "changed.xlsx"


def test_a_workbook_that_unpacks_to_more_than_a_sheet_can_be_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_guard, "UNPACKED_PART", 2**20)

    with pytest.raises(BrokenSheet, match="too large"):
        read(a_workbook(tmp_path, parts={"xl/media/bomb.xml": b"0" * (2**20 + 1)}))


def test_cells_far_apart_do_not_fill_the_memory(tmp_path):
    for far in ("A1048576", "XFD1", "GS200000"):
        with pytest.raises(BrokenSheet, match="too large"):
            read(a_workbook(tmp_path, sheet=f"<row>{CELL.format('A1')}{CELL.format(far)}</row>"))


def test_empty_cells_with_a_format_reach_as_far_as_they_like(tmp_path):
    sheet = '<row r="1048576"><c r="XFD1048576" s="1"/></row>'

    with pytest.raises(BrokenSheet, match="no header"):
        read(a_workbook(tmp_path, sheet=sheet))


def test_a_cell_within_a_cell_is_refused(tmp_path):
    with pytest.raises(BrokenSheet, match="damaged"):
        read(a_workbook(tmp_path, sheet='<row><c r="XFD9"><c r="A1"><v>1</v></c></c></row>'))


@pytest.mark.parametrize("cell", ["<c><v>1</v></c>", '<c r="1A"><v>1</v></c>', '<c r="a1"><v>1</v></c>'])
def test_a_cell_that_does_not_say_where_it_is_is_refused(tmp_path, cell):
    with pytest.raises(BrokenSheet, match="damaged"):
        read(a_workbook(tmp_path, sheet=f"<row>{cell}</row>"))


@pytest.mark.parametrize(
    "cell",
    ['<c r="&#88;FD1"><v>1</v></c>', '<c t="/>" r="XFD9"><v>1</v></c>', "<c r='XFD9'><v>1</v></c>"],
)
def test_a_cell_is_seen_where_it_is_however_that_is_written(tmp_path, cell):
    with pytest.raises(BrokenSheet, match="too large"):
        read(a_workbook(tmp_path, sheet=f"<row>{cell}</row>"))


@pytest.mark.parametrize(
    "part",
    [
        '<!DOCTYPE a [<!ENTITY b "c">]><worksheet/>',
        '<?xml version="1.0" encoding="gb18030"?><worksheet/>',
        "<worksheet/>".encode("utf-16"),
    ],
)
def test_markup_that_parsers_may_understand_otherwise_is_refused(tmp_path, part):
    with pytest.raises(BrokenSheet, match="damaged"):
        read(a_workbook(tmp_path, parts={"xl/worksheets/sheet1.xml": part}))


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_the_guard_sees_the_same_however_it_cuts_a_sheet(tmp_path, monkeypatch, chunk):
    cells = '<c r="F2" t="e"><v>#N/A</v></c>' + "".join(f'<c r="{letter}2" s="6"/>' for letter in "GHIJK")
    path = a_workbook(tmp_path, sheet=_header() + _row(cells))
    seen = xlsx_guard.inspect(path)

    monkeypatch.setattr(xlsx_guard, "CHUNK", chunk)

    assert xlsx_guard.inspect(path) == seen
    assert (seen["填报"].rows, seen["填报"].columns, list(seen["填报"].faults)) == (2, 6, ["F2"])


def test_a_cell_that_is_longer_than_any_is_refused(tmp_path):
    endless = f'<c r="A1" t="inlineStr"><is><t>{"x" * (3 * 2**20)}</t></is></c>'

    with pytest.raises(BrokenSheet, match="damaged"):
        read(a_workbook(tmp_path, sheet=f"<row>{endless}</row>"))


def test_a_part_that_is_longer_than_it_says_is_refused(tmp_path):
    path = an_xlsx(tmp_path, HEADER, A_ROW)
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    path.write_bytes(content.replace(size, (100).to_bytes(4, "little")))

    with pytest.raises(BrokenSheet):
        read(path)


def test_a_workbook_that_counts_from_1904_is_refused(tmp_path):
    book = '<workbook><workbookPr date1904="1"/></workbook>'

    with pytest.raises(BrokenSheet, match="1904"):
        read(a_workbook(tmp_path, parts={"xl/workbook.xml": book}))


def test_more_rows_than_there_may_be_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(xlsx_guard, "MANY_ROWS", 2)

    assert len(read(a_csv(tmp_path, HEADER, A_ROW, A_ROW))) == 2
    with pytest.raises(BrokenSheet, match="too large"):
        read(a_csv(tmp_path, HEADER, A_ROW, A_ROW, A_ROW))


def test_more_columns_than_there_may_be_are_refused(tmp_path):
    with pytest.raises(BrokenSheet, match="too large"):
        read(a_csv(tmp_path, HEADER, [*A_ROW, *["x"] * xlsx_guard.MANY_COLUMNS]))


def test_a_line_that_is_longer_than_any_row_is_refused_before_it_is_taken_apart(tmp_path, monkeypatch):
    path = a_csv(tmp_path, HEADER, A_ROW)
    monkeypatch.setattr(tables, "LONGEST_LINE", max(map(len, path.read_bytes().decode().splitlines(True))))
    assert len(read(path)) == 1

    monkeypatch.setattr(tables, "LONGEST_LINE", tables.LONGEST_LINE - 1)
    with pytest.raises(BrokenSheet, match="too large"):
        read(path)


@pytest.mark.parametrize(("levels", "says"), [(xlsx_guard.DEEPEST, "no header"), (xlsx_guard.DEEPEST + 1, "damaged")])
def test_markup_that_is_deeper_than_any_sheet_is_refused(tmp_path, levels, says):
    deep = levels - 2  # below the sheet and its data

    with pytest.raises(BrokenSheet, match=says):
        read(a_workbook(tmp_path, sheet="<a>" * deep + "</a>" * deep))


@pytest.mark.parametrize(
    ("number", "says"), [(xlsx_guard.MANY_SHEETS, "no header"), (xlsx_guard.MANY_SHEETS + 1, "100 sheets")]
)
def test_a_workbook_has_no_more_sheets_than_anybody_fills_in(tmp_path, number, says):
    with pytest.raises(BrokenSheet, match=says):
        read(an_xlsx(tmp_path, **{f"s{one}": [] for one in range(number - 1)}))


def test_a_part_that_is_packed_as_no_spreadsheet_packs_it_is_refused(tmp_path):
    whole = an_xlsx(tmp_path, HEADER, A_ROW)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "packed.xlsx", "w", zipfile.ZIP_BZIP2) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))

    with pytest.raises(BrokenSheet, match="damaged"):
        read(tmp_path / "packed.xlsx")


def test_of_many_mistakes_in_a_header_the_first_ten_are_told(tmp_path):
    with pytest.raises(BrokenSheet, match="; 5 more") as broken:
        read(a_csv(tmp_path, [*HEADER, *(f"乱{number}" for number in range(15))]))

    assert len(broken.value.wrongs) == 15
    assert "；另有 5 处" in broken.value.zh


def test_a_formula_counts_with_its_result(tmp_path):
    cells = '<c r="A2" t="str"><f>"a-"&amp;1</f><v>a-1</v></c><c r="E2"><f>150*2</f><v>300</v></c>'

    row = only_row(a_workbook(tmp_path, sheet=_header() + _row(cells)))

    assert (row.values["activity_id"], row.values["person_times"]) == ("a-1", 300)


@pytest.mark.parametrize(
    ("cell", "because"),
    [
        ('<c r="F2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="F2" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="F2" t="e">\n<f>1/0</f>\n<v>#N/A</v></c>', "#N/A"),
        ('<c r="F2"><f>SUM(A1:A9)</f></c>', "没有保存"),
        ('<c r="F2" t="str"><f>SUM(A1:A9)</f></c>', "没有保存"),
        ('<c r="F2"><f>SUM(A1:A9)</f><v></v></c>', "没有保存"),
        ('<c r="F2"><f t="shared" si="0"/></c>', "没有保存"),
    ],
)
def test_a_formula_without_a_result_is_refused_even_where_nothing_is_needed(tmp_path, cell, because):
    row = only_row(a_workbook(tmp_path, sheet=_header() + _row(cell)))

    (wrong,) = row.wrongs
    assert (wrong.cell, wrong.field) == ("F2", "minors")
    assert because in wrong.zh


def test_a_formula_that_makes_an_empty_text_is_an_empty_cell(tmp_path):
    cell = '<c r="F2" t="str"><f>IF(E2="","",E2)</f><v></v></c>'

    assert "minors" not in only_row(a_workbook(tmp_path, sheet=_header() + _row(cell))).values


def test_an_error_that_the_parser_does_not_know_is_named_with_its_cell(tmp_path):
    with pytest.raises(BrokenSheet) as broken:
        read(a_workbook(tmp_path, sheet=_header() + _row('<c r="F2" t="e"><v>#SPILL!</v></c>')))

    assert [(wrong.cell, "#SPILL!" in wrong.zh) for wrong in broken.value.wrongs] == [("F2", True)]


@pytest.mark.parametrize("hidden", ["<!-- -->", "<![CDATA[x]]>"])
def test_what_a_parser_may_see_otherwise_than_the_guard_is_refused(tmp_path, hidden):
    with pytest.raises(BrokenSheet, match="damaged"):
        read(a_workbook(tmp_path, sheet=_header() + _row(f'<c r="F2" t="e">{hidden}<v>#N/A</v></c>')))


def test_a_sheet_is_found_however_its_part_is_written(tmp_path):
    path = an_xlsx(tmp_path, HEADER, A_ROW)
    path.write_bytes(path.read_bytes().replace(b"xl/worksheets/sheet1.xml", b"xl/worksheets/Sheet1.xml"))

    assert only_row(path).values == AS_SAID


def test_a_picture_whose_bytes_look_like_a_cell_is_no_cell(tmp_path):
    path = a_workbook(tmp_path, parts={"xl/media/image1.png": b"\x89PNG <c / <c >" * 100})

    assert only_row(path).values == AS_SAID


def test_much_may_come_after_the_last_cell(tmp_path):
    links = "".join(f'<hyperlink ref="A{row}" display="{"x" * 90}"/>' for row in range(2, 14_000))
    path = a_workbook(tmp_path)
    with zipfile.ZipFile(path) as archive:
        whole = archive.read("xl/worksheets/sheet1.xml").decode()
    linked = whole.replace("</sheetData>", f"</sheetData><hyperlinks>{links}</hyperlinks>")

    assert only_row(a_workbook(tmp_path, parts={"xl/worksheets/sheet1.xml": linked})).values == AS_SAID


def test_blanks_without_end_cost_no_time(tmp_path):
    """A pattern that tried every way to divide them would be at it for hours."""
    cell = f'<c r="F2"><f>1</f>{" " * 1_000_000}<x/></c>'

    with pytest.raises(BrokenSheet):
        read(a_workbook(tmp_path, sheet=_header() + _row(cell)))


def test_a_text_that_many_cells_share_counts_in_each_of_them(tmp_path):
    """16 KB of a file would be 300 MB of cells."""
    rows = [("x" * 30_000, *A_ROW[1:])] * 10_000

    with pytest.raises(BrokenSheet, match="too large"):
        read(an_xlsx(tmp_path, HEADER, *rows))


def _header():
    cells = "".join(
        f'<c r="{letter}1" t="inlineStr"><is><t>{word}</t></is></c>'
        for letter, word in zip("ABCDEF", HEADER, strict=True)
    )
    return f'<row r="1">{cells}</row>'


def _row(cells):
    """A row of data with these cells in place of its own."""
    said = dict(zip("BCDE", ("2011-05-14", "线下", "签到", "300"), strict=True))
    rest = "".join(
        f'<c r="{letter}2" t="inlineStr"><is><t>{text}</t></is></c>' for letter, text in said.items()
        if f'r="{letter}2"' not in cells
    )  # fmt: skip
    return f'<row r="2">{cells}{rest}</row>' if 'r="A2"' in cells else f'<row r="2">{A_2}{rest}{cells}</row>'


A_2 = '<c r="A2" t="inlineStr"><is><t>a-1</t></is></c>'


# --- the sheet given back --------------------------------------------------------------------------------------------


def give_back(path, errors, columns=COUNTS):
    out = path.with_name(f"back{path.suffix}")
    marked(path, path.name, columns, errors, out)
    return out


A_WRONG = {
    4: (
        CellError("E4", "person_times", "“约300”不是确切的数", "not exact"),
        CellError("", "", "活动已取消", "cancelled"),
    )
}


def test_a_workbook_comes_back_with_its_cells_and_a_column_of_errors(tmp_path):
    noon = datetime(2011, 5, 14, 12)  # noqa: DTZ001
    wrong = ("a-2", noon, "线下", "签到", "约300", 20)
    path = an_xlsx(tmp_path, ["2011年统计表"], HEADER, A_ROW, wrong)

    rows = cells_of(give_back(path, A_WRONG))

    assert rows == [
        ["2011年统计表", "", "", "", "", "", ""],
        [*HEADER, "错误"],
        [*A_ROW, ""],
        [*wrong, "E4 “约300”不是确切的数； 活动已取消".replace("； ", "；")],
    ]


def test_a_csv_comes_back_as_a_csv_that_excel_opens(tmp_path):
    path = a_csv(tmp_path, ["统计表"], HEADER, A_ROW, A_ROW, encoding="gb18030", delimiter=";")

    back = give_back(path, A_WRONG)

    assert back.read_bytes().startswith(b"\xef\xbb\xbf")
    lines = back.read_text("utf-8-sig").splitlines()
    assert lines[1].split(";") == [*HEADER, "错误"]
    assert lines[2].split(";")[-1] == ""
    assert lines[3].split(";")[-1] == "E4 “约300”不是确切的数；活动已取消"


@pytest.mark.parametrize("make", [an_xlsx, a_csv])
def test_what_comes_back_is_read_again_and_marked_anew(tmp_path, make):
    path = make(tmp_path, ("序号", *HEADER), (1, *A_ROW), (2, *A_ROW))

    back = give_back(path, {2: (CellError("F2", "person_times", "错", "wrong"),)})
    again = back.rename(path)

    assert [row.values for row in read(again)] == [AS_SAID, AS_SAID]
    twice = give_back(again, {3: (CellError("F3", "person_times", "又错", "wrong"),)})
    assert len(read(twice)) == 2
    if make is an_xlsx:
        assert [row[-1] for row in cells_of(twice)] == ["错误", "", "F3 又错"]


def test_formulas_come_back_as_texts(tmp_path):
    rejecting = columns_of("outreach.reject_count")
    evil = '=HYPERLINK("http://evil",A1)'
    path = a_csv(tmp_path, ("人次记录编号", "理由"), ("c-1", evil), ("c-2", "-1+1"), ("c-3", "@SUM(1)"))

    back = give_back(path, {}, rejecting)

    assert back.read_text("utf-8-sig").splitlines()[1:] == [
        "c-1,\"'=HYPERLINK(\"\"http://evil\"\",A1)\",", "c-2,'-1+1,", "c-3,'@SUM(1),",
    ]  # fmt: skip
    assert [row.values["reason"] for row in read(back, rejecting)] == [evil, "-1+1", "@SUM(1)"]


@pytest.mark.parametrize("number", ["NaN", "inf", "-inf", "1e308"])
def test_a_number_that_is_none_is_refused_and_given_back(tmp_path, number):
    cells = f'<c r="E2"><v>{number}</v></c><c r="A2"><v>{number}</v></c>'
    path = a_workbook(tmp_path, sheet=_header() + _row(cells))

    row = only_row(path)

    assert [wrong.cell for wrong in row.wrongs] == ["A2", "E2"]
    assert len(cells_of(give_back(path, {2: row.wrongs}))) == 2


def test_a_text_like_a_formula_stays_a_text_in_a_workbook(tmp_path):
    texts = {"A1": "人次记录编号", "B1": "理由", "A2": "c-1", "B2": "=1+1"}
    cells = "".join(f'<c r="{at}" t="inlineStr"><is><t>{text}</t></is></c>' for at, text in texts.items())
    path = a_workbook(tmp_path, sheet=f"<row>{cells}</row>")

    back = give_back(path, {}, columns_of("outreach.reject_count"))

    with zipfile.ZipFile(back) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
    assert cells_of(back)[1][:2] == ["c-1", "=1+1"]


def test_a_workbook_with_dates_keeps_them_as_dates(tmp_path):
    back = give_back(an_xlsx(tmp_path, HEADER, A_ROW), {})

    assert cells_of(back)[1][1] == DAY == date(2011, 5, 14)
