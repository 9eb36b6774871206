"""Every command and question of every service and the schema of its input, as the services declare them."""

from dataclasses import dataclass
from typing import Any

from services.awards.service import Awards
from services.chassis.entrypoints import Command, DescribedQuery
from services.chassis.fields import Group, Many
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural


@dataclass(frozen=True)
class Declared:
    """A method as its service declares it; a question has no kind."""

    name: str
    entrypoint: Any
    sentence: str

    @property
    def kind(self):
        return self.entrypoint.kind


METHODS = {
    f"{service.name}.{name}": Declared(name, entrypoint, getattr(service, name).__doc__ or "")
    for service in (Awards, Members, Outreach, Rural)
    for name in dir(service)
    for entrypoint in getattr(getattr(service, name), "nameko_entrypoints", ())
    if isinstance(entrypoint, Command | DescribedQuery)
}
_ENTRYPOINTS = {name: one.entrypoint for name, one in METHODS.items() if isinstance(one.entrypoint, Command)}
COMMANDS = {name: entrypoint.schema for name, entrypoint in _ENTRYPOINTS.items()}
"""By service and command: `outreach.record_count`."""

QUESTIONS = {name: one.entrypoint.schema for name, one in METHODS.items() if name not in COMMANDS}

ADDING = {name for name, entrypoint in _ENTRYPOINTS.items() if entrypoint.adds}
"""Those that a sheet can be given to, row by row."""


def every_field(schema):
    """The fields of a command by name, those of its groups too; of a list, what it lists."""
    for name, field in schema.fields.items():
        inner = field.inner if isinstance(field, Many) else field
        yield name, inner
        if isinstance(inner, Group):
            yield from every_field(inner.schema)


FLAT = [name for name, schema in COMMANDS.items() if not any(isinstance(one, Group) for _, one in every_field(schema))]
"""Those whose input is one row of plain values."""
