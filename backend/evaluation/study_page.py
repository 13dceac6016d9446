"""The parts of a study's page: one HTML file with nothing outside it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

import numpy as np

from backend import classes
from backend.evaluation.cross_test import LEVEL, RESAMPLES, Cell

HOW = (
    f"Mean IoU over the classes that the labels of the test tiles show; in brackets, and as bars in the chart, where "
    f"{LEVEL:.0%} of {RESAMPLES:,} resamplings of whole test tiles lie (bootstrap, Efron 1979). Differences are "
    "resampled in pairs: both models on the same tiles. A class that few tiles show is missing from some resamplings, "
    "which then average fewer classes and make an interval lopsided. Intervals say nothing of the labels' own errors, "
    "of other ground, nor of chance in the training, which only repetitions with other seeds show."
)
_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:1060px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse;margin:1em 0}td,th{border:1px solid #ccc;padding:.3em .7em;text-align:right}"
    "td,th{white-space:nowrap}table{font-size:14px}img{max-width:100%}"
    "td:first-child,th:first-child{text-align:left}caption{text-align:left;color:#555}"
    "figure{margin:1em 0}figcaption{text-align:center}svg{max-width:100%;height:auto}.big{font-size:17px}"
)


def page(title: str, *parts: str) -> str:
    """The whole page, of parts that are HTML."""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{''.join(parts)}</body></html>\n"
    )


def heading(said: str) -> str:
    """A heading of a part."""
    return f"<h2>{escape(said)}</h2>"


def text(said: str, kind: str = "") -> str:
    """A paragraph."""
    return f'<p class="{kind}">{escape(said)}</p>' if kind else f"<p>{escape(said)}</p>"


def listed(lines: Sequence[str]) -> str:
    """A list."""
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"


def table(heads: Sequence[str], rows: Sequence[Sequence[object]], caption: str = "") -> str:
    """A table of texts."""
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(one))}</td>' for one in row)}</tr>" for row in rows)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{body}</table>"


def picture(encoded: bytes, caption: str) -> str:
    """A PNG with its caption."""
    data = base64.b64encode(encoded).decode()
    return f'<figure><img alt="" src="data:image/png;base64,{data}"><figcaption>{escape(caption)}</figcaption></figure>'


def by_class(rows: Sequence[tuple[str, Cell]]) -> str:
    """The IoU of each class that any row's labels show."""
    shown = [index for index in range(classes.COUNT) if any(each.scores.present[index] for _, each in rows)]
    cells = [
        [name, *("none" if np.isnan(each.scores.iou[i]) else f"{each.scores.iou[i]:.3f}" for i in shown)]
        for name, each in rows
    ]
    return table(["IoU", *(classes.NAMES[index] for index in shown)], cells)


def bracketed(low: float, high: float, sign: str = "") -> str:
    """An interval; `sign` '+' for one of differences."""
    return f"({low:{sign}.3f} to {high:{sign}.3f})"
