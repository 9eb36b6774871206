"""The health of the parts of a stack: readiness and metrics."""

from urllib.error import HTTPError

from prometheus_client.parser import text_string_to_metric_families

from deploy.local import http_client
from deploy.local.http_client import NotReached
from deploy.local.ports import answers
from deploy.local.stack_file import Part

WITHIN = 2.0  # seconds


def is_ready(part: Part) -> bool:
    """Return whether a part is ready; one without health pages is when it accepts connections."""
    return says_ready(part.port) if part.health else answers(part.port)


def says_ready(port: int) -> bool:
    """Return whether `/ready` answers 200 at this port of this machine."""
    return _page(port, "ready") is not None


def gauges(part: Part) -> dict[str, float]:
    """Return a part's metrics by name, none where it serves none. Its labels add nothing: a process is one service."""
    page = _page(part.port, "metrics") if part.health else None
    families = text_string_to_metric_families(page or "")
    return {sample.name: sample.value for family in families for sample in family.samples}


def _page(port: int, name: str) -> str | None:
    try:
        with http_client.request(f"http://127.0.0.1:{port}/{name}", within=WITHIN) as response:
            return str(response.read(), "utf-8")
    except (HTTPError, NotReached):
        return None
