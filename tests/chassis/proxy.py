"""A way to the broker that a test can cut, freeze and refuse, so that only its own services notice.

With a certificate (a file with its key in it) it is a way over TLS.
"""

import contextlib
import socket
import ssl
from urllib.parse import urlsplit

import eventlet
from eventlet.event import Event


class Proxy:
    def __init__(self, amqp_uri, certificate=None):
        self._broker = urlsplit(amqp_uri)
        self._tls = certificate and _speaking_as(certificate)
        self._open = set()
        self._refused = False
        self._frozen = None

    def __enter__(self):
        self._listening = eventlet.listen(("127.0.0.1", 0), reuse_port=False)
        self._accepting = eventlet.spawn(self._accept)
        return self

    def __exit__(self, *exc_info):
        self.heal()
        self._accepting.kill()
        self._listening.close()
        self.cut()

    @property
    def amqp_uri(self):
        user, _, _ = self._broker.netloc.rpartition("@")
        netloc = f"{user}@127.0.0.1:{self._listening.getsockname()[1]}"
        return self._broker._replace(scheme="amqps" if self._tls else "amqp", netloc=netloc).geturl()

    def cut(self):
        """Close every connection that is open now."""
        for one in list(self._open):
            _end(one)

    def refuse(self):
        """The broker is away: what is open is closed, and nothing new gets through."""
        self._refused = True
        self.cut()

    def freeze(self):
        """Nothing moves any more, and nothing is closed."""
        self._frozen = self._frozen or Event()

    def heal(self):
        """Everything gets through again."""
        self._refused = False
        if self._frozen:
            self._frozen, frozen = None, self._frozen
            frozen.send()

    def _accept(self):
        while True:
            near, _ = self._listening.accept()
            if self._refused:
                near.close()
                continue
            eventlet.spawn(self._carry, near)

    def _carry(self, near):
        if self._tls:
            near = self._tls.wrap_socket(near, server_side=True, do_handshake_on_connect=False)
            try:
                near.do_handshake()
            except OSError:  # who calls does not trust us
                near.close()
                return
        far = eventlet.connect((self._broker.hostname, self._broker.port))
        self._open |= {near, far}
        back = eventlet.spawn(self._pass_on, far, near)
        self._pass_on(near, far)
        back.wait()
        for one in (near, far):
            self._open.discard(one)
            one.close()

    def _pass_on(self, source, target):
        with contextlib.suppress(OSError):
            while data := self._thawed(source.recv(65_536)):
                target.sendall(data)
        _end(source)
        _end(target)

    def _thawed(self, data):
        if self._frozen:
            self._frozen.wait()
        return data


def _speaking_as(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _end(one):
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
