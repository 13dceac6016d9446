"""What MkDocs needs beside the pages in this folder: pages made from the code, and files of the repository as pages."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GENERATED = ROOT / "build" / "docs" / "algorithms"
sys.path.insert(0, str(HERE))

import imports  # noqa: E402

CARDS = {path.parent.name: path for path in sorted((ROOT / "backend" / "bundled").glob("*/README.md"))}
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"} | {
    path.relative_to(ROOT).as_posix(): f"models/{name}.md" for name, path in CARDS.items()
}
"""Files of the repository outside this folder, and the pages that they become."""
FILES = {"demo/overview.png": "demo/overview.png", "icons/landforge.svg": "images/landforge.svg"}
DRAWING = "images/imports.svg"
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")
TABLE_NAME = re.compile(r"^(\|[^|]*\| )(`([a-z]+)`)( \|)", re.MULTILINE)
EXTERNAL = re.compile(r"<(?:script|img|link|iframe)\b[^>]*\b(?:src|href)=\"https?://[^\"]*", re.IGNORECASE)


def on_config(config: Any) -> Any:
    """Put a page for each algorithm and each model card into the navigation."""
    names = re.findall(TABLE_NAME, (HERE / "user" / "algorithms.md").read_text(encoding="utf-8"))
    _entry(config.nav, "Algorithms").extend(f"user/algorithms/{name}.md" for _, _, name, _ in names)
    _entry(config.nav, "Model cards").extend(f"models/{name}.md" for name in CARDS)
    return config


def _entry(nav: Any, title: str) -> Any:
    """The list of a section of the navigation, at whatever depth; None where there is no such section."""
    for name, content in (pair for item in nav if isinstance(item, dict) for pair in item.items()):
        if name == title:
            return content
        if isinstance(content, list) and (inner := _entry(content, title)) is not None:
            return inner
    return None


def on_files(files: Files, config: Any) -> Files:
    """Add the pages made from the code, and the files of the repository that are pages."""
    for path in GENERATED.glob("*.md"):
        files.append(File.generated(config, f"user/algorithms/{path.name}", abs_src_path=str(path)))
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text(encoding="utf-8")))
    for source, target in FILES.items():
        files.append(File.generated(config, target, abs_src_path=str(ROOT / source)))
    files.append(File.generated(config, DRAWING, content=imports.drawing(ROOT)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Lead links between files of the repository to the pages that they are here."""
    place = page.file.src_uri
    source = next((name for name, target in PAGES.items() if target == place), f"docs/{place}")

    def rewritten(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        target = PAGES.get(path, path.removeprefix("docs/"))
        return match[1] + posixpath.relpath(target, posixpath.dirname(place) or ".") + match[3]

    if place == "user/algorithms.md":
        markdown = TABLE_NAME.sub(r"\1[\2](algorithms/\3.md)\4", markdown)
    if place == "dev/architecture.md":
        caption = "A row imports the columns that have a number, which counts the imported names."
        markdown = markdown.replace("<!-- imports: drawing -->", f"![Imports between rooms](../{DRAWING})\n\n{caption}")
    return LINK.sub(rewritten, markdown)


def on_post_build(config: Any) -> None:
    """Fail where a page would load anything from another server."""
    for path in Path(config.site_dir).rglob("*.html"):
        if match := EXTERNAL.search(path.read_text(encoding="utf-8")):
            raise PluginError(f"{path} loads something from another server: {match[0]}")
