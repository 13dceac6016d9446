"""The page of a land cover difference."""

from backend.reports.landcover_difference import page
from tests.backend.metrics.test_difference import changed_map


def test_the_page():
    text = page(changed_map())
    assert "real &lt;1&gt;.tif" in text and "70.0% of 100.0 ha" in text and "none" in text
    assert "#5ab45a" not in text and 'background-color:#ffffff">' in text
