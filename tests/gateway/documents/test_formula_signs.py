"""A text that looks like a formula or like mathematics is shown by every file that the gateway writes, as it is."""

import csv as standard_csv
import re
import warnings
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZipFile

import docx
import pytest
from matplotlib.text import Text
from python_calamine import CalamineWorkbook

import gateway
from gateway.documents import certificate_pdf, chart, csv, fonts, xlsx
from gateway.documents.chart import Bar
from gateway.documents.control_characters import on_one_line, without_controls
from gateway.documents.formula_signs import SIGNS, escape, unescape
from gateway.documents.table import ExportData
from gateway.documents.word_document import WordDocument
from gateway.imports import sheets
from tests.gateway.documents.test_yearly_report_docx import LATIN_ONLY
from tests.gateway.imports.sheets.examples import a_csv, columns_of, read

GATEWAY = Path(gateway.__file__).parent
WRITES_FILES = re.compile(
    r"csv\.writer\(|^import xlsxwriter|^from (xlsxwriter|docx|openpyxl) import|\.print_(pdf|png)\(", re.MULTILINE
)

REJECTIONS = columns_of("outreach.reject_count")
HEADS = ("人次记录编号", "理由")
FORMULAS = [f"{sign}1+1" for sign in SIGNS] + ['=HYPERLINK("http://x",A1)', "'=1+1"]
MATHEMATICS = ["$x^2$", "$\\frac{$", "$\\undefined$", "\\$5 = $5", "{$", "$$"]
CONTROLS = ["\x00", "\x0b", "\x1b[2J", "\x7f", "\ufffe", "\ud800"]
TEXTS = FORMULAS + MATHEMATICS + [f"a{control}b" for control in CONTROLS]
CERTIFICATE = {
    "certificate_no": "YOUTH-2011-10-0007", "programme_kind": "youth", "level": "city", "edition_no": 10, "year": 2011,
    "award_kind": "graded", "grade": "second", "document_no": "$9", "granted_on": "2011-05-10", "title": "$x^2$",
    "check_code": "ABCD-2345-WXYZ",
}  # fmt: skip


@pytest.fixture
def drawn(monkeypatch):
    """The texts that are drawn, in a font that every machine has; none of them as mathematics."""
    texts, draw = [], Text.draw

    def note(text, *arguments, **options):
        assert not text.get_parse_math()
        texts.append(text.get_text())
        draw(text, *arguments, **options)

    monkeypatch.setattr(fonts, "font_with", lambda *_: LATIN_ONLY[0])
    monkeypatch.setattr(Text, "draw", note)
    with warnings.catch_warnings(action="ignore"):  # the font has no Chinese
        yield texts


def exported(writer, texts=FORMULAS):
    made = ExportData("清单", of="outreach.reject_count")
    made.rows.add({"count_id": "c-1", "reason": text} for text in texts)
    file = BytesIO()
    writer.write(file, made)
    return file.getvalue()


def in_export_csv(path):
    (path / "export.csv").write_bytes(exported(csv))
    return path / "export.csv"


def in_export_xlsx(path):
    (path / "export.xlsx").write_bytes(exported(xlsx))
    return path / "export.xlsx"


def in_facts_xlsx(path):
    file = BytesIO()
    xlsx.write(file, ExportData("清单", {f"fact {number}": formula for number, formula in enumerate(FORMULAS)}))
    (path / "facts.xlsx").write_bytes(file.getvalue())
    return path / "facts.xlsx"


def in_marked_csv(path):
    sheets.marked(in_export_csv(path), "export.csv", REJECTIONS, {}, path / "marked.csv")
    return path / "marked.csv"


def in_marked_xlsx(path):
    sheets.marked(in_export_xlsx(path), "export.xlsx", REJECTIONS, {}, path / "marked.xlsx")
    return path / "marked.xlsx"


def in_template(path):
    rows = [{"count_id": "c-1", "reason": formula} for formula in FORMULAS]
    (path / "template.xlsx").write_bytes(sheets.template(REJECTIONS, "清单", rows))
    return path / "template.xlsx"


def in_docx(path, texts=FORMULAS):
    paper = WordDocument("报告")
    paper.table("清单", HEADS, [("c-1", text) for text in texts], (4.0, 8.0))
    for text in texts:
        paper.chapter(text)
        paper.section(text)
        paper.text(text)
    paper.foot(texts)
    with (path / "report.docx").open("wb") as file:
        paper.save(file)
    return path / "report.docx"


