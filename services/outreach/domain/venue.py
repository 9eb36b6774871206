"""Venues: places for activities; a complete service point of rural is one, for as long as it is complete (F3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.contract.outreach import VenueKind
from services.contract.rural import ServicePoint
from services.kernel import Change
from services.kernel.quantity import whole


@dataclass(frozen=True, kw_only=True)
class Venue:
    """A place for activities, and how many people it holds."""

    venue_kind: VenueKind
    name: str
    district: str
    capacity: int | None = None  # people at once; None: not known
    service_point_id: str | None = None
    state: str = "available"
    turns: int = 0  # how often it was suspended or restored: a higher number is newer knowledge

    @property
    def is_suspended(self) -> bool:
        """True while it cannot be booked."""
        return self.state == "suspended"


def register(*, venue_kind: VenueKind, name: str, district: str, capacity: int | None = None) -> Change[Venue]:
    """Register a place of the town; stations come by themselves (F3)."""
    whole(capacity=capacity)

    return Change(Venue(venue_kind=venue_kind, name=name, district=district, capacity=capacity), "registered")


def station_id(service_point_id: str) -> str:
    """The id of the one venue that a service point is."""
    return f"station.{service_point_id}"


def follow_point(venue: Venue | None, *, service_point_id: str, point: ServicePoint) -> Change[Venue] | None:
    """Keep a station in step with its service point.

    Every event of a point that ever was complete leaves its mark, even one that finds the station as it should be: an
    older event that comes later must find a newer one.
    """
    if venue is None:
        return _open_station(service_point_id, point) if point.completed_on else None

    to = _state_for(point)
    turns = venue.turns + (venue.state != to)
    station = replace(venue, state=to, turns=turns, capacity=point.capacity, district=point.district, name=point.name)
    return Change(station, "suspended" if station.is_suspended else "restored")


def _open_station(service_point_id: str, point: ServicePoint) -> Change[Venue]:
    """Register a station; one that has lapsed already is registered all the same, and cannot be used."""
    station = Venue(
        venue_kind="station",
        name=point.name,
        district=point.district,
        capacity=point.capacity,
        service_point_id=service_point_id,
        state=_state_for(point),
    )
    return Change(station, "registered")


def _state_for(point: ServicePoint) -> str:
    return "available" if point.state == "complete" else "suspended"
