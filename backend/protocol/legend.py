"""The WorldCover legend, and class shares as users type them."""

from __future__ import annotations

from .errors import BackendError

LEGEND: dict[int, tuple[str, str]] = {
    10: ("Tree cover", "006400"),
    20: ("Shrubland", "FFBB22"),
    30: ("Grassland", "FFFF4C"),
    40: ("Cropland", "F096FF"),
    50: ("Built-up", "FA0000"),
    60: ("Bare / sparse vegetation", "B4B4B4"),
    70: ("Snow and ice", "F0F0F0"),
    80: ("Permanent water bodies", "0064C8"),
    90: ("Herbaceous wetland", "0096A0"),
    95: ("Mangroves", "00CF75"),
    100: ("Moss and lichen", "FAE6A0"),
}
"""WorldCover's codes, names and official colours (ESA WorldCover Product User Manual v2.0, table 3)."""

WORLDCOVER_CODES = tuple(LEGEND)


def parse_shares(text: str) -> dict[int, float]:
    """Parse class shares such as "10:60, 50:20" to percentages by WorldCover code; BackendError for any other text."""
    shares: dict[int, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        code, _, percent = part.partition(":")
        try:
            number, share = int(code), float(percent.strip().rstrip("%"))
        except ValueError as error:
            raise BackendError(
                f"{part!r} is no class share. Type code:percent, parted by commas, for instance '10:60, 50:20'."
            ) from error
        if number in shares:
            raise BackendError(f"The class {number} is asked for twice. Give each class one share.")
        shares[number] = share
    check_shares(shares)
    return shares


def parse_numbers(text: str, what: str = "mix") -> tuple[float, ...]:
    """Parse numbers such as "25, 75"; BackendError for any other text, which calls them `what`."""
    try:
        return tuple(float(part.strip().rstrip("%")) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise BackendError(f"{text!r} is no {what}. Type numbers, parted by commas: 25, 75.") from error


def check_shares(shares: dict[int, float]) -> None:
    """BackendError for a code outside the legend, a share outside 0 to 100, and shares that sum to more than 100."""
    for code, share in shares.items():
        if code not in WORLDCOVER_CODES:
            known = ", ".join(map(str, WORLDCOVER_CODES))
            raise BackendError(f"There is no class {code} in WorldCover's legend. Choose among {known}.")
        if not 0 <= share <= 100:
            raise BackendError(f"The share of class {code} is {share:g}. A share is a percentage from 0 to 100.")
    if sum(shares.values()) > 100 + 1e-6:
        raise BackendError(f"The class shares sum to {sum(shares.values()):g} percent. Lower them to 100 at most.")
