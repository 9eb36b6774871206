"""Faults of the network between the processes of this machine: rules of its firewall, told apart by port and group.

Each process of a campaign runs in a group of its own, so that a rule may name who sends. What is dropped is dropped
where it is sent, and nothing but loopback traffic is touched.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Self

DROP = ("DROP",)
RESET = ("REJECT", "--reject-with", "tcp-reset")

GROUPS = range(52_000, 53_000)  # nobody's
CHAIN = "KEXIE-"  # and the number of the process it belongs to


def is_possible() -> bool:
    """Whether this process may change the firewall, and start processes in other groups."""
    return os.geteuid() == 0 and all(map(shutil.which, ("iptables", "setpriv"))) and _tried()


class Network:
    """A chain of rules for this process's campaign, gone with the end of its block.

    Those of campaigns that were killed are cleared away at the beginning of the next.
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
        """Meanwhile nothing gets through that is sent to or from these ports, by anybody or by these groups."""
        chance = () if share == 1.0 else ("-m", "statistic", "--mode", "random", "--probability", str(share))
        ways = [*(("--dport", str(port)) for port in to), *(("--sport", str(port)) for port in of)]
        with ExitStack() as rules:
            for group in by:
                sender = () if group is None else ("-m", "owner", "--gid-owner", str(group))
                for way in ways:
                    rule = (self._chain, "-p", "tcp", *way, *sender, *chance, "-j", *answer)
                    _iptables("-A", *rule)
                    rules.callback(partial(_iptables, "-D", *rule))
            yield


def in_group(group: int, command: tuple[str, ...]) -> tuple[str, ...]:
    """The command, run in this group, and still bound to end with its parent, which a change of group makes forget."""
    return ("setpriv", "--regid", str(group), "--keep-groups", "--pdeathsig", "TERM", "--", *command)


def _tried() -> bool:
    """Containers often lack the right, or the kernel a part of it."""
    try:
        with Network() as network, network.without(to=(9,), by=(GROUPS[-1],), share=0.5):
            return True
    except subprocess.CalledProcessError:
        return False


def _branch(chain: str) -> tuple[str, ...]:
    return ("-o", "lo", "-j", chain)


def _remove(chain: str) -> None:
    _iptables("-D", "OUTPUT", *_branch(chain))
    _iptables("-F", chain)
    _iptables("-X", chain)


def _left_behind() -> list[str]:
    """Chains of processes that are no more."""
    with TemporaryFile("w+") as rules:
        _iptables("-S", "OUTPUT", stdout=rules)
        rules.seek(0)
        pids = re.findall(rf"-j {CHAIN}(\d+)$", rules.read(), flags=re.MULTILINE)
    return [f"{CHAIN}{pid}" for pid in pids if not Path(f"/proc/{pid}").exists()]


def _iptables(*arguments: str, stdout: IO[str] | None = None) -> None:
    subprocess.run(["iptables", "-w", *arguments], check=True, stdout=stdout, stderr=subprocess.DEVNULL)  # noqa: S607 - where the path says
