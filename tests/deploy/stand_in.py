"""A small process in the place of a service: answers on its ports, and that is all."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

AT_EASE = {"version": "0.2.0", "pending": 0, "oldest_pending": None, "parked": 0, "alarms": 0}
OVERVIEW = {
    "services": {"awards": AT_EASE, "outreach": AT_EASE | {"pending": 4, "oldest_pending": 62.5}},
    "gateway": {"version": "0.2.0", "parked": 0, "alarms": 0, "jobs": {}},
    "queues": {"gateway.ledger": 3, "rpc-awards": 0},
    "heard": {"awards": "2011-05-14T10:00:00+08:00"},
    "complete": True,
    "reasons": [],
}
PAGES = {
    "/api/v1/operations/status": json.dumps(OVERVIEW),
    "/ready": "ready\n",
    "/metrics": """\
kexie_pending_records{service="any"} 4
kexie_oldest_pending_seconds{service="any"} 2.5
kexie_parked_messages{service="any"} 0
""",
}


class Pages(BaseHTTPRequestHandler):
    def do_GET(self):
        page = PAGES.get(self.path)
        self.send_response(200 if page else 404)
        self.end_headers()
        self.wfile.write((page or "").encode())


if __name__ == "__main__":
    ports = [int(os.environ[name]) for name in ("HEALTH_PORT", "HTTP_PORT") if name in os.environ]
    for port in ports:
        Thread(target=ThreadingHTTPServer(("127.0.0.1", port), Pages).serve_forever).start()
