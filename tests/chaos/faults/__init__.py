"""The faults of a campaign, F1 to F19 of the design; F20 is several of them at once, which every campaign does."""

from tests.chaos.faults import processes, broker, network, database, messages  # noqa: F401, I001 - each enters its own
from tests.chaos.faults.fault import FAULTS, Fault  # noqa: F401 - the names that others import from here
