"""The faults of a campaign, F1 to F19 of the design and F21 of the door; F20 is several at once, as always."""

from tests.chaos.faults import processes, door, broker, network, database, messages  # noqa: F401, I001 - each enters its own
from tests.chaos.faults.fault import FAULTS, Fault  # noqa: F401 - the names that others import from here
