"""A clerk's page beside thousands of connections that hold what they do not use, each from an address of its own."""

import deploy.image.greenthreads  # noqa: F401, I001 - before anything else

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from time import perf_counter

import eventlet
from rich.console import Console

from tests.bench.pipeline import Pipeline
from tests.bench.result_table import Row, at_most, exit_code, show
from tests.http_client import NoResponse, request_json
from tests.slow_clients import KINDS, of_network, slow_clients
from tests.waiting import wait_until

PAGES = ("/api/v1/plans/2011/progress", "/api/v1/kpis/K2")
TIMES = 150  # that the clerk opens each page
SLOWER = 3.0  # times the p99 of a quiet gateway
GROWTH = 200.0  # MB: twice what bodies and answers of those who wait may hold, and the connections themselves
WITHIN = 30.0  # seconds

console = Console(stderr=True)


def main(number: int) -> int:
    """Open so many connections of all kinds and print the table; 1 where a target was missed."""
    pipeline = Pipeline.of_the_environment()
    try:
        pipeline.start("gateway")
        rows = list(measure(pipeline, number))
    finally:
        pipeline.stop_all()
    show(rows, f"A clerk's page beside {number:,} slow clients")
    return exit_code(rows)


def measure(pipeline: Pipeline, number: int) -> Iterator[Row]:
    """Open the clerk's pages at a quiet gateway, then beside slow clients."""
    clerk = Clerk(f"http://127.0.0.1:{pipeline.port('gateway')}", pipeline.token())
    wait_until(lambda: clerk.wait_for(PAGES[0]) is not None, "the first page", within=WITHIN)
    quiet, before = clerk.p99(), pipeline.resident("gateway")
    with ExitStack() as opened:
        for kind, sent in KINDS.items():
            console.print(f"{number // len(KINDS):,} clients: {kind}")
            network = of_network(10 + list(KINDS).index(kind))
            clients = slow_clients(pipeline.port("gateway"), sent, number=number // len(KINDS), address=network)
            opened.enter_context(clients)
        wait_until(lambda: all(map(clerk.wait_for, PAGES)), "the work of their requests", within=WITHIN)
        refused = clerk.refused
        beside, after = clerk.p99(), pipeline.resident("gateway")
    refusals, growth = clerk.refused - refused, after - before
    yield at_most("pages that were not answered with 200", f"{refusals} of {TIMES * len(PAGES)}", refusals, 0)
    yield at_most("p99 of a page, of a quiet gateway's", _ms(beside), beside / quiet, SLOWER, beside=_ms(quiet))
    yield at_most("memory gained, MB", f"{after:.0f}", growth, GROWTH, beside=f"{before:.0f}")


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:,.0f} ms"


class Clerk:
    """Opens pages, one after the other."""

    def __init__(self, url: str, token: str) -> None:
        self._url, self._token, self.refused = url, token, 0

    def p99(self) -> float:
        """The seconds that 99 of 100 pages take at most."""
        waits = [self.wait_for(page) for _ in range(TIMES) for page in PAGES]
        return sorted(wait if wait is not None else WITHIN for wait in waits)[int(len(waits) * 0.99)]

    def wait_for(self, page: str) -> float | None:
        """The seconds until a page is there; None where it was refused."""
        eventlet.sleep(0)
        began = perf_counter()
        try:
            status = request_json(self._url + page, token=self._token, timeout=WITHIN).status
        except NoResponse:
            status = 0
        if status != 200:
            self.refused += 1
            return None
        return perf_counter() - began


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
