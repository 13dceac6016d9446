"""The lists of marked tests in conftest.py name tests that there are."""

from tests.conftest import CLUSTER, FOLDER, SLOW


def test_the_lists_of_marked_tests_name_tests_that_exist():
    names = [(CLUSTER, "test_"), *((file, name) for file, names in SLOW.items() for name in names or ("test_",))]
    missing = [
        f"{file}: {name}"
        for file, name in names
        if not (FOLDER / file).is_file() or f"def {name}" not in (FOLDER / file).read_text(encoding="utf-8")
    ]
    assert not missing, "\n".join(missing)
