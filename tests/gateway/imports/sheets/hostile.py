"""Sheets made to hurt, each made anew from a seed: `made("laughs", 7, folder)` is always the same file.

A kind writes one file of any size up to `most` bytes of markup; the packed file may be a thousandth of that.
"""

import functools
import io
import random
import tempfile
import zipfile
from itertools import repeat
from pathlib import Path

from tests.gateway.imports.sheets.examples import A_ROW, HEADER, an_xlsx

SHEET, TEXTS, STYLES = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/styles.xml"
BOOK, RELATIONS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"
PARTS = (SHEET, TEXTS, STYLES, BOOK, RELATIONS, "[Content_Types].xml", "xl/theme/theme1.xml")
LEAST, MOST = 1_000, 400 * 2**20  # bytes before they are packed
NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LINE = ",".join(HEADER) + "\n"

KINDS = {}


def kind(make):
    """Register a kind by the words of its name."""
    KINDS[make.__name__.replace("_", " ")] = make
    return make


def made(name, seed, folder, *, most=MOST):
    """Make a file of this kind; its size is as likely small as large."""
    chance = random.Random(f"{name}/{seed}")
    size = int(LEAST * (most / LEAST) ** chance.random())
    return KINDS[name](chance, size, folder)


# --- writing ----------------------------------------------------------------------------------------------------------


