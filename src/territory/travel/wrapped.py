"""Travel of a source, changed or kept by whoever holds it: what is handed on as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from territory.travel.base import TravelBase

if TYPE_CHECKING:
    from territory.model.places import Places
    from territory.travel.answers import RouteGeometry, SnappedPlaces
    from territory.travel.protocol import Travel

__all__ = ["WrappedTravel"]


class WrappedTravel(TravelBase):
    """Travel that asks another.

    Attributes
    ----------
    source : Travel
    """

    source: Travel

    @property
    def symmetric(self) -> bool:
        """As the source."""
        return self.source.symmetric

    @property
    def by_id(self) -> bool:
        """As the source; True of one that does not say."""
        return bool(getattr(self.source, "by_id", True))

    @property
    def divides(self) -> bool:
        """As the source."""
        return bool(getattr(self.source, "divides", True))

    @property
    def estimates(self) -> bool:
        """As the source."""
        return bool(getattr(self.source, "estimates", False))

    @property
    def attribution(self) -> str | None:
        """Whom the source's data are owed to; None if it does not say."""
        return getattr(self.source, "attribution", None)

    def route_geometry(self, stops: Places) -> RouteGeometry:
        """Give the line driven from each stop to the next, as the source does."""
        return self.source.route_geometry(stops)

    def snap(self, places: Places) -> SnappedPlaces:
        """Tell where trips from and to places begin and end, as the source does."""
        return self.source.snap(places)
