"""The kinds of vector features that are burnt into land cover, and the usual widths of those that are lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from backend.geo import legend
from backend.protocol import CLASS_FIELDS

HIGHWAY_WIDTHS = {
    **{"motorway": 22.0, "trunk": 16.0, "primary": 12.0, "secondary": 10.0, "tertiary": 8.0, "raceway": 10.0},
    **{"motorway_link": 8.0, "trunk_link": 8.0, "primary_link": 7.0, "busway": 7.0, "living_street": 5.0},
    **dict.fromkeys(("service", "track", "pedestrian", *(f"track_grade{grade}" for grade in range(1, 6))), 4.0),
    **dict.fromkeys(("footway", "path", "cycleway", "bridleway", "steps", "corridor"), 2.0),
}
WATERWAY_WIDTHS = {"river": 20.0, "canal": 10.0, "stream": 3.0, "ditch": 2.0, "drain": 2.0}


@dataclass(frozen=True)
class Kind:
    """A kind of features: the code that they are burnt as, and the width in metres of those that are lines.

    `lines`: lines are taken too. `apart`: an outline runs between two features that touch.
    """

    role: str
    code: int
    lines: bool = True
    apart: bool = False
    widths: Mapping[str, float] = field(default_factory=dict)
    default_m: float = 0.0

    @property
    def index(self) -> int:
        """The class index that they are burnt as."""
        return legend.index(self.code)

    @property
    def class_fields(self) -> tuple[str, ...]:
        """The fields that a line's class is read from."""
        return CLASS_FIELDS[self.role]

    @property
    def wrong_types(self) -> tuple[str, ...]:
        """What the names of GDAL's geometry types contain that are not taken."""
        return ("Point",) if self.lines else ("Point", "Line")

    @property
    def geometries(self) -> str:
        """The geometries that are taken, for messages."""
        return "lines or polygons" if self.lines else "polygons"


KINDS = (
    Kind("WATER", 80, True, False, WATERWAY_WIDTHS, 4.0),
    Kind("ROADS", 50, True, False, HIGHWAY_WIDTHS, 6.0),
    Kind("BUILDINGS", 50, False, True),
)
"""In the order of burning: later ones cover earlier ones."""
