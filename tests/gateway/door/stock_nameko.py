"""A program of an outside system in stock nameko, with nothing of ours: it registers a hall, and hears of it.

Reads AMQP_URI and TOKEN from the environment and prints a line of JSON for all it learns.
"""

import eventlet

eventlet.monkey_patch()

import json  # noqa: E402
import os  # noqa: E402

from nameko.events import event_handler  # noqa: E402
from nameko.rpc import RpcProxy, rpc  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402
from nameko.standalone.rpc import ClusterRpcProxy  # noqa: E402

CONFIG = {"AMQP_URI": os.environ["AMQP_URI"]}
HEARD = eventlet.event.Event()


class Bookings:
    """Calls from a service of its own, which keeps its caller's token in the context."""

    name = "bookings"

    outreach = RpcProxy("outreach")

    @rpc
    def book(self, **hall):
        return self.outreach.register_venue(**hall)

    @event_handler("outreach", "venue.registered")
    def hear(self, event):
        print(json.dumps({"heard": event["subject"]}), flush=True)
        HEARD.send()


runner = ServiceRunner(CONFIG)
runner.add_service(Bookings)
runner.start()
with ClusterRpcProxy(CONFIG, context_data={"token": os.environ["TOKEN"]}, timeout=20) as proxy:
    hall = proxy.bookings.book(venue_kind="hall", name="科技馆", district="511102")
    print(json.dumps({"registered": hall["id"]}), flush=True)
with eventlet.Timeout(20):
    HEARD.wait()
runner.stop()
