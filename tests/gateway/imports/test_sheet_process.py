"""Sheets made to hurt: each hurts the process that reads it, and its uploader is told so."""

import os
import signal
import zipfile
from pathlib import Path

import eventlet
import pytest
import yaml

from gateway.imports import sheet_process
from gateway.imports.sheets import BrokenSheet, CellError
from gateway.imports.uploads import MARKED_AT_ONCE
from tests.gateway.imports.sheets.examples import A_ROW, AS_SAID, COUNTS, HEADER, a_csv, an_xlsx, cells_of

SHEET = "xl/worksheets/sheet1.xml"
TEXTS = "xl/sharedStrings.xml"
MEGABYTE = 2**20
GATEWAY = 256 * MEGABYTE  # twice what it takes at rest


def with_part(folder, name, content):
    """A workbook one part of which is put in by hand, packed as well as that can be done."""
    whole, changed = an_xlsx(folder, HEADER, A_ROW), folder / "changed.xlsx"
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for part in {*old.namelist(), name}:
            new.writestr(part, content if part == name else old.read(part))
    return changed


def read(path):
    return list(sheet_process.read(path, path.name, COUNTS))


@pytest.mark.parametrize("make", [an_xlsx, a_csv])
def test_the_rows_come_as_they_are(tmp_path, make):
    (portion,) = read(make(tmp_path, HEADER, A_ROW, ("a-2",)))

    assert sheet_process.msgspec.json.decode(portion.rows) == [[2, AS_SAID]]
    assert (portion.read, portion.unreadable) == (2, 1)
    assert {row for row, _ in portion.wrongs} == {3}
    assert portion.hidden == []


def test_a_marked_copy_is_written_there_too(tmp_path):
    wrong = CellError("E2", "person_times", "太多了", "too many")

    sheet_process.mark(an_xlsx(tmp_path, HEADER, A_ROW), "a.xlsx", COUNTS, {2: [wrong]}, tmp_path / "out.xlsx")

    assert cells_of(tmp_path / "out.xlsx")[1][-1] == "E2 太多了"


def test_what_a_sheet_is_refused_for_is_told_with_its_cells(tmp_path):
    with pytest.raises(BrokenSheet) as told:
        read(with_part(tmp_path, SHEET, b'<worksheet><c r="B7" t="e"><v>#SPILL!</v></c></worksheet>'))

    assert [one.cell for one in told.value.wrongs] == ["B7"]


HURTS = {
    "blanks without an end": b"<worksheet><c" + b" " * 20 * MEGABYTE,
    "beginnings of cells": b"<worksheet>" + b'<c r="A1" t="e"' * MEGABYTE,
    "cells within cells": b"<worksheet>" + b'<c r="A1">' * 100_000,
    "formulas that are never calculated": b"<worksheet>" + b'<c r="A1"><f>' * 100_000,
    "one attribute": b'<worksheet><c r="' + b"A" * 10 * MEGABYTE,
    "one text": b'<worksheet><c r="A1"><v>' + b"1" * 10 * MEGABYTE + b"</v></c></worksheet>",
    "laughs": b'<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]><worksheet>&c;</worksheet>',
}


@pytest.mark.parametrize("content", HURTS.values(), ids=HURTS)
def test_markup_without_sense_is_refused_in_little_memory(tmp_path, content):
    for part in (SHEET, TEXTS):
        with pytest.raises(BrokenSheet):
            read(with_part(tmp_path, part, content))


def test_a_sheet_that_wants_more_memory_than_there_is_is_told_to_be_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_process, "MEMORY", 110 * MEGABYTE)
    texts = b"<sst>" + b"<si/>" * 2_000_000 + b"</sst>"  # ten kilobytes in the file

    with pytest.raises(BrokenSheet, match="too large or takes too long"):
        read(with_part(tmp_path, TEXTS, texts))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGXCPU])
def test_whatever_ends_the_process_the_sheet_was_too_large_or_too_slow(tmp_path, monkeypatch, number):
    program = f"import os; os.kill(os.getpid(), {int(number)})"
    monkeypatch.setattr(sheet_process, "COMMAND", (sheet_process.sys.executable, "-c", program))

    with pytest.raises(BrokenSheet, match="too large or takes too long"):
        read(an_xlsx(tmp_path, HEADER, A_ROW))


@pytest.mark.parametrize("answer", [b"\xff\xff\xff\xffmuch", b"\0\0\0\4junk", b"\0\0\0\0", b"\0\0\1\0cut off"])
def test_a_process_that_was_taken_over_answers_nothing_that_is_believed(tmp_path, monkeypatch, answer):
    program = f"import sys; sys.stdout.buffer.write({answer!r})"
    monkeypatch.setattr(sheet_process, "COMMAND", (sheet_process.sys.executable, "-c", program))

    with pytest.raises(BrokenSheet, match="too large or takes too long"):
        read(an_xlsx(tmp_path, HEADER, A_ROW))


def test_one_that_answers_nothing_is_ended_and_holds_nobody_up_meanwhile(tmp_path, monkeypatch):
    monkeypatch.setattr(sheet_process, "WITHIN", 0.5)
    program = "import time; time.sleep(600)"
    monkeypatch.setattr(sheet_process, "COMMAND", (sheet_process.sys.executable, "-c", program))
    turns = []
    others = eventlet.spawn(lambda: [turns.append(eventlet.sleep(0.05)) for _ in range(5)])

    with pytest.raises(BrokenSheet):
        read(an_xlsx(tmp_path, HEADER, A_ROW))

    others.wait()
    assert len(turns) == 5


def test_the_process_knows_neither_our_secrets_nor_our_addresses(tmp_path, monkeypatch):
    monkeypatch.setenv("TOKEN_PRIVATE_KEY", "a secret")
    program = f"import os, json; open({str(tmp_path / 'seen')!r}, 'w').write(json.dumps(dict(os.environ)))"
    monkeypatch.setattr(sheet_process, "COMMAND", (sheet_process.sys.executable, "-c", program))

    with pytest.raises(BrokenSheet):
        read(an_xlsx(tmp_path, HEADER, A_ROW))

    seen = sheet_process.msgspec.json.decode((tmp_path / "seen").read_bytes())
    assert seen.keys() <= {"PATH", "PYTHONPATH", "PYTHONUTF8", "PYTHONDONTWRITEBYTECODE", "LC_CTYPE"}


def test_a_reader_who_goes_away_leaves_no_process_behind(tmp_path):
    rows = (("a-1", "2011-05-14", "线下", "签到", number, 0) for number in range(20_000))
    portions = sheet_process.read(a_csv(tmp_path, HEADER, *rows), "a.csv", COUNTS)
    next(portions)

    portions.close()

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_the_container_has_room_for_the_gateway_and_for_a_sheet_that_is_read_beside_one_that_is_marked():
    compose = yaml.safe_load(Path("deploy/compose.yml").read_text())
    limit = compose["services"]["gateway"]["mem_limit"]

    assert int(limit.removesuffix("m")) * MEGABYTE >= (1 + MARKED_AT_ONCE) * sheet_process.MEMORY + GATEWAY
