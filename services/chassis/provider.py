"""Provider: a nameko dependency that is the same object for every worker."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from nameko.extensions import DependencyProvider

T = TypeVar("T")


class Provider(DependencyProvider, Generic[T]):
    """A dependency that does not depend on the call: a subclass `XProvider` says what X is in `provide`.

    What a worker must get by its own cause (records, the clock) is a plain `DependencyProvider`.
    """

    def provide(self) -> T:
        """Return what the service's methods get; called for each worker, after `setup`."""
        raise NotImplementedError

    def get_dependency(self, worker_ctx: Any) -> T:
        """Answer nameko, whatever the worker is about."""
        return self.provide()
