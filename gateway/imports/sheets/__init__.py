"""Sheets: a command's input as rows of a sheet; pure.

`columns` makes the columns of a command's JSON Schema, `template` an empty workbook with them. `read` reads a filled
sheet, however messy, as long as it can mean one thing only; `marked` writes the same cells with the errors beside each
row. All of it blocks: call `template` through `eventlet.tpool`, and what looks into an uploaded sheet through
`gateway.imports.sheet_process`, as a stranger made it.
"""

from gateway.imports.sheets.columns import Column, NotFlat, columns
from gateway.imports.sheets.errors import BrokenSheet, CellError
from gateway.imports.sheets.marked_copy import marked
from gateway.imports.sheets.rows import Row, read
from gateway.imports.sheets.template import template

__all__ = ["BrokenSheet", "CellError", "Column", "NotFlat", "Row", "columns", "marked", "read", "template"]
