"""Sheets that become records."""

from __future__ import annotations

from typing import Any

from gateway.api.endpoint import endpoint
from gateway.http import json_schema
from gateway.http.messages import Reply, Request
from gateway.imports import import_store, uploads
from gateway.imports.uploads import Uploads


class ImportEndpoints:
    """Sheets that become records, all rows or none."""

    imports: Uploads

    @endpoint("GET", "/api/v1/imports/<service>/<command>/template.xlsx", answers={200: uploads.SHEET})
    def template(self, _: Request, service: str, command: str) -> Reply:
        """An empty sheet for a command, with what may stand in each column. 导入模板。"""
        return self.imports.template(service, command)

    @endpoint(
        "POST", "/api/v1/imports/<service>/<command>", asks=uploads.UPLOAD, uploads=True,
        answers={202: import_store.IMPORT},
    )  # fmt: skip
    def import_(self, request: Request, service: str, command: str) -> Reply:
        """Upload a sheet: all rows or none (X-10). 上传表格：全部写入或全部不写。"""
        return self.imports.begin(service, command, request)

    @endpoint("GET", "/api/v1/imports", asks=uploads.PAGE, answers={200: import_store.IMPORT_LIST})
    def list_imports(self, request: Request) -> Any:
        """Your imports, the newest first. 我的导入。"""
        return self.imports.page(request)

    @endpoint("GET", "/api/v1/imports/<id_>", answers={200: import_store.IMPORT})
    def imported(self, request: Request, id_: str) -> Any:
        """How far it is, and the first rows that are wrong. 导入进展与错误。"""
        return self.imports.find(id_, request)

    @endpoint("GET", "/api/v1/imports/<id_>/file", answers={200: json_schema.ANYTHING})
    def marked_file(self, request: Request, id_: str) -> Reply:
        """The same sheet with what is wrong beside each row. 标注错误的原表。"""
        return self.imports.marked(id_, request)

    @endpoint("POST", "/api/v1/imports/<id_>/confirm", answers={202: import_store.IMPORT})
    def confirm_import(self, request: Request, id_: str) -> Reply:
        """Write what was checked. 确认写入。"""
        return self.imports.confirm(id_, request)
