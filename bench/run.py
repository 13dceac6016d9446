"""Measure speed, memory and overlap against references of the same run; print a table and write it as JSON.

Run by `make bench`, in the backend's Python. Each part runs in a process of its own, so that caches and memory
of one part do not count in another.
"""

from __future__ import annotations

import argparse
import importlib
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.figures import HEADER, Figure, Size

PARTS = {
    "overhead": "inside",
    "overlap": "inside",
    "denoiser": "inside",
    "seams": "inside",
    "clip": "inside",
    "memory": "outside",
    "segmentation": "outside",
    "unbounded": "outside",
    "start": "outside",
}
"""The parts, in the order in which they run, and the module of each."""


def apart(module: str, name: str, *args: Any) -> Any:
    """Call a function of the benchmark in a process of its own; its figures are printed as they come."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_call, module, name, *args).result()


def _call(module: str, name: str, *args: Any) -> Any:
    result = getattr(importlib.import_module(f"bench.{module}"), name)(*args)
    return list(map(_print, result)) if isinstance(result, Iterator) else result


def _print(figure: Figure) -> Figure:
    print(figure.row(), flush=True)
    return figure


def main() -> int:
    """The command line; returns 1 where a part failed, whether or not the figures meet their targets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", nargs="?", default="build/bench.json", help="where the figures go, as JSON")
    parser.add_argument("--only", default=",".join(PARTS), help=f"parts, with commas between: {', '.join(PARTS)}")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", dest="size", action="store_const", const="quick", help="small areas, as a try")
    sizes.add_argument("--long", dest="size", action="store_const", const="long", help="also what takes long")
    args = parser.parse_args()
    parts = args.only.split(",")
    if set(parts) - set(PARTS):
        parser.error(f"there is no part {', '.join(sorted(set(parts) - set(PARTS)))}")
    return measure(parts, args.size or "full", Path(args.output))


def measure(parts: list[str], size: Size, output: Path) -> int:
    """Run the parts; the file is rewritten after each of them, so that a cancelled run leaves its figures."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the backend's own __main__ has it
    header = {"size": size, "begun": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "machine": apart("machine", "machine")}
    print(", ".join(f"{key} {value}" for key, value in header["machine"].items()), "", HEADER, sep="\n", flush=True)
    figures: list[Figure] = []
    failed: dict[str, str] = {}
    output.parent.mkdir(parents=True, exist_ok=True)
    for part in parts:
        try:
            figures += apart(PARTS[part], part, size)
        except Exception as error:  # the other parts still count
            failed[part] = f"{type(error).__name__}: {error}"
            print(f"{part} failed: {failed[part]}", flush=True)
        entries = [figure.entry() for figure in figures]
        output.write_text(json.dumps({**header, "figures": entries, "failed": failed}, indent=1) + "\n")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