@functools.cache
def sound_parts():
    """The parts of a workbook of one row."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(an_xlsx(Path(folder), HEADER, A_ROW)) as whole:
        return {info.filename: whole.read(info) for info in whole.infolist()}


def a_workbook(folder, changed=(), *, more=()):
    """Pack a workbook with these parts in the place of its own, and more beside them, perhaps of the same name."""
    path = folder / "hostile.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in [*(sound_parts() | dict(changed)).items(), *more]:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(info, "w", force_zip64=True) as part:
                for piece in [content] if isinstance(content, bytes) else content:
                    part.write(piece)
    return path


def a_text(folder, *pieces, name="hostile.csv"):
    """Write a file of these bytes."""
    path = folder / name
    with path.open("wb") as file:
        for piece in pieces:
            file.writelines([piece] if isinstance(piece, bytes) else piece)
    return path


def times(piece, size):
    """Repeat a piece up to so many bytes, a good many at once."""
    together = piece * max(1, min(2**20, size) // len(piece))
    return repeat(together, max(1, size // len(together)))


def around(before, inner, after=b""):
    """Put something before the pieces, and something after them."""
    yield before
    yield from inner
    yield after


def a_sheet(rows):
    """The markup of a sheet with the right header and then this content."""
    heads = (f'<c r="{"ABCDEF"[place]}1" t="inlineStr"><is><t>{head}</t></is></c>' for place, head in enumerate(HEADER))
    start = f'<worksheet {NAMESPACE}><sheetData><row r="1">{"".join(heads)}</row>'
    return around(start.encode(), rows, b"</sheetData></worksheet>")


def numbered(form, size):
    """Fill a text in with 2, 3, 4 up to so many bytes."""
    for number in range(2, 2 + max(1, size // (len(form) + 4))):
        yield (form % {"n": number}).encode()


# --- the archive ------------------------------------------------------------------------------------------------------


@kind
def blanks_that_unpack_to_gigabytes(chance, size, folder):
    part = chance.choice(PARTS)
    return a_workbook(folder, {part: around(sound_parts()[part], times(b" ", size * 2))})


@kind
def parts_longer_than_they_say(chance, size, folder):
    path = a_workbook(folder, {SHEET: a_sheet(times(b"<row/>", size))})
    data = path.read_bytes()
    where = data.index(b"PK\x01\x02") + 24
    return a_text(folder, data[:where] + chance.randbytes(4) + data[where + 4 :], name="hostile.xlsx")


@kind
def thousands_of_parts(chance, size, folder):
    count = min(chance.randrange(900, 20_000), size)
    return a_workbook(folder, more=((f"xl/media/{number}.png", b"") for number in range(count)))


@kind
def parts_of_the_same_name(chance, _size, folder):
    part = chance.choice(PARTS)
    twin = chance.choice([part, part.upper(), part.replace("/", "\\"), f"/{part}", f"./{part}"])
    return a_workbook(folder, more=[(twin, sound_parts()[part])] * chance.randrange(1, 4))


@kind
def archives_within_archives(chance, size, folder):
    inner = bytes(min(size, 8 * 2**20))
    for _ in range(chance.randrange(1, 8)):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.xlsx", inner)
        inner = outer.getvalue()
    return a_workbook(folder, {chance.choice(PARTS): inner}, more=[("xl/embeddings/inner.xlsx", inner)])


@kind
def an_archive_that_is_cut_off(chance, _size, folder):
    data = a_workbook(folder).read_bytes()
    return a_text(folder, data[: chance.randrange(4, len(data))], name="hostile.xlsx")


@kind
def an_archive_with_other_bytes(chance, _size, folder):
    data = bytearray(a_workbook(folder).read_bytes())
    for _ in range(chance.randrange(1, 40)):
        data[chance.randrange(4, len(data))] = chance.randrange(256)
    return a_text(folder, bytes(data), name="hostile.xlsx")


@kind
def parts_that_lie_over_one_another(chance, size, folder):
    data = bytearray(a_workbook(folder, {SHEET: a_sheet(times(b"<row/>", size // 4))}).read_bytes())
    entry = data.index(b"PK\x01\x02")
    while entry >= 0:
        data[entry + 42 : entry + 46] = chance.choice([b"\0\0\0\0", chance.randbytes(4)])
        entry = data.find(b"PK\x01\x02", entry + 1)
    return a_text(folder, bytes(data), name="hostile.xlsx")


@kind
def locked_and_unknown_methods(chance, _size, folder):
    data = bytearray(a_workbook(folder).read_bytes())
    for mark, flags, method in ((b"PK\x01\x02", 8, 10), (b"PK\x03\x04", 6, 8)):
        entry, value = data.index(mark), chance.choice([1, 6, 9, 12, 14, 93, 95, 99])
        data[entry + (flags if chance.random() < 0.5 else method)] = value
    return a_text(folder, bytes(data), name="hostile.xlsx")


@kind
def names_that_leave_the_archive(chance, _size, folder):
    names = ["../../../etc/passwd", "/etc/shadow", "C:\\a", "xl/worksheets/../../..", "", "\0", "a" * 65_000]
    chosen = chance.choice(names)
    target = f'<Relationships><Relationship Id="rId1" Target="{chosen}"/></Relationships>'.replace("\0", "")
    return a_workbook(folder, {RELATIONS: target.encode()}, more=[(chosen, b"<worksheet/>")])


@kind
def nothing_but_noise(chance, size, folder):
    start = chance.choice([b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"\xd0\xcf\x11\xe0", b"\x1f\x8b"])
    name = chance.choice(["hostile.xlsx", "hostile.csv", "hostile.xls", "hostile"])
    return a_text(folder, start + chance.randbytes(min(size, 2**20)), name=name)


# --- markup -----------------------------------------------------------------------------------------------------------


@kind
def laughs(chance, _size, folder):
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, chance.randrange(3, 12)))
    text = f'<!DOCTYPE a [<!ENTITY e0 "ha">{entities}]><worksheet>&e2;</worksheet>'
    return a_workbook(folder, {chance.choice(PARTS): text.encode()})


@kind
def entities_from_elsewhere(chance, _size, folder):
    where = chance.choice(["file:///etc/passwd", "http://127.0.0.1:1/", "file:///dev/zero"])
    text = f'<!DOCTYPE a [<!ENTITY {chance.choice(["", "% "])}e SYSTEM "{where}">]><worksheet>&e;</worksheet>'
    return a_workbook(folder, {chance.choice(PARTS): text.encode()})


@kind
def deep_markup(chance, size, folder):
    tag = chance.choice([b"<a>", b"<row>", b"<c>", b"<si>", b"<is>", b"<sheetData>", b"<x:c xmlns:x='y'>"])
    return a_workbook(folder, {chance.choice(PARTS): around(b"<worksheet>", times(tag, size // 4))})


@kind
def one_endless_attribute(chance, size, folder):
    start = chance.choice([b'<worksheet><c r="', b"<worksheet a='", b"<worksheet ", b"<", b'<worksheet><c t="'])
    return a_workbook(folder, {chance.choice(PARTS): around(start, times(b"A", size // 8))})


@kind
def attributes_without_number(chance, size, folder):
    return a_workbook(folder, {chance.choice(PARTS): around(b"<worksheet ", numbered('a%(n)s="" ', size // 16), b"/>")})


@kind
def comments_and_sections(chance, size, folder):
    start, end = chance.choice([(b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?a ", b"?>")])
    return a_workbook(folder, {chance.choice(PARTS): around(b"<worksheet>" + start, times(b"- ", size), end)})


@kind
def markup_in_other_encodings(chance, _size, folder):
    encoding = chance.choice(["utf-16", "utf-16-be", "utf-7", "utf-32", "latin-1", "gb18030", "shift_jis"])
    told = chance.choice([encoding, "UTF-8", "ascii", "x-unknown"])
    text = f'<?xml version="1.0" encoding="{told}"?><worksheet {NAMESPACE}><sheetData/></worksheet>'
    return a_workbook(folder, {chance.choice(PARTS): text.encode(encoding)})


@kind
def bytes_that_are_no_text(chance, _size, folder):
    part = chance.choice(PARTS)
    data = bytearray(sound_parts()[part])
    for _ in range(chance.randrange(1, 20)):
        data.insert(chance.randrange(len(data)), chance.choice([0, 8, 0xC0, 0xED, 0xFE, 0xFF]))
    return a_workbook(folder, {part: bytes(data)})


# --- cells ------------------------------------------------------------------------------------------------------------


@kind
def a_row_of_a_million_cells(chance, size, folder):
    cell = chance.choice(["<c><v>%(n)s</v></c>", '<c r="A%(n)s"><v>1</v></c>', '<c r="ZZ1"/>', '<c r="A1"><v/></c>'])
    return a_workbook(folder, {SHEET: a_sheet(around(b"<row>", numbered(cell, size // 8), b"</row>"))})


@kind
def cells_far_apart(chance, _size, folder):
    places = ["A1", "XFD1048576", "ZZZ9999999", "A0", "AAAA1", "a1", "A99999999999999999999", "XFD1", "A200000", "GR2"]
    cells = "".join(f'<c r="{chance.choice(places)}"><v>1</v></c>' for _ in range(chance.randrange(1, 9)))
    return a_workbook(folder, {SHEET: a_sheet([f"<row>{cells}</row>".encode()])})


@kind
def rows_that_count_wrongly(chance, size, folder):
    number = chance.choice(["-1", "0", "1048577", "99999999999999999999", "1e9", "", "x", "2"])
    row = f'<row r="{number}"><c r="A{chance.randrange(1, 9)}"><v>1</v></c></row>'.encode()
    return a_workbook(folder, {SHEET: a_sheet(times(row, size // 32))})


@kind
def texts_that_all_cells_share(chance, size, folder):
    text = b"<sst><si><t>" + b"x" * min(size, 30 * 2**20) + b"</t></si></sst>"
    cells = numbered('<row><c r="A%(n)s" t="s"><v>0</v></c></row>', chance.randrange(100, 100_000))
    return a_workbook(folder, {TEXTS: text, SHEET: a_sheet(cells)})


@kind
def texts_without_number(chance, size, folder):
    text = chance.choice([b"<si/>", b"<si><t>a</t></si>", b"<si><r><t>a</t></r></si>", b"<si><rPh><t>a</t></rPh></si>"])
    return a_workbook(folder, {TEXTS: around(b"<sst>", times(text, size // 4), b"</sst>")})


@kind
def texts_that_are_not_there(chance, _size, folder):
    index = chance.choice(["-1", "99999999999", "1e3", "0x0", "", " 0 ", "\u0663", "18446744073709551616"])
    cell = f'<row><c r="A2" t="s"><v>{index}</v></c></row>'.encode()
    return a_workbook(folder, {SHEET: a_sheet([cell])})


@kind
def numbers_of_any_length(chance, size, folder):
    digits = min(size, 2**19)
    number = chance.choice(["9" * digits, "0." + "0" * digits + "1", "1e308", "1e999", "-0", "NaN", "inf", "1e-400"])
    style = chance.choice(["", 's="1"'])
    rows = f'<row r="2"><c r="B2" {style}><v>{number}</v></c><c r="E2" {style}><v>{number}</v></c></row>'
    return a_workbook(folder, {SHEET: a_sheet([rows.encode()])})


@kind
def formulas(chance, size, folder):
    inner = chance.choice(["<f>A1</f>", "<f/><v/>", "<f>A1</f><v>1</v>", '<f t="array" ref="A1:XFD1048576">1</f>'])
    form = chance.choice(["", ' t="str"', ' t="e"', ' t="b"', ' t="d"', ' t="inlineStr"', ' t="?"'])
    cell = '<row><c r="A%(n)s"' + form + ">" + inner + "</c></row>"
    return a_workbook(folder, {SHEET: a_sheet(numbered(cell, size // 16))})


@kind
def cells_within_cells(chance, size, folder):
    cell = chance.choice([b'<c r="A1"><f>', b'<c r="A1"><c r="B1">', b"<row><row>", b"<c r='A1'><v><v>"])
    return a_workbook(folder, {SHEET: a_sheet(times(cell, size // 8))})


@kind
def merged_areas(chance, size, folder):
    area = chance.choice(["A1:XFD1048576", "A1:GR200000", "B2:A1", "A1", "A%(n)s:F%(n)s", "A1:F20000", "?", "A0:A0"])
    merged = numbered(f'<mergeCell ref="{area}"/>', size // 16)
    sound = sound_parts()[SHEET].replace(b"</worksheet>", b"")
    return a_workbook(folder, {SHEET: around(sound + b"<mergeCells>", merged, b"</mergeCells></worksheet>")})


@kind
def what_stands_beside_the_cells(chance, size, folder):
    beside = chance.choice([
        '<hyperlink ref="A%(n)s" location="x"/>', '<dataValidation sqref="A1:XFD%(n)s"/>', '<col min="1" max="%(n)s"/>',
        '<conditionalFormatting sqref="A%(n)s"/>', '<brk id="%(n)s"/>', '<legacyDrawing r:id="rId%(n)s"/>',
    ])  # fmt: skip
    sound = sound_parts()[SHEET].replace(b"</worksheet>", b"")
    return a_workbook(folder, {SHEET: around(sound, numbered(beside, size // 8), b"</worksheet>")})


@kind
def styles_without_number(chance, size, folder):
    style = chance.choice([
        '<numFmt numFmtId="%(n)s" formatCode="yyyy"/>', '<xf numFmtId="14"/>', '<xf numFmtId="%(n)s000000000000"/>',
    ])  # fmt: skip
    outer = "numFmts" if style.startswith("<numFmt ") else "cellXfs"
    content = around(f"<styleSheet {NAMESPACE}><{outer}>".encode(), numbered(style, size // 16))
    return a_workbook(folder, {STYLES: around(b"", content, f"</{outer}></styleSheet>".encode())})


@kind
def a_format_that_never_ends(chance, size, folder):
    code = chance.choice(["[", "\\", "&quot;", "yyyy", "0.", "_(", "[$-804]"]) * min(size, 2**20)
    style = f'<styleSheet {NAMESPACE}><numFmts><numFmt numFmtId="200" formatCode="{code}"/></numFmts></styleSheet>'
    return a_workbook(folder, {STYLES: style.encode()})


@kind
def sheets_without_number(chance, size, folder):
    sheet = chance.choice([
        '<sheet name="s%(n)s" sheetId="%(n)s" r:id="rId1"/>', '<sheet name="s" sheetId="1" r:id="rId1"/>',
        '<sheet name="" r:id="rId%(n)s"/>', '<sheet name="s%(n)s" state="veryHidden" r:id="rId1"/>',
    ])  # fmt: skip
    start = f'<workbook {NAMESPACE} xmlns:r="r"><sheets>'.encode()
    sheets = numbered(sheet, min(size, 4 * 2**20))
    return a_workbook(folder, {BOOK: around(start, sheets, b"</sheets></workbook>")})


@kind
def names_that_stand_for_everything(chance, size, folder):
    name = '<definedName name="n%(n)s">' + "s!$A$1:$XFD$1048576," * chance.randrange(1, 20) + "</definedName>"
    start = sound_parts()[BOOK].replace(b"</workbook>", b"<definedNames>")
    return a_workbook(folder, {BOOK: around(start, numbered(name, size // 16), b"</definedNames></workbook>")})


@kind
def relations_in_a_circle(chance, _size, folder):
    target = chance.choice(
        ["workbook.xml", "_rels/workbook.xml.rels", "http://127.0.0.1:1/", "/", ".", "sharedStrings.xml"]
    )
    relation = f'<Relationship Id="rId1" Type="x/worksheet" Target="{target}"/>'
    return a_workbook(folder, {RELATIONS: f"<Relationships>{relation * 3}</Relationships>".encode()})


@kind
def parts_that_are_missing(chance, _size, folder):
    parts = {name: data for name, data in sound_parts().items() if name != chance.choice(PARTS)}
    path = folder / "hostile.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


# --- CSV --------------------------------------------------------------------------------------------------------------


@kind
def quotes_that_never_end(chance, size, folder):
    start = chance.choice(['"', '"a,', 'a,"b', '""",'])
    return a_text(folder, LINE.encode() + start.encode(), times(chance.choice([b"x", b",", b"\n", b'""']), size // 8))


@kind
def one_gigantic_field(chance, size, folder):
    return a_text(folder, LINE.encode(), times(chance.choice([b"9", b" ", "字".encode(), b"-", b"="]), size // 8))


@kind
def a_line_of_a_million_fields(chance, size, folder):
    return a_text(folder, times(chance.choice([b",", b";", b"\t", b"a,", b'"",', "人次,".encode()]), size // 8))


@kind
def a_million_lines(chance, size, folder):
    line = chance.choice(
        ["\n", "\r", "\r\n", ",,,,,\n", "a\n", LINE, "a-1,2011-05-14,线下,签到,3,2\n", "合计\n", "\u2028\n"]
    )
    return a_text(folder, LINE.encode(), times(line.encode(), size // 8))


@kind
def zero_bytes(chance, size, folder):
    return a_text(folder, LINE.encode(), times(chance.choice([b"\0", b"a\0", b"\0,"]), size // 8))


@kind
def wrong_encodings(chance, size, folder):
    text = LINE * max(1, min(size // 100, 10_000))
    encoding = chance.choice(["utf-16", "utf-16-be", "utf-32", "utf-7", "gb18030", "big5", "shift_jis"])
    data = text.encode(encoding, "ignore")
    return a_text(folder, chance.choice([b"", b"\xff\xfe", b"\xef\xbb\xbf", b"\xfe\xff"]) + data[chance.randrange(4) :])


@kind
def half_characters(chance, size, folder):
    tail = chance.choice([b"\xe4\xba", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x81", b"\xc0\xaf", b"\xff\xfe\x00\xd8"])
    return a_text(folder, LINE.encode(), times(b"a,b\n", size // 16), tail)


@kind
def numbers_and_days_that_are_none(chance, size, folder):
    digits = min(size, 100_000)
    number = chance.choice(["9" * digits, "1e" + "9" * 20, "１" * 999, "十" * digits, "3.5万亿", "-0", "٣", "1/0", "½"])
    day = chance.choice(
        ["0000-00-00", "99999-1-1", "2011年13月", "1" * digits, "2011-02-30", "１９" * 99, "-", "2011.5"]
    )
    return a_text(folder, LINE.encode(), times(f"a-1,{day},线下,签到,{number},{number}\n".encode(), min(size, 2**20)))


@kind
def signs_that_nobody_sees(chance, size, folder):
    sign = chance.choice(
        ["\u200b", "\u202e", "\ufeff", "\u0301", "\x1b[2J", "\x7f", "\U000e0041", "\ufffe", "ﷺ", "\x0b"]
    )
    return a_text(folder, f"{sign.join(LINE)}".encode(), times(f"{sign * 99},a\n".encode(), size // 16))


@kind
def heads_over_and_over(chance, size, folder):
    head = ",".join(chance.choices(HEADER, k=chance.randrange(1, 200))) + "\n"
    return a_text(folder, times(head.encode(), size // 8))
