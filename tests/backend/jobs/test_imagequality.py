"""Image quality, from data sets to the report; the bundled encoder for real, no Inception unless a test puts one."""

import csv
import json

import numpy as np
import pytest
import torch

from backend import protocol
from backend.jobs import builddataset, imagequality
from backend.metrics import bootstrap, comparison, features, sanity_check
from backend.protocol import BackendError, ImageQuality, silent
from backend.reports import cross_test
from tests.backend.html_tags import HtmlTags
from tests.backend.labelled_images import image_and_label
from tests.backend.metrics.test_bootstrap import matrices
from tests.backend.rasters import write_raster

FILES = {f"imagequality.{kind}" for kind in ("html", "csv", "json")}


def write_set(folder, image, label, **place):
    paths = write_raster(folder / "image.tif", image, **place), folder / "label.tif"
    write_raster(paths[1], label, nodata=0, **place)
    output = str(folder / "dataset")
    builddataset.run(protocol.BuildDataset((str(paths[1]),), output, (str(paths[0]),), tile_px=64), silent())
    return output


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """A real set, one painted on its labels in other colours and some metres off, and one of other labels."""
    folder = tmp_path_factory.mktemp("sets")
    image, label = image_and_label(320, 320)
    rng = np.random.default_rng(3)
    painted = (255 - image // 2 + rng.integers(0, 9, image.shape)).clip(1, 255).astype(np.uint8)
    other_image, other_label = image_and_label(320, 320, seed=9)
    return {
        "real": write_set(folder / "real", image, label),
        "painted": write_set(folder / "painted", painted, label, left=500_002.0),
        "other": write_set(folder / "other", other_image, other_label),
    }


@pytest.fixture(autouse=True)
def no_inception(monkeypatch):
    monkeypatch.setattr(features.importlib.util, "find_spec", lambda name: None)


def run(sets, synthetic, output, reporter=None, **given):
    job = ImageQuality((sets["real"],), tuple(sets[name] for name in synthetic), str(output), crop_px=64, **given)
    assert imagequality.run(job, reporter or silent()) == {"output": str(output)}
    return json.loads((output / "imagequality.json").read_text())


def counted(reporter):
    """Whether there were as many looks as were announced."""
    done, _, total = [event.message for event in reporter.events("progress") if "looks" in event.message][-1].split()[
        :3
    ]
    return done == total


def test_the_report(sets, tmp_path, reporter):
    report = run(sets, ("painted", "other"), tmp_path / "out", reporter)
    assert counted(reporter)
    assert {path.name for path in (tmp_path / "out").iterdir()} == FILES
    findings = {(one["synthetic"], one["metric"]): one for one in report["findings"]}
    painted, other = ({metric for name, metric in findings if name.startswith(own)} for own in ("painted", "other"))
    assert {"FID", "KID", "IS", "LPIPS formula", "SSIM"} == painted and other == {"FID", "KID", "IS"}
    assert findings["painted/dataset", "KID"]["distance"] > 3 * findings["other/dataset", "KID"]["distance"]
    assert findings["painted/dataset", "SSIM"]["largest_change"] in ("rotated", "mirrored")
    assert findings["painted/dataset", "SSIM"]["distance"] == pytest.approx(
        1 - findings["painted/dataset", "SSIM"]["value"], abs=1e-4
    )
    assert any("have other labels" in note for note in report["notes"])
    assert any("cannot be compared with published values" in note for note in report["notes"])
    assert any("FID of" in note and "biased" in note for note in report["notes"])
    assert {one["grade"] for one in report["findings"]} == {"care"}, "25 tiles are too few to tell"
    assert all("25 tiles, but at least" in one["verdict"] for one in report["findings"])
    rows = list(csv.DictReader((tmp_path / "out" / "imagequality.csv").read_text().splitlines()))
    assert [(row["synthetic"], row["metric"]) for row in rows] == list(findings)
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] > 0.9
    assert any("minutes" in event.message for event in reporter.events("log"))


