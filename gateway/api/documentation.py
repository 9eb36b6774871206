"""The documents about the gateway: OpenAPI, AsyncAPI, who may do what, all problems, and pages to read them on.

They are made of the endpoints' declarations and of what the services said of themselves, whenever that has changed. The
browser's part comes from an installed package, so that the pages need no internet.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Any

from eventlet import tpool
from nameko.extensions import DependencyProvider

from gateway.api import asyncapi, catalogue, openapi
from gateway.api import problem_list as problems
from gateway.api import role_matrix as roles
from gateway.api.catalogue import Operation, Route, ServiceDescriptions
from gateway.api.endpoint import Endpoint
from gateway.http import parameters
from gateway.http.caching import pack
from gateway.http.messages import JSON, Reply
from gateway.public import certificates, notice_board
from gateway.upstream.descriptions import Descriptions
from services.chassis.fields import json_schema
from services.contract import wire

HTML = "text/html; charset=utf-8"
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png"}
PAGES = Path(__file__).parents[1] / "pages"
OF_SWAGGER = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
OURS = ("docs.js", "certificates.js", "pages.css")
NAV = {
    "/docs": "接口 API",
    "/problems": "错误与规则 Problems",
    "/roles": "角色与权限 Roles",
    "/notices": "公示 Notices",
    "/certificates": "证书查验 Certificates",
    "/openapi.json": "OpenAPI 3.1",
    "/asyncapi.json": "AsyncAPI 3.0",
}
A_YEAR = "public, max-age=31536000, immutable"
TRYING = """\
<link rel="stylesheet" href="$swagger_ui_css">
<script src="$swagger_ui_bundle_js" defer></script>
<script src="$docs_js" defer></script>
"""
"""What lets a page try every address."""

CHECKING = """\
<script src="$certificates_js" defer></script>
"""
"""What lets a page check a certificate."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True)
class Kept:
    """Bytes that are sent often, packed once."""

    content: bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        return hashlib.blake2b(self.content, digest_size=6).hexdigest()

    @cached_property
    def packed(self) -> bytes:
        return tpool.execute(pack, self.content)

    def reply(self) -> Reply:
        return Reply(self.content, 200, self.headers, self.content_type, self.packed)


class Documentation:
    """Each method answers with a document."""

    def __init__(self, routes: Callable[[], list[Route]], descriptions: Descriptions) -> None:
        self._routes, self._descriptions = routes, descriptions
        self._of: ServiceDescriptions = {}
        self._made: dict[str, Kept] = {}

    def openapi(self) -> Reply:
        return self._keep("openapi", lambda said: _json(openapi.document(self._operations(said), said)))

    def asyncapi(self) -> Reply:
        return self._keep("asyncapi", lambda said: _json(asyncapi.document(said)))

    def roles(self) -> Any:
        """Who may do what: each role at each address."""
        return self._keep("roles", lambda said: _json(catalogue.matrix(self._operations(said))))

    def problems(self) -> Reply:
        return self._keep("/problems", lambda said: _page("/problems", **problems.filled(said)))

    def matrix(self) -> Reply:
        return self._keep("/roles", lambda said: _page("/roles", **roles.filled(self._operations(said))))

    def page(self) -> Reply:
        return self._keep("/docs", lambda _: _page("/docs", head=TRYING))

    def certificates(self) -> Reply:
        return self._keep("/certificates", lambda _: _page("/certificates", head=CHECKING, **certificates.filled()))

    def notices(self, displayed: Mapping[str, Any], *, ended: bool) -> Reply:
        return _page("/notices", **notice_board.filled(displayed, ended=ended)).reply()

    def asset(self, name: str) -> Reply:
        if name not in (*OF_SWAGGER, *OURS):
            raise parameters.not_known("file", "文件", name, (*OF_SWAGGER, *OURS))
        return _asset(name).reply()

    def _operations(self, said: ServiceDescriptions) -> list[Operation]:
        return catalogue.operations(self._routes(), said)

    def _keep(self, name: str, make: Callable[[ServiceDescriptions], Kept]) -> Reply:
        """What was made of what the services say now."""
        said = self._descriptions.said
        if said is not self._of:
            self._of, self._made = said, {}
        made = self._made.get(name) or make(said)
        if said is self._of:
            self._made[name] = made
        return made.reply()


class DocumentationProvider(DependencyProvider):
    """Gives the gateway the documents about itself."""

    descriptions = Descriptions()

    def setup(self) -> None:
        self._docs = Documentation(self._routes, self.descriptions)

    def get_dependency(self, worker_ctx: Any) -> Documentation:  # noqa: ARG002 - nameko's signature
        return self._docs

    def _routes(self) -> list[Route]:
        return [self._route(one) for one in self.container.entrypoints if isinstance(one, Endpoint)]

    def _route(self, one: Endpoint) -> Route:
        return Route(
            name=one.method_name,
            method=one.method,
            url=one.url,
            en=one.en,
            zh=one.zh,
            public=one.public,
            roles=one.roles,
            asks=one.asks or parameters.NOTHING,
            takes=json_schema(one.takes) if one.takes else None,
            answers=one.answers,
            for_each=one.for_each,
        )


def _json(document: dict[str, Any]) -> Kept:
    return Kept(wire.encode(document), JSON)


def _page(address: str, *, head: str = "", **filled: str) -> Kept:
    """The page at this address: its own template, within the frame of all pages, and what its head asks for besides."""
    assets = _assets()
    text = _template("frame").substitute(
        assets,
        title=NAV[address],
        nav=_nav(address),
        head=Template(head).substitute(assets),
        main=_template(address[1:]).substitute(filled),
    )
    return Kept(text.encode(), HTML, {"Content-Security-Policy": POLICY})


def _template(name: str) -> Template:
    return Template((PAGES / "templates" / f"{name}.html").read_text(encoding="utf-8"))


def _nav(here: str) -> str:
    """The way to the other pages."""
    current = {here: ' aria-current="page"'}
    return "\n".join(f'<a href="{there}"{current.get(there, "")}>{name}</a>' for there, name in NAV.items())


@cache
def _asset(name: str) -> Kept:
    """A file that does not change as long as its address stays the same."""
    content = (_of_swagger() if name in OF_SWAGGER else PAGES / "assets").joinpath(name).read_bytes()
    return Kept(content, TYPES[Path(name).suffix], {"Cache-Control": A_YEAR})


def _of_swagger() -> Path:
    """Where the installed package keeps its files; none of its code is run."""
    spec = find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("swagger-ui-py is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"


@cache
def _assets() -> dict[str, str]:
    """The addresses of the files, which change with their content."""
    return {re.sub(r"\W", "_", name): f"/docs/assets/{name}?v={_asset(name).digest}" for name in (*OF_SWAGGER, *OURS)}
