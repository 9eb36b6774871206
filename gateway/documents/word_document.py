"""A Word document in the form of an office (GB/T 9704): its page, fonts, tables and page numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import IO, Any

from docx import Document
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT, WD_TABLE_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Cm, Mm, Pt, RGBColor

from gateway.documents.control_characters import without_controls

SONG, HEI, KAI, FANGSONG = "宋体", "黑体", "楷体", "仿宋"
LATIN = "Times New Roman"
TITLE, TEXT, SMALL, SMALLEST = 22, 16, 10.5, 9  # points: 二号, 三号, 五号, 小五号
LINE = 28  # points from one line to the next
BLACK = RGBColor(0, 0, 0)
SHADE = "E8EEF5"

LEFT, CENTRE, RIGHT = WD_ALIGN_PARAGRAPH.LEFT, WD_ALIGN_PARAGRAPH.CENTER, WD_ALIGN_PARAGRAPH.RIGHT


class WordDocument:
    """A document that is written from its beginning to its end, in fonts by name: Word replaces those it lacks."""

    def __init__(self, title: str) -> None:
        self._document = Document()
        title = without_controls(title)
        self._document.core_properties.title = title
        self._document.core_properties.author = self._document.core_properties.comments = ""
        self._tables = self._figures = 0
        self._set_page()
        self._set_styles()
        self._document.add_paragraph(title, style="Title")

    def write_date(self, date: str) -> None:
        """Write the date of the document under its title."""
        self._line(date, SONG, SMALL + 1.5, CENTRE, after=18)

    def chapter(self, title: str) -> None:
        """Begin a chapter."""
        self._document.add_heading(without_controls(title), level=1)

    def section(self, title: str) -> None:
        """Begin a section of a chapter."""
        self._document.add_heading(without_controls(title), level=2)

    def text(self, text: str) -> None:
        """Write a paragraph, its first line two characters in."""
        paragraph = self._document.add_paragraph(without_controls(text))
        paragraph.paragraph_format.first_line_indent = Pt(2 * TEXT)

    def table(
        self,
        caption: str,
        heads: Sequence[str],
        rows: Iterable[Sequence[str]],
        widths: Sequence[float],
        right: str = "",
    ) -> None:
        """Write a table; `widths` are in centimetres, and columns whose heads stand in `right` hold numbers."""
        if caption:
            self._tables += 1
            self._line(f"表{self._tables}　{caption}", HEI, SMALL, CENTRE, before=8, after=4, keep=True)
        table = self._document.add_table(rows=1, cols=len(heads), style="Table Grid")
        table.alignment, table.autofit = WD_TABLE_ALIGNMENT.CENTER, False
        _repeat(table.rows[0])
        for cell, head in zip(table.rows[0].cells, heads, strict=True):
            _fill(cell, head, HEI, CENTRE)
            _shade(cell)
        for texts in rows:
            row = table.add_row()
            _keep_whole(row)
            for cell, head, text in zip(row.cells, heads, texts, strict=True):
                _fill(cell, text, SONG, RIGHT if head in right else LEFT)
        for column, width in zip(table.columns, widths, strict=True):
            column.width = Cm(width)
        self._line("", SONG, SMALL, LEFT)

    def figure(self, png: bytes, caption: str) -> None:
        """Place a numbered picture across the page."""
        self._figures += 1
        paragraph = self._document.add_paragraph()
        paragraph.alignment = CENTRE
        paragraph.paragraph_format.keep_with_next = True
        _single(paragraph)
        paragraph.add_run().add_picture(BytesIO(png), width=Cm(15))
        self._line(f"图{self._figures}　{caption}", HEI, SMALL, CENTRE, before=2, after=12)

    def foot(self, lines: Iterable[str]) -> None:
        """Write these lines at the foot of every page, and the page's number."""
        footer = self._document.sections[0].footer
        for place, line in enumerate(lines):
            paragraph = footer.paragraphs[0] if place == 0 else footer.add_paragraph()
            paragraph.alignment = CENTRE
            _single(paragraph)
            _write(paragraph, line, SONG, SMALLEST - 1.5)
        paragraph = footer.add_paragraph()
        paragraph.alignment = CENTRE
        _single(paragraph)
        for piece in ("第 ", "PAGE", " 页　共 ", "NUMPAGES", " 页"):
            (_field if piece.isascii() and piece.strip().isupper() else _small)(paragraph, piece)

    def save(self, file: IO[bytes]) -> None:
        """Write the document; nothing can be added after it."""
        self._document.save(file)

    def _line(
        self,
        text: str,
        font: str,
        size: float,
        alignment: Any,
        *,
        before: float = 0,
        after: float = 0,
        keep: bool = False,
    ) -> None:
        paragraph = self._document.add_paragraph()
        paragraph.alignment = alignment
        _single(paragraph)
        paragraph.paragraph_format.space_before, paragraph.paragraph_format.space_after = Pt(before), Pt(after)
        paragraph.paragraph_format.keep_with_next = keep
        _write(paragraph, text, font, size)

    def _set_page(self) -> None:
        page = self._document.sections[0]
        page.page_width, page.page_height = Mm(210), Mm(297)
        page.top_margin, page.bottom_margin, page.left_margin, page.right_margin = Mm(37), Mm(35), Mm(28), Mm(26)
        page.footer_distance = Mm(15)

    def _set_styles(self) -> None:
        styles = self._document.styles
        for name, font, size, bold in (
            ("Normal", FANGSONG, TEXT, False),
            ("Title", SONG, TITLE, True),
            ("Heading 1", HEI, TEXT, False),
            ("Heading 2", KAI, TEXT, True),
        ):
            _dress(styles[name], font, size, bold=bold)
            style = styles[name].paragraph_format
            style.line_spacing_rule, style.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(LINE if size == TEXT else 36)
            style.space_before, style.space_after = Pt(0), Pt(0)
        for name in ("Heading 1", "Heading 2"):
            styles[name].paragraph_format.space_before = Pt(10)
        styles["Title"].paragraph_format.alignment = CENTRE
        styles["Title"].paragraph_format.space_after = Pt(12)
        if (border := styles["Title"].element.pPr.find(qn("w:pBdr"))) is not None:
            styles["Title"].element.pPr.remove(border)


