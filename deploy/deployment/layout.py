"""The layout of a site: hosts of broker and database, and the names by which others reach it.

Which changes it may go through is decided here, before any file is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

import msgspec

from deploy.errors import CommandFailed

THIS_MACHINE = ("localhost", "127.0.0.1")
"""Names that every site has."""

MOVE = (
    "To move it: `./kexie deploy backup FILE` here, `./kexie deploy init` with KEXIE_SITE=ANOTHER_FOLDER and this "
    "site's sealing_key put there, then `restore`. Nothing was changed."
)


class Layout(msgspec.Struct, frozen=True):
    """Hosts of broker and database as the services call them, and of the site as others call it."""

    brokers: tuple[str, ...] = ("rabbitmq",)
    databases: tuple[str, ...] = ("mongo",)
    hosts: tuple[str, ...] = THIS_MACHINE

    @property
    def is_in_containers(self) -> bool:
        """False where broker and database are run by the operator, outside of the containers."""
        return set(self.brokers) <= set(CLUSTER.brokers)

    @property
    def is_cluster(self) -> bool:
        """True for three brokers and databases in place of one of each."""
        return len(self.brokers) > 1

    @property
    def is_on_this_machine(self) -> bool:
        """True where traffic with broker and database stays on the machine and needs no TLS."""
        return all(urlsplit(f"//{host}").hostname in THIS_MACHINE for host in (*self.brokers, *self.databases))


CLUSTER = Layout(brokers=("rabbitmq", "rabbitmq2", "rabbitmq3"), databases=("mongo", "mongo2", "mongo3"))


def check_change(before: Layout, after: Layout) -> None:
    """Fail for a change of a site that would leave its data behind; `CommandFailed` names the way that keeps them."""
    if before.is_in_containers != after.is_in_containers:
        raise CommandFailed(f"The records of this site are {_place(before)}, and would stay there. {MOVE}")
    if before.is_in_containers and before.is_cluster and not after.is_cluster:
        raise CommandFailed(
            f"This site is a cluster: one of its three databases and brokers is no majority, and would not work. {MOVE}"
        )


def with_hosts(hosts: Iterable[str], added: Iterable[str], dropped: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the names of a site in their order, those that every site has at the end; earlier ones stay.

    Fails for a name to drop that it does not have, or that every site has.
    """
    dropped, known = set(dropped), tuple(host for host in hosts if host not in THIS_MACHINE)
    if unknown := sorted(dropped - set(known)):
        raise CommandFailed(f"{unknown[0]} cannot be dropped; names that can: {', '.join(known) or 'none'}.")
    return tuple(dict.fromkeys((*(host for host in (*known, *added) if host not in dropped), *THIS_MACHINE)))


def _place(layout: Layout) -> str:
    return "in containers" if layout.is_in_containers else f"at {', '.join(layout.databases)}"