WORKBOOKS = (in_export_xlsx, in_facts_xlsx, in_marked_xlsx, in_template)


def test_the_writers_that_are_tried_here_are_all_there_are():
    writers = {
        file.relative_to(GATEWAY).as_posix() for file in GATEWAY.rglob("*.py") if WRITES_FILES.search(file.read_text())
    }

    assert writers == {
        "documents/csv.py",
        "documents/xlsx.py",
        "documents/word_document.py",
        "documents/chart.py",
        "documents/certificate_pdf.py",
        "imports/sheets/marked_copy.py",
        "imports/sheets/template.py",
    }


@pytest.mark.parametrize("make", [in_export_csv, in_marked_csv])
def test_no_cell_of_a_csv_begins_a_formula(make, tmp_path):
    _, *rows = standard_csv.reader(StringIO(make(tmp_path).read_bytes().decode("utf-8-sig"), newline=""))

    assert [row[1] for row in rows] == [f"'{formula}" for formula in FORMULAS]


@pytest.mark.parametrize("make", WORKBOOKS)
def test_no_cell_of_a_workbook_is_a_formula_and_every_text_is_there(make, tmp_path):
    path = make(tmp_path)

    with ZipFile(path) as archive:
        worksheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
    assert not [sheet for sheet in worksheets if re.search(rb"<f[ >]", sheet)]
    texts = {str(cell).strip() for table in _tables(path) for row in table for cell in row}
    assert texts >= {formula.strip() for formula in FORMULAS}


def test_a_workbook_holds_every_text_whatever_stands_in_it():
    texts = [text for text in TEXTS if "\ud800" not in text]  # no input has half a character

    (_, *rows) = CalamineWorkbook.from_filelike(BytesIO(exported(xlsx, texts))).get_sheet_by_index(0).to_python()

    assert len(rows) == len(texts)
    assert {str(row[1]).strip() for row in rows} >= {text.strip() for text in FORMULAS + MATHEMATICS}


def test_a_table_of_the_report_shows_texts_as_they_are(tmp_path):
    (table,) = docx.Document(str(in_docx(tmp_path, TEXTS))).tables

    assert [row.cells[1].text.strip() for row in table.rows][1:] == [without_controls(text).strip() for text in TEXTS]


@pytest.mark.parametrize("text", FORMULAS + MATHEMATICS)
@pytest.mark.parametrize("draw", [chart.across, chart.upright])
def test_a_chart_shows_texts_as_they_are(drawn, text, draw):
    draw([Bar(text, text, 1.0, text)], unit=text)

    assert drawn.count(text) >= 3  # the bar's name, the text at its end, and the unit


@pytest.mark.parametrize("text", TEXTS)
def test_a_certificate_shows_texts_as_they_are_on_one_line(drawn, text):
    certificate_pdf.draw({**CERTIFICATE, "names": [text]}, check_at="kexie/certificates")

    assert on_one_line(text) in drawn
    assert not [each for each in drawn if len(each.splitlines()) > 1]


@pytest.mark.parametrize("make", [in_export_csv, in_export_xlsx, in_marked_csv, in_marked_xlsx, in_template])
def test_a_text_that_looks_like_a_formula_is_imported_as_it_was_exported(make, tmp_path):
    rows = read(make(tmp_path), REJECTIONS)

    assert [row.values["reason"] for row in rows] == [formula.strip() for formula in FORMULAS]


def test_a_lone_sign_of_a_clerk_is_given_back_as_it_is(tmp_path):
    path = a_csv(tmp_path, HEADS, *(("c-1", sign) for sign in "=+-@＝＋－＠"))

    sheets.marked(path, path.name, REJECTIONS, {}, tmp_path / "back.csv")

    rows = standard_csv.reader(StringIO((tmp_path / "back.csv").read_bytes().decode("utf-8-sig"), newline=""))
    assert [row[1] for row in rows][1:] == list("=+-@＝＋－＠")


@pytest.mark.parametrize("text", [*FORMULAS, "", "'", "''=1", "it's", "'quoted'", "1+1"])
def test_what_is_escaped_is_read_back_as_it_was(text):
    assert unescape(escape(text)) == text


def _tables(path):
    workbook = CalamineWorkbook.from_path(path)
    return [workbook.get_sheet_by_name(name).to_python() for name in workbook.sheet_names]
