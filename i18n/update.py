"""Update the .ts files with the current texts, keeping their translations, and compile them: `make translations`.

New texts are marked as unfinished: translate them in Qt Linguist or in any editor.
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


def read(path: Path) -> dict[str, str]:
    """The translations in a .ts file by their source texts; empty where unfinished."""
    messages = ET.parse(path).iter("message") if path.is_file() else ()  # noqa: S314 (our own file)
    return {message.findtext("source", ""): message.findtext("translation", "") for message in messages}


def write(path: Path, language: str, texts: list[str], known: dict[str, str]) -> int:
    """Write all texts with their known translations to a .ts file; returns the number of untranslated texts."""
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
    """Update and compile all .ts files of the folder."""
    qgis_environment.start()
    from i18n import texts

    compiler = shutil.which("lrelease")
    if compiler is None:
        raise SystemExit("lrelease is missing: install qttools5-dev-tools (or your system's Qt Linguist tools).")
    sources = texts.sources()
    for path in sorted(FOLDER.glob("*.ts")):
        untranslated = write(path, path.stem.partition("_")[2], sources, read(path))
        subprocess.run([compiler, "-silent", str(path), "-qm", str(path.with_suffix(".qm"))], check=True)
        print(f"{path.name}: {len(sources)} texts, {untranslated} without a translation")


if __name__ == "__main__":
    main()
