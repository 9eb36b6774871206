"""Settings: every variable that a process reads, with its unit and default; all errors are named at once."""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import marshmallow
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from environs import Env, EnvValidationError

SEALING_KEY = 32  # bytes

Range, OneOf = marshmallow.validate.Range, marshmallow.validate.OneOf


class WrongSettings(ValueError):
    """The environment is not usable; the message has one line per variable."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a process, read at its start; nothing is read from the environment later."""

    amqp_uri: str  # of one node of the broker, or of several, with ";" between them
    mongo_uri: str  # empty for the door, which has no database
    token_public_key: str  # PEM; verifies tokens
    token_private_key: str | None = None  # PEM; issues tokens, for the gateway and the operator's commands only
    sealing_key: bytes | None = None  # 32 bytes; for services that store restricted values
    database_prefix: str = "kexie"  # a service's database is <prefix>_<service>
    http_port: int = 8011  # of the gateway
    http_host: str = "127.0.0.1"
    http_behind_tls: bool = False  # a proxy before it ends TLS and names the client
    http_at_once: int = 64  # requests under way in one gateway; half of them to any one service
    http_connections: int = 1_000  # open at once; beyond, one that waits for its client gives way
    http_streams: int = 200  # live streams in one gateway; each of them is one of its connections
    door_systems: str | None = None  # path of the list of outside systems, for the door
    webhook_hosts: str | None = None  # hosts that webhooks may go to, with "," between; http:// before one to allow it
    caller_rate: float = 100.0  # requests a second that one caller may make of one gateway, in the long run; 0: any
    accepted_limit: int = 10_000  # commands that may wait for one service that is away
    health_port: int = 0  # of /health, /ready and /metrics; 0: none
    health_host: str = "127.0.0.1"
    log_level: str = "INFO"
    heartbeat: int = 10  # seconds; a frozen consumer is replaced after two of them
    rpc_workers: int = 32  # commands and queries handled at once by one process and service
    relay_batch: int = 500  # records a pass
    relay_sweep: float = 1.0  # seconds between two looks for records that another process left pending
    confirm_timeout: float = 10.0  # seconds until a publication without confirm is made again
    request_limit: int = 1_000_000  # bytes of one RPC request or HTTP command
    upload_limit: int = 50_000_000  # bytes of a sheet that is uploaded
    versions_limit: int = 1_000  # versions of one record
    audit_every: float = 3_600.0  # seconds between two comparisons that the gateway makes by itself; 0: none
    traces_url: str | None = None  # of an OTLP collector, with the path; none: traces are passed on and not recorded
    traces_share: float = 1.0  # share of the requests without a trace that are recorded
    rehearsal: bool = False  # a command may claim its arrival, as in the demo year; never where the records are real

    @staticmethod
    def read(environment: Mapping[str, str] | None = None) -> Settings:
        """Read the environment, or these variables; raises `WrongSettings` that names everything wrong.

        Each variable may be in a file instead, which `<NAME>_FILE` names, as container engines hand out secrets.
        """
        given = _with_files(os.environ if environment is None else environment)
        is_door = "DOOR_SYSTEMS" in given
        env = _Given({"MONGO_URI": "", **given} if is_door else given)
        values: dict[str, Any] = dict(  # noqa: C408 - reads as the class does
            amqp_uri=env.str("AMQP_URI", validate=_addresses("amqp://", "amqps://")),
            mongo_uri=env.str("MONGO_URI", validate=_address("mongodb://", needed=not is_door)),
            token_public_key=env.str("TOKEN_PUBLIC_KEY", validate=_is_key(load_pem_public_key)),
            token_private_key=env.str("TOKEN_PRIVATE_KEY", None, validate=_is_key(_load_private, needed=False)),
            sealing_key=env.str("SEALING_KEY", None, validate=_is_sealing_key),
            database_prefix=env.str(
                "DATABASE_PREFIX", "kexie", validate=marshmallow.validate.Regexp(r"[a-z0-9_-]{1,30}\Z")
            ),
            http_port=env.int("HTTP_PORT", 8011, validate=Range(0, 65535)),
            http_host=env.str("HTTP_HOST", "127.0.0.1"),
            http_behind_tls=env.bool("HTTP_BEHIND_TLS", False),
            http_at_once=env.int("HTTP_AT_ONCE", 64, validate=Range(2, 1_000)),
            http_connections=env.int("HTTP_CONNECTIONS", 1_000, validate=Range(10, 50_000)),
            http_streams=env.int("HTTP_STREAMS", 200, validate=Range(0, 50_000)),
            door_systems=env.str("DOOR_SYSTEMS", None),
            webhook_hosts=env.str("WEBHOOK_HOSTS", None, validate=_are_hosts),
            caller_rate=env.float("CALLER_RATE", 100.0, validate=Range(0, 1_000_000)),
            accepted_limit=env.int("ACCEPTED_LIMIT", 10_000, validate=Range(0, 1_000_000)),
            health_port=env.int("HEALTH_PORT", 0, validate=Range(0, 65535)),
            health_host=env.str("HEALTH_HOST", "127.0.0.1"),
            log_level=env.str("LOG_LEVEL", "INFO", validate=OneOf(["DEBUG", "INFO", "WARNING", "ERROR"])),
            heartbeat=env.int("HEARTBEAT", 10, validate=Range(2, 60)),
            rpc_workers=env.int("RPC_WORKERS", 32, validate=Range(1, 500)),
            relay_batch=env.int("RELAY_BATCH", 500, validate=Range(1, 5_000)),
            relay_sweep=env.float("RELAY_SWEEP", 1.0, validate=Range(0.05, 60)),
            confirm_timeout=env.float("CONFIRM_TIMEOUT", 10.0, validate=Range(0.5, 120)),
            request_limit=env.int("REQUEST_LIMIT", 1_000_000, validate=Range(1_000, 15_000_000)),
            upload_limit=env.int("UPLOAD_LIMIT", 50_000_000, validate=Range(10_000, 1_000_000_000)),
            versions_limit=env.int("VERSIONS_LIMIT", 1_000, validate=Range(10, 10_000)),
            audit_every=env.float("AUDIT_EVERY", 3_600.0, validate=Range(0, 604_800)),
            traces_url=env.str("TRACES_URL", None, validate=_is_address_or_none),
            traces_share=env.float("TRACES_SHARE", 1.0, validate=Range(0, 1)),
            rehearsal=env.bool("REHEARSAL", False),
        )
        try:
            env.seal()
        except EnvValidationError as error:
            raise WrongSettings(_lines(error.error_messages)) from None
        return Settings(
            **{
                **values,
                "token_public_key": _pem(values["token_public_key"]),
                "token_private_key": _pem(values["token_private_key"]),
                "sealing_key": b64decode(values["sealing_key"]) if values["sealing_key"] else None,
            }
        )

    def database(self, service: str) -> str:
        """The name of the service's own database."""
        return f"{self.database_prefix}_{service}"


