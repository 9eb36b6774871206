"""A broker and a database for the tests or a benchmark, in a home that is made for it and removed afterwards."""

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from deploy.local import embedded, stack_file
from deploy.local.embedded import Stores
from deploy.local.home import Home, InUse
from deploy.local.supervisor import StopRequested, Supervisor

WORKERS = 4  # for two cores: a test waits for most of its time
STORES = ("database", "broker")  # folders of a home
MEMORY = Path("/dev/shm")  # noqa: S108 - mkdtemp makes the folder, for its owner only
ENOUGH = 8 << 30  # bytes that have to be free there: a whole run takes about two GB
FOR_TESTS = (
    *("--setParameter", "minSnapshotHistoryWindowInSeconds=60"),
    *("--setParameter", "ttlMonitorEnabled=false"),
    *("--setParameter", "diagnosticDataCollectionEnabled=false"),
)
"""Files of dropped databases stay open for as long: in five minutes tests drop more than a process may have open. And
what a test writes by a clock that stands in 2011 would have expired long ago by the database's. Nobody diagnoses it.
"""

SIDE_BY_SIDE = ("--numprocesses", str(WORKERS), "--dist", "loadfile", "--no-loadscope-reorder")
SLOW = ("PYTHONDONTWRITEBYTECODE",)  # every process that is started would compile everything anew
IN_ONE = frozenset({"-s", "--pdb", "--trace", "--collect-only", "--co", "no:xdist"})  # of pytest's options


def run_tests(home: Home, arguments: Sequence[str], *, say: Callable[[str], None]) -> int:
    """Run pytest on a broker and a database of its own, and return its exit code."""
    try:
        with stores_of_its_own(home, "test", say=say, in_memory=True) as (supervisor, stores):
            environment = {name: value for name, value in os.environ.items() if name not in SLOW} | {
                "AMQP_URI": stores.amqp_uri,
                "MONGO_URI": stores.mongo_uri,
                "KEXIE_HOME": str(supervisor.home.folder),
            }
            command = (sys.executable, "-m", "tests", *options_for_sharing(arguments), *arguments)
            return supervisor.run(*command, environment=environment)
    except StopRequested as request:
        return 128 + request.number


def options_for_sharing(arguments: Sequence[str]) -> tuple[str, ...]:
    """Options for several processes of pytest: none for a single file, nor where output has to come at once."""
    files = [argument for argument in arguments if Path(argument.partition("::")[0]).is_file()]
    folders = [argument for argument in arguments if Path(argument).is_dir()]
    is_one_file = len(files) == 1 and not folders
    is_given = bool(os.environ.get("AMQP_URI"))  # a broker that is not ours, where we make no virtual hosts
    return () if is_one_file or is_given or IN_ONE.intersection(arguments) else SIDE_BY_SIDE


@contextmanager
def stores_of_its_own(
    home: Home, occasion: str, *, say: Callable[[str], None], in_memory: bool = False
) -> Iterator[tuple[Supervisor, Stores]]:
    """Start both and wait until they are ready; remove before what a killed run of this occasion left behind.

    `in_memory`: their files lie in memory where the machine has room, since nobody needs what tests write.
    """
    home.make()
    remove_left_behind(home, occasion)
    fresh = Home(home.folder / f"{occasion}-{os.getpid()}")
    if in_memory:
        _put_stores_in_memory(fresh)
    try:
        with fresh.claimed(), Supervisor(fresh, say=say) as supervisor:
            options = FOR_TESTS if in_memory else ()
            yield supervisor, embedded.start(supervisor, say=say, database_options=options)
    finally:
        _remove(fresh)


def remove_left_behind(home: Home, occasion: str) -> None:
    """End the processes that killed runs of this occasion left, and remove their homes."""
    for folder in home.folder.glob(f"{occasion}-*"):
        left = Home(folder)
        try:
            with left.claimed():
                stack_file.clear_away(left)
                _remove(left)
        except InUse:
            continue


def _put_stores_in_memory(home: Home) -> None:
    if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ENOUGH:
        return
    home.make()
    for store in STORES:
        (home.folder / store).symlink_to(tempfile.mkdtemp(prefix=f"kexie-{store}-", dir=MEMORY))


def _remove(home: Home) -> None:
    for store in STORES:
        if (home.folder / store).is_symlink():
            shutil.rmtree((home.folder / store).resolve(), ignore_errors=True)
    shutil.rmtree(home.folder)
