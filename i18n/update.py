"""Bring the translations up to date with the texts, keep what is translated, and compile it: `make translations`.

Qt's linguist, or any editor, fills in what is marked as unfinished.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER.parent))

from tests import qgis_environment  # noqa: E402


def translated(path: Path) -> dict[str, str]:
    """Text to its translation, of a .ts file; empty where it is unfinished."""
    messages = ET.parse(path).iter("message") if path.is_file() else ()  # noqa: S314 (our own file)
    return {message.findtext("source", ""): message.findtext("translation", "") for message in messages}


def write(path: Path, language: str, texts: list[str], known: dict[str, str]) -> int:
    """Write the .ts file of all texts; how many are without a translation."""
    root = ET.Element("TS", version="2.1", language=language, sourcelanguage="en")
    context = ET.SubElement(root, "context")
    ET.SubElement(context, "name").text = "Landforge"
    for text in texts:
        message = ET.SubElement(context, "message")
        ET.SubElement(message, "source").text = text
        translation = ET.SubElement(message, "translation", {} if known.get(text) else {"type": "unfinished"})
        translation.text = known.get(text, "")
    ET.indent(root)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE TS>\n'
    path.write_text(head + ET.tostring(root, encoding="unicode") + "\n", encoding="utf-8")
    return sum(not known.get(text) for text in texts)


def main() -> None:
    """Update and compile every .ts file of the folder."""
    qgis_environment.start()
    from i18n import texts

    compiler = shutil.which("lrelease")
    if compiler is None:
        raise SystemExit("lrelease is missing: install qttools5-dev-tools (or your system's Qt Linguist tools).")
    found = texts.sources()
    for path in sorted(FOLDER.glob("*.ts")):
        open_ones = write(path, path.stem.partition("_")[2], found, translated(path))
        subprocess.run([compiler, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)
        print(f"{path.name}: {len(found)} texts, {open_ones} without a translation")


if __name__ == "__main__":
    main()
