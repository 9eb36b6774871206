"""Answers about imports, and their schemas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from gateway.http.json_schema import INSTANT, TEXT, TRUTH, WHOLE, WORDS, each, many, maybe, one_of
from gateway.imports.import_record import LIFECYCLE, PHASES, Import, RowError
from services.kernel.calendar import format_instant

ERROR = each(
    row=WHOLE, cell=maybe(TEXT), field=maybe(TEXT), code=TEXT,
    zh=TEXT, en=TEXT,
)  # fmt: skip
OUTLINE = each(
    id=TEXT, service=TEXT, command=TEXT, filename=TEXT, bytes=WHOLE,
    sha256=TEXT, by=TEXT, dry_run=TRUTH, state=one_of(*LIFECYCLE.states),
    phase=one_of(*PHASES), done=WHOLE, total=WHOLE, wrong_rows=WHOLE,
    errors=WHOLE, hidden_rows=WHOLE, first_hidden_rows=many(WHOLE),
    problem=maybe(WORDS), created_at=INSTANT, ended_at=maybe(INSTANT),
)  # fmt: skip
IMPORT = each(**OUTLINE["properties"], first_errors=many(ERROR))
IMPORT_LIST = each(items=many(OUTLINE), total=WHOLE)


def details(sheet: Import, first_errors: Iterable[RowError]) -> dict[str, Any]:
    """Describe an import with its first errors; the marked file has all of them."""
    return {**outline(sheet), "first_errors": [msgspec.to_builtins(error) for error in first_errors]}


def outline(sheet: Import) -> dict[str, Any]:
    """Describe an import without its errors."""
    return {
        "id": sheet.id,
        "service": sheet.service,
        "command": sheet.command,
        "filename": sheet.filename,
        "bytes": sheet.bytes,
        "sha256": sheet.sha256,
        "by": sheet.actor.id,
        "dry_run": sheet.dry_run,
        "state": sheet.state,
        "phase": sheet.phase,
        "done": sheet.done,
        "total": sheet.total,
        "wrong_rows": sheet.wrong.rows,
        "errors": sheet.wrong.errors,
        "hidden_rows": sheet.hidden,
        "first_hidden_rows": list(sheet.first_hidden),
        "problem": sheet.problem,
        "created_at": format_instant(sheet.created_at),
        "ended_at": sheet.ended_at and format_instant(sheet.ended_at),
    }
