"""Sender of webhooks: delivers what is due in the outbox, several at once."""

from __future__ import annotations

from collections.abc import Callable, Collection

from eventlet import GreenPool
from pymongo.errors import PyMongoError
from structlog import get_logger

from gateway.notifications import webhooks
from gateway.notifications.delivery import Delivery
from gateway.notifications.webhook_outbox import WebhookOutbox
from gateway.notifications.webhooks import Undelivered
from services.chassis.clock import SystemClock
from services.chassis.log import malfunction

AT_ONCE = 8  # deliveries under way in one gateway

log = get_logger()


class WebhookSender:
    """Attempts the deliveries that are due; what is cut off is attempted again when its lease is over."""

    def __init__(
        self, outbox: WebhookOutbox, secret_of: Callable[[str], str], origins: Collection[str], clock: SystemClock
    ) -> None:
        self._outbox, self._secret_of, self._origins, self._clock = outbox, secret_of, origins, clock
        self._under_way = GreenPool(AT_ONCE)

    def send_due(self) -> None:
        """Begin as many due deliveries as may be under way at once."""
        while self._under_way.free() and (delivery := self._outbox.take_delivery()):
            self._under_way.spawn(self._send_and_survive, delivery)

    def stop(self) -> None:
        """Cut off what is under way."""
        for thread in list(self._under_way.coroutines_running):
            thread.kill()

    def _send_and_survive(self, delivery: Delivery) -> None:
        try:
            self._send(delivery)
        except PyMongoError as error:
            log.info("webhook is sent again later", delivery=delivery.id, error=type(error).__name__)
        except Exception as error:  # noqa: BLE001 - logged as our mistake; the lease ends and it is attempted again
            malfunction(error, thread="webhooks")

    def _send(self, delivery: Delivery) -> None:
        try:
            status = self._post(delivery)
        except Undelivered as error:
            if not self._outbox.note_failed(delivery, why=str(error)):
                log.warning("webhook given up", delivery=delivery.id, rule=delivery.rule)
        else:
            self._outbox.note_delivered(delivery, status=status)

    def _post(self, delivery: Delivery) -> int:
        if webhooks.origin(delivery.address) not in self._origins:  # the setting may have changed since
            raise Undelivered("not allowed by WEBHOOK_HOSTS")

        secret = self._secret_of(delivery.rule)
        return webhooks.send(delivery.address, delivery.body, id_=delivery.id, secret=secret, now=self._clock.now())
