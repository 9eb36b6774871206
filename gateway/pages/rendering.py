"""Pages: templates filled with escaped data, the policy that keeps foreign scripts out, and the files that pages use.

The browser's part of the interactive documentation comes from an installed package (swagger-ui-py), so that the pages
need no internet.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.http import parameters
from gateway.http.caching import PrecompressedDocument

HTML = "text/html; charset=utf-8"
MEDIA_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".png": "image/png"}
PAGES = Path(__file__).parent
SWAGGER_ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
OWN_ASSETS = ("docs.js", "certificates.js", "pages.css")
NAVIGATION = {
    "/docs": "接口 API",
    "/problems": "错误与规则 Problems",
    "/roles": "角色与权限 Roles",
    "/fields": "字段与读者 Fields",
    "/notices": "公示 Notices",
    "/certificates": "证书查验 Certificates",
    "/openapi.json": "OpenAPI 3.1",
    "/asyncapi.json": "AsyncAPI 3.0",
}
A_YEAR = "public, max-age=31536000, immutable"

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page(address: str, **data: Any) -> PrecompressedDocument:
    """Render the page at this address out of its own template.

    Every value is escaped; a name that the template uses and `data` lacks raises `jinja2.UndefinedError`.
    """
    text = _environment().get_template(f"{address.removeprefix('/')}.html").render(here=address, **data)
    return PrecompressedDocument(text.encode(), HTML, {"Content-Security-Policy": CONTENT_SECURITY_POLICY})


@cache
def asset(name: str) -> PrecompressedDocument:
    """Read a file that pages use; raises `NotFound` for any other.

    Browsers keep it for a year, for its address changes with its content.
    """
    if name not in (*SWAGGER_ASSETS, *OWN_ASSETS):
        raise parameters.not_known("file", "文件", name, (*SWAGGER_ASSETS, *OWN_ASSETS))

    folder = _swagger_folder() if name in SWAGGER_ASSETS else PAGES / "assets"
    return PrecompressedDocument(
        folder.joinpath(name).read_bytes(), MEDIA_TYPES[Path(name).suffix], {"Cache-Control": A_YEAR}
    )


@cache
def asset_address(name: str) -> str:
    """The address of a file, with a digest of its content."""
    return f"/docs/assets/{name}?v={asset(name).digest}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.globals |= {"navigation": NAVIGATION, "asset": asset_address}
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # and names in the order given
    return environment


def _swagger_folder() -> Path:
    """The folder in which the installed package keeps its files; none of its code is run."""
    spec = find_spec("swagger_ui")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("swagger-ui-py is not installed")
    return Path(spec.submodule_search_locations[0]) / "static"