def _dress(style: Any, font: str, size: float, *, bold: bool) -> None:
    """Set a style's fonts by their names, without the theme's, which would win."""
    style.font.name, style.font.size, style.font.bold, style.font.italic = LATIN, Pt(size), bold, False
    style.font.color.rgb = BLACK
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for attribute in [name for name in fonts.attrib if name.endswith("Theme")]:
        del fonts.attrib[attribute]
    fonts.set(qn("w:eastAsia"), font)


def _write(paragraph: Any, text: str, font: str, size: float) -> None:
    run = paragraph.add_run(without_controls(text))
    run.font.size, run.font.name = Pt(size), LATIN
    run._element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _small(paragraph: Any, text: str) -> None:
    _write(paragraph, text, SONG, SMALLEST)


def _field(paragraph: Any, name: str) -> None:
    """Write a field that Word computes, such as the page; each part in a run of its own, or its size is not kept."""
    for tag, attribute, text in (
        ("w:fldChar", "begin", ""),
        ("w:instrText", "", name),
        ("w:fldChar", "separate", ""),
        ("w:t", "", "1"),
        ("w:fldChar", "end", ""),
    ):
        part = OxmlElement(tag)
        if attribute:
            part.set(qn("w:fldCharType"), attribute)
        part.text = text
        run = paragraph.add_run()
        run.font.size, run.font.name = Pt(SMALLEST), LATIN
        run._element.append(part)


def _fill(cell: Any, text: str, font: str, alignment: Any) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    for place, line in enumerate(text.split("\n")):
        paragraph = cell.paragraphs[0] if place == 0 else cell.add_paragraph()
        paragraph.alignment = alignment
        _single(paragraph)
        paragraph.paragraph_format.space_before = paragraph.paragraph_format.space_after = Pt(2)
        _write(paragraph, line, font, SMALL)


def _single(paragraph: Any) -> None:
    paragraph.paragraph_format.line_spacing_rule = WD_LINE_SPACING.SINGLE


def _shade(cell: Any) -> None:
    shade = OxmlElement("w:shd")
    for name, value in (("val", "clear"), ("color", "auto"), ("fill", SHADE)):
        shade.set(qn(f"w:{name}"), value)
    cell._element.get_or_add_tcPr().append(shade)


def _repeat(row: Any) -> None:
    """Repeat a row at the top of every page that the table goes on to."""
    row._tr.get_or_add_trPr().append(OxmlElement("w:tblHeader"))


def _keep_whole(row: Any) -> None:
    row._tr.get_or_add_trPr().append(OxmlElement("w:cantSplit"))
