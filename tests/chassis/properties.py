"""Properties of messages as nobody sends them by accident: every type of AMQP, any range, depth and length, cut or not.

The same seed makes the same properties.
"""

from struct import pack

from amqp.basic_message import Message

FIXED = {
    "t": 1, "b": 1, "B": 1, "U": 2, "u": 2, "s": 2, "I": 4, "i": 4, "L": 8, "l": 8, "f": 4, "d": 8, "D": 5, "T": 8,
    "V": 0,
}  # fmt: skip
TYPES = (*FIXED, "S", "x", "A", "F", "z")
CONTENT_TYPE, HEADERS, CORRELATION_ID, REPLY_TO, TIMESTAMP = 0x8000, 0x2000, 0x0400, 0x0200, 0x0040
EXPIRATION, USER_ID = 0x0100, 0x0010  # the broker reads these itself, and accepts few
NUMBERS = {0x1000: 1, 0x0800: 1, TIMESTAMP: 8}  # delivery mode, priority
FLAGS = [1 << bit for bit in range(15, 1, -1)]
EVIL = (
    b"T" + pack(">Q", 253_402_300_800),  # the year 10000
    b"T" + b"\xff" * 8,
    b"l" + b"\xff" * 8,
    b"L" + pack(">Q", 2**63),
    b"D\xff" + b"\x7f" * 4,
    b"d" + b"\x7f\xf0" + b"\0" * 6,  # infinite
    b"\0",
    b"S\xff\xff\xff\xff",
    b"A\xff\xff\xff\xffV",
)


class Raw(Message):
    """A message with these bytes as its properties."""

    def __init__(self, body, properties):
        super().__init__(body)
        self._bytes = properties

    def _serialize_properties(self):
        return self._bytes


def properties_of(random, count, *, without=()):
    """So many encoded properties, without these flags."""
    flags = [flag for flag in FLAGS if flag not in without]
    return [_properties(random, flags) for _ in range(count)]


def nested(depth):
    """Headers with arrays within arrays."""
    value = b""
    for _ in range(depth):
        value = b"A" + pack(">I", len(value)) + value
    return pack(">H", HEADERS) + _long(b"\x01k" + value)


def with_header(value, *, reply_to=None):
    """Headers with this encoded value, and perhaps an address for the answer."""
    flags, address = (HEADERS | REPLY_TO, _short(reply_to.encode())) if reply_to else (HEADERS, b"")
    return pack(">H", flags) + _long(b"\x01k" + value) + address


def _properties(random, possible):
    flags = [flag for flag in possible if random.random() < 0.4]
    encoded = pack(">H", sum(flags)) + b"".join(_property(random, flag) for flag in flags)
    return encoded[: random.randrange(2, len(encoded) + 1)] if random.random() < 0.2 else encoded


def _property(random, flag):
    if flag == HEADERS:
        return _long(_entries(random, depth=random.choice((1, 2, 5))))
    if flag in NUMBERS:
        return random.randbytes(NUMBERS[flag])
    return _short(random.choice((b"application/json", b"\xff\xfe", b"", random.randbytes(random.randrange(256)))))


def _entries(random, depth):
    keys = (b"", b"nameko.token", b"traceparent", b"kexie.at", b"a.b", b"$set", b"\0", b"\xff", random.randbytes(200))
    return b"".join(_short(random.choice(keys)) + _value(random, depth) for _ in range(random.randrange(6)))


def _value(random, depth):
    if random.random() < 0.1:
        return random.choice(EVIL)
    kind = random.choice(TYPES)
    if kind in FIXED:
        return kind.encode() + random.choice((random.randbytes, lambda size: b"\xff" * size, bytes))(FIXED[kind])
    if kind in "Sx":
        return kind.encode() + _long(random.randbytes(random.randrange(300)))
    inner = b"" if depth == 0 else _entries(random, depth - 1) if kind == "F" else _values(random, depth - 1)
    return kind.encode() + _long(inner)


def _values(random, depth):
    return b"".join(_value(random, depth) for _ in range(random.randrange(4)))


def _short(text):
    return pack("B", len(text)) + text


def _long(text):
    return pack(">I", len(text)) + text
