"""Services of stock nameko that do nothing, beside which ours are measured."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from typing import Any

from nameko.events import event_handler
from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from nameko.web.handlers import http


class Echo:
    """Answers with what it was asked."""

    name = "stock_echo"

    @rpc
    def echo(self, **arguments: Any) -> Any:
        """Return the arguments."""
        return arguments


class Page:
    """Answers a constant."""

    name = "stock_page"

    @http("GET", "/constant")
    def constant(self, _: Any) -> str:
        """Return a page that needs no work."""
        return "constant"


class Hearer:
    """Hears events and forgets them."""

    name = "stock_hearer"

    @event_handler("outreach", "audience_count.recorded")
    def forget(self, event: Any) -> None:
        """Do nothing, so that only the way to the handler is measured."""


HEARER_QUEUE = "evt-outreach-audience_count.recorded--stock_hearer.forget"

if __name__ == "__main__":
    runner = ServiceRunner(
        {
            "AMQP_URI": os.environ["AMQP_URI"],
            "WEB_SERVER_ADDRESS": f"127.0.0.1:{os.environ['HTTP_PORT']}",
            "max_workers": 32,
        }
    )
    for name in sys.argv[1:]:
        runner.add_service({"echo": Echo, "page": Page, "hearer": Hearer}[name])
    runner.start()
    runner.wait()
