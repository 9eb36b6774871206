"""Sheets as clerks fill them in, made cell by cell."""

import csv
from datetime import date, datetime

import xlsxwriter
from python_calamine import CalamineWorkbook

from gateway.imports import sheets
from gateway.imports.sheets.errors import address
from services.chassis.fields import json_schema
from tests.contract.commands import COMMANDS

HEADER = ("活动编号", "日期", "参与方式", "统计方法", "人次", "未成年人人次")
DAY = date(2011, 5, 14)
A_ROW = ("a-1", DAY, "线下", "签到", 300, 20)
AS_SAID = {
    "activity_id": "a-1",
    "day": "2011-05-14",
    "mode": "offline",
    "method": "sign_in",
    "person_times": 300,
    "minors": 20,
}


def columns_of(command):
    return sheets.columns(json_schema(COMMANDS[command], of=command), of=command)


COUNTS = columns_of("outreach.record_count")


def an_xlsx(path, *rows, merged=(), **more_sheets):
    """A workbook with these rows; cells that are None are left out, texts that begin with = are formulas."""
    with xlsxwriter.Workbook(str(path / "sheet.xlsx")) as book:
        form = book.add_format({"num_format": "yyyy-mm-dd"})
        for name, filled in {"填报": rows, **more_sheets}.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(filled):
                for place, cell in enumerate(row):
                    if isinstance(cell, date | datetime):
                        sheet.write_datetime(number, place, cell, form)
                    elif cell is not None:
                        sheet.write(number, place, cell)
            for area, text in merged if name == "填报" else ():
                sheet.merge_range(area, text)
    return path / "sheet.xlsx"


def a_book(path, *rows, formats=None, hide=()):
    """A workbook whose cells may have formats, by their address, and that `hide`s rows by number, columns by letter."""
    with xlsxwriter.Workbook(str(path / "sheet.xlsx")) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows, start=1):
            for place, cell in enumerate(row):
                at = address(number, place)
                sheet.write(at, cell, book.add_format({"num_format": (formats or {}).get(at, "General")}))
        for hidden in hide:
            if isinstance(hidden, int):
                sheet.set_row(hidden - 1, None, None, {"hidden": True})
            else:
                sheet.set_column(f"{hidden}:{hidden}", None, None, {"hidden": True})
    return path / "sheet.xlsx"


def a_csv(path, *rows, encoding="utf-8", delimiter=","):
    with (path / "sheet.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path / "sheet.csv"


def read(path, columns=COUNTS):
    return list(sheets.read(path, path.name, columns))


def only_row(path, columns=COUNTS):
    (row,) = read(path, columns)
    return row


def cells_of(path, sheet=0):
    """What stands in a workbook, row by row from A1."""
    return list(CalamineWorkbook.from_path(path).get_sheet_by_index(sheet).to_python(skip_empty_area=False))
