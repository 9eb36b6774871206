"""What we are measured against: nameko as it comes, doing nothing."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import os
import sys
from typing import Any

from nameko.events import event_handler
from nameko.rpc import rpc
from nameko.runners import ServiceRunner
from nameko.web.handlers import http


class Echo:
    """Answers what it is asked."""

    name = "stock_echo"

    @rpc
    def echo(self, **given: Any) -> Any:
        return given


class Page:
    """Answers a constant."""

    name = "stock_page"

    @http("GET", "/constant")
    def constant(self, _: Any) -> str:
        return "constant"


class Hearer:
    """Hears and forgets."""

    name = "stock_hearer"

    @event_handler("outreach", "audience_count.recorded")
    def forget(self, event: Any) -> None:
        """Nothing."""


HEARER_QUEUE = "evt-outreach-audience_count.recorded--stock_hearer.forget"

if __name__ == "__main__":
    runner = ServiceRunner(
        {
            "AMQP_URI": os.environ["AMQP_URI"],
            "WEB_SERVER_ADDRESS": f"127.0.0.1:{os.environ['HTTP_PORT']}",
            "max_workers": 32,
        }
    )
    for wanted in sys.argv[1:]:
        runner.add_service({"echo": Echo, "page": Page, "hearer": Hearer}[wanted])
    runner.start()
    runner.wait()
