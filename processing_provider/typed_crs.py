"""CRSs as people type them: `EPSG:4326`, `epsg 4326`, `4326`, a URN, a PROJ string, WKT."""

from __future__ import annotations

import re

from qgis.core import QgsCoordinateReferenceSystem, QgsProcessingException

# A code of heights after "+" is dropped.
_CODE = re.compile(r"([a-z]\w*)\s*[:\s]\s*(\w+)(?:\s*\+\s*\w+)?", re.IGNORECASE)
_URI = re.compile(r"(?:urn:|https?://)\S+", re.IGNORECASE)
_WKT = re.compile(r"(?:wkt:)?\s*(\w+\s*[\[(].*)", re.IGNORECASE | re.DOTALL)
_PROJ = re.compile(r"(?:proj4?:)?\s*(\+.*)", re.IGNORECASE | re.DOTALL)


def typed_crs(text: str, key: str) -> QgsCoordinateReferenceSystem:
    """The CRS of a text; QgsProcessingException, with the parameter's key, where it is none."""
    crs = _parsed(text.strip())
    if not crs.isValid():
        raise QgsProcessingException(
            f"{key}: {text.strip()!r} is no CRS that QGIS knows. Write an authority and its code, such as EPSG:4326, "
            "or WKT."
        )
    return crs


def _parsed(text: str) -> QgsCoordinateReferenceSystem:
    if text.isdigit():
        return QgsCoordinateReferenceSystem(f"EPSG:{text}")
    if _URI.fullmatch(text):
        return QgsCoordinateReferenceSystem.fromOgcWmsCrs(text)
    for pattern, create in (
        (_PROJ, QgsCoordinateReferenceSystem.fromProj),
        (_WKT, QgsCoordinateReferenceSystem.fromWkt),
    ):
        match = pattern.fullmatch(text)
        if match:
            return create(match[1])
    match = _CODE.fullmatch(text)
    return QgsCoordinateReferenceSystem(f"{match[1]}:{match[2]}".upper() if match else "")
