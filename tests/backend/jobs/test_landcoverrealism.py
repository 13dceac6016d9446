"""Land cover realism, from rasters and data sets to the report."""

import csv
import json

import numpy as np
import pytest

from backend import protocol
from backend.jobs import builddataset, landcoverrealism
from backend.metrics import realism
from backend.protocol import BackendError, LandCoverRealism, silent
from tests.backend.html_tags import HtmlTags
from tests.backend.rasters import write_raster


def fields(side_px, seed, size=640, classes=(10, 30, 40, 50)):
    """(1, size, size) codes in square fields."""
    rng = np.random.default_rng(seed)
    return np.kron(rng.choice(classes, (size // side_px,) * 2), np.ones((side_px, side_px), int))[None].astype(np.uint8)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    """Real fields, more of the kind, fields half as wide, and a copy of the real ones, turned and beside its place."""
    folder = tmp_path_factory.mktemp("maps")
    real = fields(16, 1)
    arrays = {"real": real, "alike": fields(16, 2), "finer": fields(8, 3), "copy": np.rot90(real[:, :, 8:], 1, (1, 2))}
    arrays["copy"] = np.ascontiguousarray(arrays["copy"])
    arrays["planted"] = arrays["alike"].copy()
    for number, (row, col) in enumerate([(3, 37), (101, 250), (307, 411), (575, 0)]):
        patch = np.rot90(real[0, row : row + 64, col : col + 64], number)[:, :: (-1) ** number].copy()
        changed = np.random.default_rng(number).random(patch.shape) < 0.05
        patch[changed] = 60
        arrays["planted"][0, :64, 64 * number : 64 * number + 64] = patch
    return {name: str(write_raster(folder / f"{name}.tif", one, pixel=10.0)) for name, one in arrays.items()}


def run(real, synthetic, output, reporter=None, **settings):
    job = LandCoverRealism(str(output), (real,), (synthetic,), window_m=640, **settings)
    assert landcoverrealism.run(job, reporter or silent()) == {"output": str(output)}
    report = json.loads((output / "landcoverrealism.json").read_text())
    return report, {one["figure"]: one for one in report["figures"]}


def test_alike_and_finer(maps, tmp_path, reporter, monkeypatch):
    report, alike = run(maps["real"], maps["alike"], tmp_path / "alike", reporter)
    monkeypatch.setattr(realism, "MAX_SEARCHED_PX", 100_000)  # of the finer map the figures alone are asserted
    _, finer = run(maps["real"], maps["finer"], tmp_path / "finer")
    assert alike["Edge density"]["ratio"] == pytest.approx(1, abs=0.06) and finer["Edge density"]["ratio"] > 1.8
    assert alike["Patch density"]["ratio_low"] < alike["Patch density"]["ratio"] < alike["Patch density"]["ratio_high"]
    assert finer["Mean patch size"]["ratio"] < 0.5 and "times" in finer["Edge density"]["verdict"]
    assert sum(finer[name]["synthetic"] for name in finer if name[0].isdigit()) == pytest.approx(100, abs=0.01)
    assert (
        report["copies"]["verdict"].startswith("No copies in all of the real ground: 0.0% of 100 synthetic windows")
        and report["settings"]["windows"] == "100 real, 100 synthetic"
    )
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and len(fractions) > 100


def test_a_copy_is_found(maps, tmp_path):
    report, _ = run(maps["real"], maps["copy"], tmp_path)
    assert report["copies"]["verdict"].startswith("Near copies") and report["copies"]["synthetic"]["near"] > 0.05
    assert report["copies"]["real"]["near"] == 0


def test_planted_windows_are_found_at_any_shift_in_maps_and_across_tiles(maps, tmp_path):
    """Four of a hundred windows, shifted, turned and with changes, of which the verdict alone would not speak."""
    built = str(tmp_path / "built")
    builddataset.run(protocol.BuildDataset((maps["real"],), built, tile_px=64), silent())
    for name, given in (("map", {"real": (maps["real"],)}), ("tiles", {"real_dataset": (built,)})):
        job = LandCoverRealism(str(tmp_path / name), synthetic=(maps["planted"],), window_m=640, **given)
        landcoverrealism.run(job, silent())
        copies = json.loads((tmp_path / name / "landcoverrealism.json").read_text())["copies"]
        assert (
            copies["synthetic"]["near"] == 0.04 and copies["real"]["near"] == 0 and copies["share_of_the_ground"] == 1
        )


def test_of_a_large_ground_a_share_is_searched(maps, tmp_path, monkeypatch):
    monkeypatch.setattr(realism, "MAX_SEARCHED_PX", 100_000)
    copies = run(maps["real"], maps["alike"], tmp_path)[0]["copies"]
    assert 0 < copies["share_of_the_ground"] < 1 and "% of the real ground: 0.0%" in copies["verdict"]


def test_the_files(maps, tmp_path):
    run(maps["real"], maps["alike"], tmp_path / "out", count=20)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"landcoverrealism.{kind}" for kind in ("html", "csv", "json")
    }
    text = (tmp_path / "out" / "landcoverrealism.html").read_text()
    page = HtmlTags()
    page.feed(text)
    assert not page.open and "http" not in text and "#F096FF" in text and "Cropland" in text
    rows = list(csv.DictReader((tmp_path / "out" / "landcoverrealism.csv").read_text().splitlines()))
    assert rows[0]["figure"] == "Patch density" and float(rows[0]["real_q50"]) > 0


def test_data_sets_of_labels_and_partly_nodata(maps, tmp_path):
    built = str(tmp_path / "built")
    builddataset.run(protocol.BuildDataset((maps["real"],), built, tile_px=64), silent())
    holes = fields(16, 4)
    holes[:, :320] = 0
    partly = str(write_raster(tmp_path / "holes.tif", holes, pixel=10.0))
    job = LandCoverRealism(str(tmp_path / "out"), (), (partly,), (built,), window_m=640)
    landcoverrealism.run(job, silent())
    report = json.loads((tmp_path / "out" / "landcoverrealism.json").read_text())
    assert report["settings"]["windows"].endswith(" real, 50 synthetic")


def test_bad_input_is_said(maps, tmp_path):
    def refused(words, **changes):
        settings = {
            "real": (maps["real"],),
            "synthetic": (maps["alike"],),
            "output": str(tmp_path / "out"),
            "window_m": 640.0,
        }
        with pytest.raises(BackendError, match=words):
            landcoverrealism.run(LandCoverRealism(**{**settings, **changes}), silent())
        assert not (tmp_path / "out").exists()

    def written(name, data, **options):
        return str(write_raster(tmp_path / name, data, **options))

    (tmp_path / "file").write_text("")
    refused("Real and synthetic land cover are needed", synthetic=())
    refused("as real and as synthetic", synthetic=(maps["real"],))
    refused("At least 8 windows", count=2)
    refused("pixels of 10 m.*of 20 m", synthetic=(written("coarse.tif", fields(16, 1), pixel=20.0),))
    refused("10 pixels of 10 m, but a landscape needs at least 16", window_m=100.0)
    refused("largest window that fits is 6400 m", window_m=7000.0)
    refused("synthetic land cover holds no window", synthetic=(written("none.tif", fields(16, 1) * 0, pixel=10.0),))
    refused("at least 8 are needed", window_m=3200.0)
    refused(
        "grid of square pixels in metres",
        real=(written("deg.tif", fields(16, 1), left=0, top=1, pixel=1e-4, crs="EPSG:4326"),),
    )
    refused("does not have: 1", real=(written("rgb.tif", np.ones((3, 640, 640), np.uint8), pixel=10.0),))
    refused("does not exist", real=(str(tmp_path / "nowhere.tif"),))
    refused("is not a data set", real_dataset=(str(tmp_path),))
    built = tmp_path / "built"
    builddataset.run(protocol.BuildDataset((maps["real"],), str(built), tile_px=64), silent())
    index, listed = ((built / name).read_text() for name in ("dataset.json", "manifest.csv"))
    (built / "dataset.json").write_text(json.dumps({**json.loads(index), "legend": {"10": "Wheat"}}))
    refused("its 10 is 'Wheat'", real=(), real_dataset=(str(built),))
    (built / "dataset.json").write_text(index)
    refused("largest window that fits is 640 m", real=(), real_dataset=(str(built),), window_m=1280.0)
    (built / "manifest.csv").write_text(listed.splitlines()[0])
    refused("holds no tiles", real=(), real_dataset=(str(built),))
    refused("or choose another output", output=str(tmp_path / "file" / "out"))
