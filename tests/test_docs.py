"""The documentation: its links and what it names exist, it lists every algorithm, and the README stays short."""

import re
from pathlib import Path

import pytest

from docs import imports

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
CARDS = sorted((ROOT / "backend" / "bundled").glob("*/README.md"))
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.rglob("*.md"))]
FOLDERS = (
    "backend",
    "bench",
    "demo",
    "docs",
    "i18n",
    "icons",
    "plugin",
    "processing_provider",
    "study",
    "tests",
    "weights",
)
GROUPS = ("data", "generate", "train", "segment", "evaluate")


def text(path):
    return path.read_text(encoding="utf-8")


def code(path):
    """What stands in code font in a page's text."""
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text(path))


def test_the_readme_has_500_words_at_most():
    assert len(text(ROOT / "README.md").split()) <= 500


def test_every_link_leads_to_a_file():
    broken = []
    for page in [*PAGES, *CARDS]:
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text(page)):
            if "://" not in target and not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)}: {target}")
    assert not broken


def test_every_path_that_is_named_exists():
    missing = []
    for page in PAGES:
        for name in code(page):
            if re.fullmatch(rf"(?:{'|'.join(FOLDERS)})/[\w./-]*", name) and not (ROOT / name).exists():
                missing.append(f"{page.relative_to(ROOT)}: {name}")
    assert not missing


def test_every_class_that_is_named_exists():
    classes = {
        name
        for folder in ("backend", "plugin", "processing_provider")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"^class (\w+)", text(path), re.MULTILINE)
    }
    named = {name: page for page in DOCS.glob("dev/**/*.md") for name in code(page)}
    camel = {name for name in named if re.fullmatch(r"(?:[A-Z][a-z]+){2,}", name)}
    assert camel and not camel - classes


def test_every_make_target_that_is_named_exists():
    lines = re.findall(r"^([a-z][a-z -]*):", text(ROOT / "Makefile"), re.MULTILINE)
    targets = {name for line in lines for name in line.split()}
    named = {name for page in PAGES for name in re.findall(r"\bmake ([a-z]+(?:-[a-z]+)?)\b(?=[`\s])", blocks(page))}
    assert {"demo", "test", "docs", "check"} <= named <= targets


def blocks(page):
    """A page's code: what stands in code font, and its indented blocks."""
    return "\n".join([*(f"{name}`" for name in code(page)), *re.findall(r"^    .*$", text(page), re.MULTILINE)])


def test_the_table_lists_every_algorithm_in_its_group():
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \|", text(DOCS / "user" / "algorithms.md"), re.MULTILINE)
    folder = ROOT / "processing_provider"
    stems = {(group.capitalize(), path.stem) for group in GROUPS for path in (folder / group).glob("[!_]*.py")}
    models = {("Workflows", path.stem) for path in (folder / "models").glob("*.model3")}
    assert sorted(rows) == sorted(stems | models)


def test_every_page_is_in_the_navigation():
    named = set(re.findall(r"^ +- ([\w/]+\.md)$", text(ROOT / "mkdocs.yml"), re.MULTILINE))
    assert {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} == named - {
        "contributing.md",
        "changelog.md",
    }


def test_the_hooks_of_pre_commit_are_the_commands_of_make_check():
    entries = re.findall(r"^ *entry: (.*)$", text(ROOT / ".pre-commit-config.yaml"), re.MULTILINE)
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", text(ROOT / "Makefile"), re.MULTILINE)
    assert entries and recipe and entries == [line.strip() for line in recipe[1].splitlines()]


def test_the_architecture_page_has_the_rooms_of_the_import_test():
    rooms = re.findall(r"^\| `(backend/\w+)/` \|", text(DOCS / "dev" / "architecture.md"), re.MULTILINE)
    assert rooms == imports.rooms(ROOT)[len(imports.TOP) + 1 :]


def test_the_drawing_of_the_imports_has_none_that_runs_back_up():
    drawing = imports.drawing(ROOT)
    assert "backend/protocol" in drawing and imports.UPWARD not in drawing


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_a_model_card_says_what_the_model_is_for_and_whom_to_credit(card):
    assert re.search(r"not for|Not intended", text(card)) and re.search(r"CC BY|public domain", text(card))