def _with_files(given: Mapping[str, str]) -> Mapping[str, str]:
    """The variables, with the contents of the files that they name."""
    variables, wrong = dict(given), []
    for name in (setting.name.upper() for setting in fields(Settings)):
        if (path := given.get(f"{name}_FILE")) is None:
            continue
        if name in given:
            wrong.append(f"{name}_FILE: {name} is set, too")
            continue
        try:
            variables[name] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            wrong.append(f"{name}_FILE: {path} cannot be read ({type(error).__name__})")
    if wrong:
        raise WrongSettings("\n".join(wrong))
    return variables


class _Given(Env):
    """Reads these variables instead of the process's environment."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        super().__init__(eager=False)
        self._variables = variables

    def _get_value(self, env_key: str, default: Any) -> Any:
        return self._variables.get(env_key, default)


def _addresses(*schemes: str) -> Any:
    check_one = _address(*schemes)

    def check(value: str) -> None:
        for address in value.split(";"):
            check_one(address)

    return check


def _address(*schemes: str, needed: bool = True) -> Any:
    """An empty value is none where the address is not needed."""

    def check(value: str) -> None:
        if (value or needed) and not value.startswith(schemes):
            raise marshmallow.ValidationError(f"must start with {' or '.join(schemes)}")

    return check


def _is_address_or_none(value: str) -> None:
    if value:
        _address("http://", "https://")(value)


def _are_hosts(value: str) -> None:
    for word in filter(None, value.split(",")):
        if not re.fullmatch(r"(https?://)?[a-z0-9.-]+(:[0-9]{1,5})?", word.strip()):
            raise marshmallow.ValidationError("must be hosts with , between them: [http://]host[:port]")


def _is_key(load: Callable[[bytes], Any], *, needed: bool = True) -> Any:
    """An empty value is none where the key is not needed."""

    def check(value: str) -> None:
        if not (value or needed):
            return
        try:
            load(b64decode(value, validate=True))
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise marshmallow.ValidationError("must be a PEM key of its kind, base64 in one line") from None

    return check


def _is_sealing_key(value: str) -> None:
    """An empty value is none."""
    try:
        size = len(b64decode(value, validate=True))
    except ValueError:
        size = -1
    if size not in (0, SEALING_KEY):
        raise marshmallow.ValidationError(f"must be {SEALING_KEY} bytes, base64 in one line")


def _load_private(pem: bytes) -> Any:
    return load_pem_private_key(pem, password=None)


def _pem(value: str | None) -> str | None:
    return b64decode(value, validate=True).decode() if value else None


def _lines(messages: Any) -> str:
    return "\n".join(f"{name}: {'; '.join(map(str, problems))}" for name, problems in sorted(messages.items()))