def test_enough_tiles_tell(sets, tmp_path, monkeypatch):
    """Other colours are told from real ones, other ground of the same kind is not, by any metric."""
    monkeypatch.setattr(sanity_check, "MINIMUM_TILES", dict.fromkeys(sanity_check.MINIMUM_TILES, 16))
    report = run(sets, ("painted", "other"), tmp_path / "out")
    grades = {(one["synthetic"], one["metric"]): one["grade"] for one in report["findings"]}
    print(grades)
    assert grades["painted/dataset", "KID"] == "good"
    assert all(grades["other/dataset", metric] != "good" for metric in ("FID", "KID", "IS"))


def test_the_page_puts_what_counts_first(sets, tmp_path):
    run(sets, ("painted",), tmp_path / "without", count=16)
    cells = [bootstrap.evaluate("trained on <made>", "real", matrices([60] * 4, [40] * 4))]
    cross_test.write_table(tmp_path / "tested", cells)
    report = run(sets, ("painted",), tmp_path / "with", count=16, crosstest=str(tmp_path / "tested"))
    assert report["downstream"][0]["miou"] == pytest.approx(cells[0].scores.miou, abs=1e-4)
    without, with_table = ((tmp_path / name / "imagequality.html").read_text() for name in ("without", "with"))
    for text in (without, with_table):
        page = HtmlTags()
        page.feed(text)
        assert not page.open and "http" not in text and page.count["img"] == 1
    assert without.index("No cross-test was given") < without.index("FID")
    assert with_table.index("trained on &lt;made&gt;") < with_table.index("FID") and "No cross-test" not in with_table


def test_two_seeds_tell_of_variety(sets, tmp_path, reporter):
    twice = {**sets, "again": sets["painted"]}
    report = run({**twice, "real": sets["other"]}, ("painted", "again"), tmp_path / "same", reporter, count=16)
    findings = [one for one in report["findings"] if one["metric"].startswith("variety")]
    assert len(findings) == 1 and findings[0]["value"] == pytest.approx(0, abs=1e-5) and not findings[0]["trusted"]
    assert counted(reporter)


def test_inception_is_used_where_it_is(sets, tmp_path, monkeypatch):
    def mean(images):
        return torch.cat([images.float().mean((2, 3)), images.float().std((2, 3))], 1)

    monkeypatch.setattr(comparison, "inception", lambda: (mean, ""))
    report = run(sets, ("painted",), tmp_path, count=16)
    findings = [(one["metric"], one["features"]) for one in report["findings"]]
    assert findings[:2] == [("FID", "Inception"), ("KID", "Inception")]
    assert not any("were not available" in note for note in report["notes"])


def test_the_seed_decides(sets, tmp_path):
    one, same, other = (
        run(sets, ("painted",), tmp_path / str(n), seed=seed, count=16) for n, seed in enumerate((1, 1, 2))
    )
    assert one == same and one["findings"] != other["findings"] and one["settings"]["crops of each"] == 16


def test_bad_input_is_said(sets, tmp_path):
    def refused(words, **changes):
        fields = {
            "real": (sets["real"],),
            "synthetic": (sets["painted"],),
            "output": str(tmp_path / "out"),
            "crop_px": 64,
        }
        with pytest.raises(BackendError, match=words):
            imagequality.run(ImageQuality(**{**fields, **changes}), silent())
        assert not (tmp_path / "out").exists()

    image, _ = image_and_label(320, 320)
    coarse = str(write_raster(tmp_path / "coarse.tif", image, pixel=2.0))
    black = str(write_raster(tmp_path / "black.tif", image * 0))
    (tmp_path / "file").write_text("")
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "crosstest.json").write_text('[{"model": "m"}]')
    refused("real set and at least one synthetic", synthetic=())
    refused("multiple of 32", crop_px=40)
    refused("At least 16 crops", count=4)
    refused("as real and as synthetic", synthetic=(sets["real"],))
    refused(r"pixels of 1 m, coarse of 2 m", synthetic=(coarse,))
    refused("smaller than the crops of 128", crop_px=128)
    refused("black has 0 crops", synthetic=(black,))
    refused("holds no 'test' tile|crops of 64 pixels that hold data", split="test")
    refused("no folder of a cross-test", crosstest=str(tmp_path))
    refused("no folder of a cross-test", crosstest=str(tmp_path / "wrong"))
    refused("or choose another output", output=str(tmp_path / "file" / "out"))
