"""Short names that tell models and data sets apart."""

from backend.metrics.names import unique_names


def test_the_parent_folder_stands_before_names_that_agree():
    assert unique_names(["/a/model", "/b/model", "/c/other"]) == ["a/model", "b/model", "other"]
    assert unique_names(["/a/one.tif", "/b/two.tif"], ["same", "same"]) == ["a/same", "b/same"]
