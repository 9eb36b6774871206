"""SHEETS: a command's input as rows of a sheet: an empty template, a clerk's sheet read, its errors given back; pure.

`columns` makes the columns of a command's JSON Schema, `template` an empty workbook of them. `read` understands a
filled one, however messy, as long as it can mean one thing only; `marked` gives the same cells back with what is wrong
beside each row. All of it blocks: call it through `eventlet.tpool`.
"""

from gateway.sheets.columns import Column, NotFlat, columns
from gateway.sheets.marked import marked
from gateway.sheets.rows import Row, read
from gateway.sheets.template import template
from gateway.sheets.wrong import BrokenSheet, Wrong

__all__ = ["BrokenSheet", "Column", "NotFlat", "Row", "Wrong", "columns", "marked", "read", "template"]
