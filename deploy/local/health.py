"""What the parts of a stack say of themselves: ready or not, and their numbers."""

import http.client
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

from deploy.local.ports import answers
from deploy.local.stack_file import Part


def is_ready(part: Part) -> bool:
    """A part without health is ready when it accepts connections."""
    return says_ready(part.port) if part.health else answers(part.port)


def says_ready(port: int) -> bool:
    """Whether `/ready` is answered by 200."""
    return _page(port, "ready") is not None


def gauges(part: Part) -> dict[str, float]:
    """Its numbers by name; empty when it tells none. A process of a stack is one service, so labels add nothing."""
    page = _page(part.port, "metrics") if part.health else None
    families = text_string_to_metric_families(page or "")
    return {sample.name: sample.value for family in families for sample in family.samples}


def _page(port: int, name: str) -> str | None:
    """None where it is not answered by 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/{name}", timeout=2) as answer:
            return str(answer.read(), "utf-8")
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return None
