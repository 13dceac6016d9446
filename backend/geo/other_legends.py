"""Land cover legends besides WorldCover's: their codes, and the WorldCover class of each.

Sources: NLCD (Multi-Resolution Land Characteristics Consortium, legend of 2021), Esri Land Cover (Karra et al. 2021),
Dynamic World (Brown et al. 2022), CORINE Land Cover (Copernicus Land Monitoring Service). Classes of two legends never
agree fully: NLCD's developed open space is built-up here, its pasture grassland, and Esri's rangeland grassland.
"""

from __future__ import annotations

from collections.abc import Mapping

from backend.protocol import LEGEND

NODATA = 0

_NLCD = {
    **{11: 80, 12: 70, 21: 50, 22: 50, 23: 50, 24: 50, 31: 60, 41: 10, 42: 10, 43: 10, 51: 20, 52: 20},
    **{71: 30, 72: 30, 73: 100, 74: 100, 81: 30, 82: 40, 90: 10, 95: 90},
}
_ESRI = {1: 80, 2: 10, 4: 90, 5: 40, 7: 50, 8: 60, 9: 70, 10: NODATA, 11: 30}  # 10 is cloud
_DYNAMIC_WORLD = {0: 80, 1: 10, 2: 30, 3: 90, 4: 40, 5: 20, 6: 50, 7: 60, 8: 70}

TO_WORLDCOVER: Mapping[str, Mapping[int, int]] = {
    "worldcover": {code: code for code in LEGEND},
    "nlcd": _NLCD,
    "esri": _ESRI,
    "dynamicworld": _DYNAMIC_WORLD,
}
"""Legend name to the WorldCover code of each of its codes. In legends without a class 0, that value is nodata."""
TITLES = {
    "worldcover": "ESA WorldCover",
    "nlcd": "NLCD",
    "esri": "Esri's 10 m land cover",
    "dynamicworld": "Dynamic World",
    "corine": "CORINE Land Cover",
}
_CORINE = {*range(1, 45), *range(111, 143), *range(211, 245), *range(311, 336), *range(411, 424), *range(511, 524)}
CODES: Mapping[str, frozenset[int]] = {
    **{name: frozenset(classes) for name, classes in TO_WORLDCOVER.items()},
    "corine": frozenset(_CORINE),
}
RECOGNISED_SHARE = 0.99  # of the pixels: so many must have a code of a legend
RECOGNISED_CLASSES = 3  # of a legend that must be present


def recognise(counts: Mapping[float, int]) -> str:
    """The name of the legend that nearly all pixels fit, given their numbers by value; '' where none does.

    Of several, it is the one with the largest share of its classes present.
    """
    total = sum(counts.values())

    def fits(name: str) -> bool:
        pixels = sum(number for value, number in counts.items() if value in CODES[name])
        return pixels >= RECOGNISED_SHARE * total and len(CODES[name].intersection(counts)) >= RECOGNISED_CLASSES

    fitting = [name for name in CODES if fits(name)]
    return max(fitting, key=lambda name: len(CODES[name].intersection(counts)) / len(CODES[name]), default="")


def has_zero_class(legend_name: str) -> bool:
    """Whether the value 0 is a class of a legend instead of nodata."""
    return 0 in TO_WORLDCOVER[legend_name]


def lookup_table(legend_name: str) -> list[tuple[int, int]]:
    """A legend's codes to WorldCover's, as pairs of all values from -1 to 256, with 0 for what is no class."""
    classes = TO_WORLDCOVER[legend_name]
    return [(value, classes.get(value, NODATA)) for value in range(-1, 257)]
