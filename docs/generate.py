"""Write a documentation page for each algorithm, from its own help: `make docs`, in QGIS's Python.

The pages go into the folder that is given and are never committed, so that they cannot differ from the algorithms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests import qgis_environment


def cell(text: object) -> str:
    """A text as the content of a cell of a Markdown table."""
    return str(text).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def values(parameter: Any) -> str:
    """The type of a parameter, its choices or bounds, and its default."""
    from qgis.core import QgsApplication, QgsProcessingParameterEnum, QgsProcessingParameterNumber

    parts = [QgsApplication.processingRegistry().parameterType(parameter.type()).name()]
    if isinstance(parameter, QgsProcessingParameterEnum):
        parts.append("one of " + ", ".join(f"`{option}`" for option in parameter.options()))
    if isinstance(parameter, QgsProcessingParameterNumber):
        low, high = parameter.minimum(), parameter.maximum()
        parts.append(f"at least {low:g}" if high > 1e300 or high == 2**31 - 1 else f"{low:g} to {high:g}")
    if parameter.defaultValue() not in (None, ""):
        parts.append(f"default `{parameter.defaultValue()}`")
    elif parameter.flags() & parameter.Flag.FlagOptional:
        parts.append("optional")
    return "; ".join(parts)


def page(algorithm: Any) -> Iterator[str]:
    """The lines of an algorithm's page."""
    from qgis.core import QgsProcessingModelAlgorithm

    is_model = isinstance(algorithm, QgsProcessingModelAlgorithm)
    yield f"# {algorithm.displayName()}\n"
    yield f"`{algorithm.id()}`, in the group *{algorithm.group()}*. [Command](../commands.md#{algorithm.name()}).\n"
    yield f"{algorithm.helpContent()['ALG_DESC'] if is_model else algorithm.shortHelpString()}\n"
    yield "## Parameters\n\n| key | parameter | values | explanation |\n|---|---|---|---|"
    for parameter in algorithm.parameterDefinitions():
        advanced = " (advanced)" if parameter.flags() & parameter.Flag.FlagAdvanced else ""
        columns = (parameter.description() + advanced, values(parameter), parameter.help())
        yield f"| `{parameter.name()}` | {' | '.join(map(cell, columns))} |"
    yield "\n## Outputs\n\n| key | output | type |\n|---|---|---|"
    for output in algorithm.outputDefinitions():
        kind = output.typeName().removeprefix("output").lower()
        yield f"| `{output.name()}` | {cell(output.description())} | {kind} |"


def main(folder: Path) -> None:
    """Write the page of every algorithm and ready model of the provider."""
    qgis_environment.start()
    from qgis.core import QgsApplication

    folder.mkdir(parents=True, exist_ok=True)
    algorithms = QgsApplication.processingRegistry().providerById("landforge").algorithms()
    for algorithm in algorithms:
        text = "\n".join(page(algorithm)) + "\n"
        (folder / f"{algorithm.name()}.md").write_text(text, encoding="utf-8")
    print(f"{len(algorithms)} pages of algorithms in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
