"""What the pages of reports share: one style, tables, pictures, and files that appear together or not at all."""

from __future__ import annotations

import base64
import contextlib
import csv
import io
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from backend.protocol import BackendError, partial_path

STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:1100px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}caption{text-align:left;color:#555}"
    "td,th{border:1px solid #ccc;padding:.3em .7em;text-align:left}"
    "table.scores td{text-align:right;white-space:nowrap}table.scores td.words{text-align:left;white-space:normal}"
    "small{color:#555;display:block;white-space:normal}.big{font-size:17px}"
    "figure{display:inline-block;margin:.5em 1em .5em 0;vertical-align:top}figcaption{color:#555;font-size:13px}"
    "svg{border:1px solid #ccc}svg,img{max-width:100%;height:auto}"
    ".bad{background:#f6cccc}.care{background:#fbeab8}.good{background:#d3ecd0}"
)


def page(title: str, *parts: str) -> str:
    """A whole HTML page with nothing outside it; `parts` are HTML, `title` plain text."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )


def heading(said: str) -> str:
    """The heading of a part, of plain text."""
    return f"<h2>{escape(said)}</h2>"


def text(said: str, kind: str = "") -> str:
    """A paragraph of plain text; `kind` is a class of the style."""
    return f'<p class="{kind}">{escape(said)}</p>' if kind else f"<p>{escape(said)}</p>"


def scores(corner: str, heads: Sequence[object], rows: Sequence[Sequence[str]], caption: str = "") -> str:
    """A table of figures: heads are plain text, of each row the first cell is HTML and the others are whole <td>."""
    head = "".join(f"<th>{escape(str(one))}</th>" for one in heads)
    body = "".join(f"<tr><th>{first}</th>{''.join(rest)}</tr>" for first, *rest in rows)
    return f'<table class="scores"><caption>{caption}</caption><tr><th>{corner}</th>{head}</tr>{body}</table>'


def table(heads: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table of plain texts, those of the first column as heads of their rows."""
    cells = [[escape(str(first)), *(f"<td>{escape(str(one))}</td>" for one in rest)] for first, *rest in rows]
    return scores(escape(heads[0]), heads[1:], cells)


def shade(value: float, below: str = "") -> str:
    """A cell of a score from 0 (red) to 1 (green)."""
    return f'<td style="background:hsl({120 * value:.0f},60%,78%)">{value:.3f}{below}</td>'


def picture(encoded: bytes, alt: str = "samples") -> str:
    """A PNG within the page."""
    return f'<img alt="{escape(alt)}" src="data:image/png;base64,{base64.b64encode(encoded).decode()}">'


def captioned(encoded: bytes, caption: str) -> str:
    """A PNG with its caption, plain text."""
    return f"<figure>{picture(encoded)}<figcaption>{escape(caption)}</figcaption></figure>"


def notes(texts: Sequence[str]) -> str:
    """Plain texts as a list; empty where there are none."""
    return f"<ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>" if texts else ""


def comma_separated(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows of the same keys as CSV with a head."""
    written = io.StringIO()
    writer = csv.DictWriter(written, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()


def write_together(folder: Path, texts: Mapping[str, str]) -> None:
    """Write texts by file name into a folder: all are whole before any gets its name.

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
