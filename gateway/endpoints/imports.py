"""Sheets that become records."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.imports import answers, uploads
from gateway.imports.uploads import Uploads


class ImportEndpoints:
    """Sheets that become records, all rows or none."""

    imports: Uploads

    @endpoint(
        "GET",
        "/api/v1/imports/<service>/<command>/template.xlsx",
        en="Download an empty sheet for a command, with the values that each column accepts.",
        zh="导入模板。",
        pool="exports",
        answers={200: uploads.SHEET},
    )
    def template(self, _: Request, service: str, command: str) -> Reply:
        return self.imports.template(service, command)

    @endpoint(
        "POST",
        "/api/v1/imports/<service>/<command>",
        en="Upload a sheet: all of its rows are written, or none (X-10).",
        zh="上传表格：全部写入或全部不写。",
        asks=uploads.UPLOAD,
        uploads=True,
        answers={202: answers.IMPORT},
    )
    def import_(self, request: Request, service: str, command: str) -> Reply:
        return self.imports.begin(service, command, request)

    @endpoint(
        "GET",
        "/api/v1/imports",
        en="List your imports, the newest first.",
        zh="我的导入。",
        asks=uploads.PAGE,
        answers={200: answers.IMPORT_LIST},
    )
    def list_imports(self, request: Request) -> Any:
        return self.imports.page(request)

    @endpoint(
        "GET",
        "/api/v1/imports/<id_>",
        en="Show how far an import is, and its first errors.",
        zh="导入进展与错误。",
        answers={200: answers.IMPORT},
    )
    def imported(self, request: Request, id_: str) -> Any:
        return self.imports.find(id_, request)

    @endpoint(
        "GET",
        "/api/v1/imports/<id_>/file",
        en="Download the sheet with each error beside its row.",
        zh="标注错误的原表。",
        noted=True,
        answers={200: json_schema.ANYTHING},
    )
    def marked_file(self, request: Request, id_: str) -> Reply:
        return self.imports.marked(id_, request)

    @endpoint(
        "POST",
        "/api/v1/imports/<id_>/confirm",
        en="Confirm an import: write the rows that were checked.",
        zh="确认写入。",
        answers={202: answers.IMPORT},
    )
    def confirm_import(self, request: Request, id_: str) -> Reply:
        return self.imports.confirm(id_, request)
