"""HTML pages from the templates in `templates/`, CSV text, and files that are written together or not at all."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from backend.protocol import BackendError, partial_path


def png_uri(png: bytes) -> str:
    """A PNG as a data URI, so that a page holds its images."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def three_digits(value: float) -> str:
    """A number with about three digits and no exponent; 'none' for NaN and infinity."""
    if not math.isfinite(value):
        return "none"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.{3 if abs(value) < 1 else 2}f}"


_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).resolve().parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_TEMPLATES.filters |= {"png_uri": png_uri, "three_digits": three_digits}
_TEMPLATES.tests |= {"finite": math.isfinite}


def render(template: str, **values: Any) -> str:
    """Render `templates/<template>.html.j2` to a page without external resources.

    Every value is escaped, except the Markup that this package's own SVG charts return.
    """
    return _TEMPLATES.get_template(f"{template}.html.j2").render(values)


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows with the same keys as CSV with a header."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def write_together(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts by file name into a folder; no file gets its final name before all are complete.

    Raises BackendError where the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            partial_path(folder / name).write_text(text, encoding="utf-8", newline="")
        for name in texts:
            partial_path(folder / name).replace(folder / name)
    except OSError as error:
        for name in texts:
            with contextlib.suppress(OSError):
                partial_path(folder / name).unlink()
        raise BackendError(
            f"Cannot write to {folder}: {error}. Free space on its disk, or choose another output."
        ) from error
