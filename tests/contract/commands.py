"""Every command of every service and the schema of its input, as the services declare them."""

from services.awards.service import Awards
from services.chassis.service import Command
from services.members.service import Members
from services.outreach.service import Outreach
from services.rural.service import Rural

COMMANDS = {
    f"{service.name}.{name}": entrypoint.schema
    for service in (Awards, Members, Outreach, Rural)
    for name in dir(service)
    for entrypoint in getattr(getattr(service, name), "nameko_entrypoints", ())
    if isinstance(entrypoint, Command)
}
"""By service and command: `outreach.record_count`."""
