"""Certificates as PDF: a page to be sealed, with the number and the check code for anybody who verifies it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from typing import Any
from unicodedata import east_asian_width

from gateway.documents.control_characters import on_one_line
from gateway.documents.figures import MILLIMETRES, new_figure
from gateway.documents.fonts import SERIF, font_for
from services.contract import glossary

WIDTH, HEIGHT = 297, 210  # millimetres: A4, on its side
POINT = MILLIMETRES / 72  # millimetres
RED, BLACK, GREY = "#B22222", "#111111", "#555555"

SIZES = (26, 22, 18, 15, 12, 10, 8, 6)  # points; the largest that leaves a text enough room is taken
LEADING = 1.5  # from one line to the next, as a multiple of the size

NAMING_FIELDS = {"graded": "grade"}  # the field that names the prize; of any other kind it is the kind itself

Answer = Mapping[str, Any]


class NoFont(Exception):
    """No font of this machine has every character of the certificate."""


@dataclass(frozen=True)
class CertificateLine:
    """A line of text; its middle or left end is `x` millimetres from the left and `y` from the bottom."""

    text: str
    x: float
    y: float
    size: float
    colour: str = BLACK
    align: str = "center"


@dataclass(frozen=True)
class Place:
    """Room for a text of any length: `width` by `height` millimetres around a point."""

    x: float
    y: float
    width: float
    height: float
    largest: float
    colour: str = BLACK
    align: str = "center"


MIDDLE, LEFT, RIGHT = WIDTH / 2, 36, 226
NAMES = Place(MIDDLE, 136, 225, 34, largest=26)
TITLE = Place(MIDDLE, 108, 225, 12, largest=18)
DOCUMENT = Place(LEFT, 45, 125, 8, largest=10, colour=GREY, align="left")


def draw(certificate: Answer, *, check_at: str) -> bytes:
    """Draw a certificate, the same one always as the same bytes; raises `NoFont`."""
    from matplotlib.backends.backend_pdf import FigureCanvasPdf  # noqa: PLC0415 (a second, for those who draw)

    lines = list(_lines(certificate, check_at))
    figure = new_figure(WIDTH, HEIGHT)
    _frame(figure)
    for line in lines:
        font = font_for([each.text for each in lines], size=line.size, best=SERIF)
        if font is None:
            raise NoFont(line.text)
        figure.text(line.x / WIDTH, line.y / HEIGHT, line.text, font=font, color=line.colour, ha=line.align)
    drawn = BytesIO()
    FigureCanvasPdf(figure).print_pdf(drawn, metadata={"Title": certificate["certificate_no"], "CreationDate": None})
    return drawn.getvalue()


def _lines(certificate: Answer, check_at: str) -> Iterator[CertificateLine]:
    yield CertificateLine("荣 誉 证 书", MIDDLE, 166, 44, RED)
    yield from _fitted("、".join(certificate["names"]), NAMES)
    if certificate["title"]:
        yield from _fitted(f"《{certificate['title']}》", TITLE)
    yield CertificateLine(_occasion(certificate), MIDDLE, 93, 17)
    yield CertificateLine(_prize(certificate), MIDDLE, 74, 32, RED)
    yield CertificateLine("特发此证，以资鼓励。", MIDDLE, 59, 15)
    yield CertificateLine("颁发单位（盖章）", RIGHT, 45, 14)
    yield CertificateLine(_long_day(certificate["granted_on"]), RIGHT, 36, 14)
    yield from _fitted(f"文号：{certificate['document_no']}", DOCUMENT)
    yield CertificateLine(f"证书编号：{certificate['certificate_no']}", LEFT, 37, 10, GREY, "left")
    yield CertificateLine(f"校验码：{certificate['check_code']}    查验：{check_at}", LEFT, 29, 10, GREY, "left")


def _fitted(text: str, place: Place) -> Iterator[CertificateLine]:
    """Set a text in the largest size that leaves all of it enough room."""
    for size in (size for size in SIZES if size <= place.largest):
        wrapped = _wrapped(text, place.width / (size * POINT))
        step = size * POINT * LEADING
        if len(wrapped) * step <= place.height:
            break
    top = place.y + (len(wrapped) - 1) * step / 2
    for number, line in enumerate(wrapped):
        yield CertificateLine(line, place.x, top - number * step, size, place.colour, place.align)


def _wrapped(text: str, width: float) -> list[str]:
    """Break a text into lines of `width` Chinese characters; any other letter counts as 0.6 of one."""
    lines, used = [""], 0.0
    for character in on_one_line(text):
        needed = 1.0 if east_asian_width(character) in "WFA" else 0.6
        if used + needed > width and character != "、":
            lines.append("")
            used = 0.0
        lines[-1] += character
        used += needed
    return lines


def _occasion(certificate: Answer) -> str:
    level = glossary.value(certificate["level"], field="level")
    programme = glossary.value(certificate["programme_kind"], field="programme_kind").removeprefix("市级")
    return f"在{certificate['year']}年第{certificate['edition_no']}届{level}{programme}中荣获"


def _prize(certificate: Answer) -> str:
    field = NAMING_FIELDS.get(certificate["award_kind"], "award_kind")
    return glossary.value(certificate[field], field=field, of="awards.award")


def _long_day(text: str) -> str:
    day = date.fromisoformat(text)
    return f"{day.year}年{day.month}月{day.day}日"


def _frame(figure: Any) -> None:
    from matplotlib.patches import Rectangle  # noqa: PLC0415 (as above)

    for inset, width in ((8, 3.0), (11, 0.8)):
        figure.add_artist(
            Rectangle(
                (inset / WIDTH, inset / HEIGHT), 1 - 2 * inset / WIDTH, 1 - 2 * inset / HEIGHT,
                fill=False, edgecolor=RED, linewidth=width, transform=figure.transFigure,
            )
        )  # fmt: skip
