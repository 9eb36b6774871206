"""Faults of the network between the processes of this machine: rules of its firewall, by port and group.

Each process of a campaign runs in a group of its own, so that a rule can name the sender. Packets are dropped where
they are sent, and only those of the loopback device.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

DROP = ("DROP",)
RESET = ("REJECT", "--reject-with", "tcp-reset")

GROUPS = range(52_000, 53_000)  # used by nothing else
CHAIN = "KEXIE-"  # before the id of the process that the chain belongs to


def is_possible() -> bool:
    """Whether this process may change the firewall, and start processes in other groups."""
    return os.geteuid() == 0 and all(map(shutil.which, ("iptables", "setpriv"))) and _works()


class Network:
    """A chain of rules for the campaign of this process, used by `with` and removed at the end of the block.

    The chains of campaigns that were killed are removed at the beginning of the next.
    """

    def __init__(self) -> None:
        self._chain = f"{CHAIN}{os.getpid()}"

    def __enter__(self) -> Self:
        for chain in _left_behind():
            _remove(chain)
        _iptables("-N", self._chain)
        _iptables("-I", "OUTPUT", *_branch(self._chain))
        return self

    def __exit__(self, *_: object) -> None:
        _remove(self._chain)

    @contextmanager
    def without(
        self,
        *,
        to: Iterable[int] = (),
        of: Iterable[int] = (),
        by: Iterable[int | None] = (None,),
        answer: tuple[str, ...] = DROP,
        share: float = 1.0,
    ) -> Iterator[None]:
        """Stop a share of the packets to or from these ports, sent by anybody or these groups, during the block."""
        chance = () if share == 1.0 else ("-m", "statistic", "--mode", "random", "--probability", str(share))
        ways = [*(("--dport", str(port)) for port in to), *(("--sport", str(port)) for port in of)]
        with ExitStack() as rules:
            for group, way in product(by, ways):
                rule = (self._chain, "-p", "tcp", *way, *_sender(group), *chance, "-j", *answer)
                _iptables("-A", *rule)
                rules.callback(partial(_iptables, "-D", *rule))
            yield


def in_group(group: int, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command as one that runs in this group and ends with its parent, which a change of group undoes."""
    return ("setpriv", "--regid", str(group), "--keep-groups", "--pdeathsig", "TERM", "--", *command)


def _works() -> bool:
    """Whether a trial works: containers often lack the right, or the kernel a part of what is needed."""
    try:
        with Network() as network, network.without(to=(9,), by=(GROUPS[-1],), share=0.5):
            return True
    except subprocess.CalledProcessError:
        return False


def _sender(group: int | None) -> tuple[str, ...]:
    return () if group is None else ("-m", "owner", "--gid-owner", str(group))


def _branch(chain: str) -> tuple[str, ...]:
    return ("-o", "lo", "-j", chain)


def _remove(chain: str) -> None:
    _iptables("-D", "OUTPUT", *_branch(chain))
    _iptables("-F", chain)
    _iptables("-X", chain)


def _left_behind() -> list[str]:
    """The chains of processes that do not run any more."""
    with TemporaryFile("w+") as rules:
        _iptables("-S", "OUTPUT", stdout=rules)
        rules.seek(0)
        pids = re.findall(rf"-j {CHAIN}(\d+)$", rules.read(), flags=re.MULTILINE)
    return [f"{CHAIN}{pid}" for pid in pids if not Path(f"/proc/{pid}").exists()]


def _iptables(*arguments: str, stdout: IO[str] | None = None) -> None:
    subprocess.run(["iptables", "-w", *arguments], check=True, stdout=stdout, stderr=subprocess.DEVNULL)  # noqa: S607 - found on the path
