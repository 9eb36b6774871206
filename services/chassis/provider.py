"""Provider: a nameko dependency that is the same object for every worker."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from nameko.extensions import DependencyProvider

T = TypeVar("T")


class Provider(DependencyProvider, Generic[T]):
    """A dependency that is the same for every call: a subclass `XProvider` returns X from `provide`.

    A dependency that differs by the call's cause (records, the clock) is a plain `DependencyProvider`.
    """

    def provide(self) -> T:
        """Return what the service's methods get; called for each worker, after `setup`."""
        raise NotImplementedError

    def get_dependency(self, worker_ctx: Any) -> T:
        """Return the same for every worker."""
        return self.provide()
