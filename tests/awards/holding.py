"""Records that are there when a test begins, put where the running service keeps them."""

from services.chassis.document import Cause
from services.chassis.records import Bound, Records
from services.chassis.tokens import Actor
from services.kernel import Change


def put(running, kind, id_, record, *, happened):
    """A record in whatever state, as if this had just happened to it."""
    (container,) = [one for one in running.containers if one.service_name == kind.service]
    (records,) = [one for one in container.dependencies if isinstance(one, Records) and one.kind is kind]
    actor = Actor("u-zhang", frozenset(), None)
    cause = Cause(because=f"{kind.key} {id_}", actor=actor, at=running.clock.now())
    return Bound(records, cause).add(Change(record, happened), id_)
