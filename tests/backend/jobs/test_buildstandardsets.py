"""The four standard sets: the tiles, places and splits of the real one, painted as the generating jobs paint."""

import csv
import dataclasses
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio

from backend import protocol
from backend.datasets import layout, reader, writer
from backend.generation import standard_sets, styles, tile_mosaic
from backend.generation.standard_sets import RealSet
from backend.geo import legend, provenance
from backend.geo.block_store import BlockStore
from backend.jobs import builddataset, buildstandardsets, generateimage
from backend.models.landcover import LandCoverGenerator
from backend.protocol import BackendError, BuildStandardSets, GenerateImage
from backend.tiling.lattice import Box
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render
from tests.backend.labelled_images import image_and_label, write_dataset
from tests.backend.packed_tiles import write_random_tiles
from tests.backend.rasters import write_raster
from tests.backend.reporters import RecordingReporter

LEFT, TOP = 376_000.0, 4_700_000.0
PLACE = dict(left=LEFT, top=TOP)
STYLE = "coastal, 2018"
LOOK = f"{STYLE}, lunar"
SETS = ("real", "controlnet", "spade", "synthetic")


class PowerCutError(Exception):
    """What interrupts a job."""


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A data set of four tiles of 80 px, a part of one unlabelled; the label raster that they were cut from."""
    folder = tmp_path_factory.mktemp("real")
    image, label = image_and_label(160, 160)
    label[:, :20, :30] = 0
    pair = write_raster(folder / "image.tif", image, **PLACE), folder / "label.tif"
    write_raster(pair[1], label, nodata=0, **PLACE)
    job = protocol.BuildDataset((str(pair[1]),), str(folder / "tiles"), (str(pair[0]),), tile_px=80, style=LOOK)
    builddataset.run(job, protocol.silent())
    return folder / "tiles", pair[1]


def job(real, output, **changes):
    return BuildStandardSets(str(real[0]), str(output), **{"seed": 5, "steps": 1, **changes})


@pytest.fixture(scope="module")
def built(real, tmp_path_factory):
    output, reporter = tmp_path_factory.mktemp("made") / "sets", RecordingReporter()
    assert buildstandardsets.run(job(real, output), reporter) == {"output": str(output)}
    return output, reporter


def rows(folder):
    return layout.read_manifest(folder)[1]


def read(path):
    with rasterio.open(path) as source:
        return source.read(), source.tags(), source.bounds


def files(folder):
    """What tells two data sets apart, but the time at which they were made."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.*") if path.suffix != ".json"}


def test_four_sets_of_the_same_tiles_places_and_splits(real, built):
    output, _ = built
    assert sorted(path.name for path in output.iterdir()) == sorted([*SETS, "standardsets.json"])
    assert [path.name for path in output.parent.iterdir()] == ["sets"]
    columns = ("name", "image", "label", "split", "crs", "xmin", "ymin", "xmax", "ymax")
    expected = [[row[key] for key in columns] for row in rows(real[0])]
    for name in SETS:
        opened, index = reader.open_tiles(output / name), json.loads((output / name / "dataset.json").read_text())
        assert [[row[key] for key in columns] for row in rows(output / name)] == expected
        assert opened.synthetic is (name != "real") and opened.pixel_m == 1 and len(opened.tiles) == 4
        assert index["counts"] == json.loads((real[0] / "dataset.json").read_text())["counts"]
        items = json.loads((output / name / "items.json").read_text())["features"]
        assert {item["properties"]["landforge:synthetic"] for item in items} == {name != "real"}
        for row in rows(output / name):
            bounds = [read(output / name / row[kind])[2] for kind in ("image", "label")]
            assert bounds[0] == bounds[1] == tuple(float(row[key]) for key in columns[-4:])
    assert files(output / "real") == files(real[0])


def test_labels_are_the_real_ones_but_for_the_synthetic_set(real, built):
    for row in rows(real[0]):
        by_set = {name: read(built[0] / name / row["label"])[0] for name in SETS}
        assert np.array_equal(by_set["controlnet"], by_set["real"]) and np.array_equal(by_set["spade"], by_set["real"])
        assert not np.array_equal(by_set["synthetic"], by_set["real"]) and (by_set["synthetic"] > 0).all()
    written = {row["name"]: row for row in rows(built[0] / "synthetic")}
    for row in rows(real[0]):
        codes = read(built[0] / "synthetic" / row["label"])[0]
        for code in legend.CODES:
            assert float(written[row["name"]][f"c{code}"]) == pytest.approx((codes == code).mean(), abs=1e-4)


@pytest.mark.parametrize("generator", ["controlnet", "spade"])
def test_a_set_is_what_generate_image_paints_on_the_whole_map(real, built, tmp_path, generator):
    painted = tmp_path / "image.tif"
    generateimage.run(GenerateImage(str(real[1]), str(painted), generator, 5, 1, style=STYLE), protocol.silent())
    with rasterio.open(painted) as image:
        for row in rows(real[0]):
            data, tags, bounds = read(built[0] / generator / row["image"])
            assert np.array_equal(data, image.read(window=image.window(*bounds)))
            assert tags["LANDFORGE_SYNTHETIC"] == "YES" and tags["LANDFORGE_SEED"] == "5"
            assert json.loads(tags["LANDFORGE_SETTINGS"])["style"] == ["2018", "coastal"] and row["style"] == LOOK
            assert tags["LANDFORGE_MODEL_SHA256"] == image.tags()["LANDFORGE_MODEL_SHA256"]


def land_cover(places):
    """(16, 16) class indices of the fixture's ground, from the generator itself."""
    generator = LandCoverGenerator("landcover")
    words = styles.choose_landcover_styles(generator, "coastal", 5)  # the climate of all tiles, or the nearest one
    field = generator.lazy_raster("EPSG:32618", 5, 1, anchors=places, styles=words)
    region = Box(round(-TOP / 10), round(LEFT / 10), 16, 16)
    out = np.zeros((16, 16), np.uint8)

    def write(box, pixels):
        shared = box.intersection(region)
        out[shared.slices_in(region)] = pixels[shared.slices_in(box)]

    render([Output(field, region, Everywhere(), 10.0, write)], "", protocol.silent())
    return out


def test_the_synthetic_set_is_the_worlds_land_cover_of_the_real_tiles_shares(real, built):
    index = json.loads((built[0] / "synthetic" / "dataset.json").read_text())
    [(world, [place])] = index["places_asked"].items()
    train = [row for row in rows(real[0]) if row["split"] == "train"]
    valid = sum(float(row["valid"]) for row in train)
    for code in legend.CODES:
        share = sum(float(row["valid"]) * float(row[f"c{code}"]) for row in train) / valid
        assert place["shares"].get(str(code), 0) == pytest.approx(100 * share, abs=0.02)
    middle = [np.mean([float(row[f"{axis}min"]) + 40 for row in train]) for axis in "xy"]
    assert world == "EPSG:32618" and place["at"] == pytest.approx(middle, abs=1)
    index, entries = writer.read(real[0])
    known = RealSet(real[0], index, entries, tile_mosaic.regions(entries, 1.0, 80)).share_anchors()
    assert {len(anchors) for anchors in known.values()} == {1}, "all tiles lie in one window"
    codes = legend.to_code(land_cover(known[world])).repeat(10, 0).repeat(10, 1)[None]
    for row in rows(real[0]):
        data, tags, bounds = read(built[0] / "synthetic" / row["label"])
        top, left = int(TOP - bounds.top), int(bounds.left - LEFT)
        assert np.array_equal(data, codes[:, top : top + 80, left : left + 80])
        assert tags["LANDFORGE_SYNTHETIC"] == "YES" and len(tags["LANDFORGE_MODEL_SHA256"]) == 64
        image, tags, _ = read(built[0] / "synthetic" / row["image"])
        settings = json.loads(tags["LANDFORGE_SETTINGS"])
        assert len(settings["landcover_places_sha256"]) == 64 and settings["landcover_style"] is not None
        with pytest.raises(BackendError, match="'Build standard sets' makes it again"):
            provenance.generation_record(tags, "a tile")
        assert image.std() > 0


def test_the_log_says_what_is_made_and_how_much(built):
    logs = [event.message for event in built[1].events("log")]
    assert any("class shares of the real tiles at each of 1 places" in one and "Built-up" in one for one in logs)
    for name in ("controlnet", "spade"):
        assert any(line.startswith(f"{name} knows no style lunar, which tiles have") for line in logs)
    assert "synthetic, region 1 of 1: 4 tiles, style 2018, coastal" in logs
    for name in SETS[1:]:
        assert any(re.match(rf"{name}: [\d,]+ windows\.", line) for line in logs)
    fractions = [event.fraction for event in built[1].events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1


def test_a_large_job_says_beforehand_how_long_it_takes(real, built, tmp_path, monkeypatch):
    monkeypatch.setattr("backend.generation.standard_sets.LARGE_WINDOWS", 10)
    reporter = RecordingReporter()
    buildstandardsets.run(job(real, tmp_path / "sets"), reporter)
    logs = [event.message for event in reporter.events("log")]
    assert any(re.match(r"controlnet: \d+ windows, about \d+ (s|min)\.", line) for line in logs)
    assert any(line.startswith("All together about") for line in logs)
    for name in SETS:
        assert files(tmp_path / "sets" / name) == files(built[0] / name), "the trial is a part of the job"


@pytest.mark.parametrize("after", [1, 2, 3])
def test_an_interrupted_run_goes_on_and_ends_the_same(real, built, tmp_path, after):
    marked, mark = [], BlockStore.mark

    def cut(self, block):
        if len(marked) == after:
            raise PowerCutError
        mark(self, block)
        marked.append(block)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(BlockStore, "mark", cut)
        buildstandardsets.run(job(real, tmp_path / "sets"), RecordingReporter())
    assert [path.name for path in tmp_path.iterdir()] == [".sets.unfinished"]
    reporter = RecordingReporter()
    buildstandardsets.run(job(real, tmp_path / "sets"), reporter)
    assert any("going on from what it left" in event.message for event in reporter.events("log"))
    first = next(event.message for event in reporter.events("log") if " windows" in event.message)
    assert first.startswith({1: "spade", 2: "synthetic", 3: "synthetic"}[after]) or first.startswith("controlnet: 0 w")
    for name in SETS:
        assert files(tmp_path / "sets" / name) == files(built[0] / name)
    assert [path.name for path in tmp_path.iterdir()] == ["sets"]


def test_other_settings_start_afresh(real, built, tmp_path, monkeypatch):
    work = tmp_path / ".sets.unfinished"
    shutil.copytree(built[0], work)
    reporter = RecordingReporter()
    buildstandardsets.run(job(real, tmp_path / "sets"), reporter)
    assert not any("windows" in event.message for event in reporter.events("log")), "all was there"
    shutil.move(tmp_path / "sets", work)
    buildstandardsets.run(job(real, tmp_path / "sets", seed=6), RecordingReporter())
    row = rows(real[0])[0]
    assert read(tmp_path / "sets" / "spade" / row["image"])[1]["LANDFORGE_SEED"] == "6"
    assert not np.array_equal(
        read(tmp_path / "sets" / "spade" / row["image"])[0], read(built[0] / "spade" / row["image"])[0]
    )


def test_a_place_has_the_class_shares_of_its_training_tiles(tmp_path):
    """Woods over two kilometres, water over the next, of which half is unlabelled; then a fourth, of grass."""
    label = np.full((1, 128, 512), 10, np.uint8)
    label[:, :, 256:384], label[:, :64, 256:384], label[:, :, 384:] = 80, 0, 30
    path = write_raster(tmp_path / "l.tif", label, left=0.0, top=4_608_000.0, pixel=10.0, nodata=0)
    built = protocol.BuildDataset((str(path),), str(tmp_path / "tiles"), tile_px=64, val_share=0, test_share=0)
    builddataset.run(built, protocol.silent())
    index, entries = writer.read(tmp_path / "tiles")
    entries = [
        dataclasses.replace(each, tile=dataclasses.replace(each.tile, split=split))
        for each, split in zip(entries, ["test" if each.tile.bounds[0] >= 3840 else "train" for each in entries])
    ]
    mixed = dataclasses.replace(entries[0], shares=entries[-1].shares)
    entries[0] = dataclasses.replace(mixed, tile=dataclasses.replace(mixed.tile, split="test"))
    real = RealSet(tmp_path / "tiles", index, entries, tile_mosaic.regions(entries, 10.0, 64))
    [places] = real.share_anchors().values()
    assert [standard_sets.percentages(each.shares) for each in places] == [
        {"10": 100},
        {"10": 100},
        {"80": 100},
        {"30": 100},
    ]
    assert [each.col for each in places] == pytest.approx([64 + 32 / 3, 192, 320, 448], abs=0.01), (
        "of the tiles' middle"
    )
    assert [each.row for each in places[1:]] == [-460_800 + 64, -460_800 + 96, -460_800 + 64]
    assert standard_sets.percentages(real.class_shares) == {"10": 77.78, "80": 22.22}, (
        "a test tile has no say where others train"
    )


def test_tiles_far_apart_off_the_grid_in_two_zones(tmp_path, built):
    """What lies between them is not computed, each lands at its own place, and no class shares are asked for."""
    image, label = image_and_label(64, 64)
    pairs = []
    for number, (crs, left) in enumerate([(32618, 376_003.3), (32618, 576_000.0), (32619, 376_000.0)]):
        place = dict(left=left, top=4_700_005.4, crs=f"EPSG:{crs}")
        path = write_raster(tmp_path / f"{number}i.tif", image, **place)
        pairs.append((str(path), str(write_raster(tmp_path / f"{number}l.tif", label, nodata=0, **place))))
    images, labels = zip(*pairs)
    built = protocol.BuildDataset(labels, str(tmp_path / "tiles"), images, tile_px=64, val_share=0.3, test_share=0.3)
    builddataset.run(built, protocol.silent())
    reporter = RecordingReporter()
    buildstandardsets.run(job((tmp_path / "tiles",), tmp_path / "sets", composition="free"), reporter)
    windows = [re.match(r"window [\d,]+ of ([\d,]+)", event.message) for event in reporter.events("progress")]
    assert max(int(match.group(1).replace(",", "")) for match in windows if match) < 200
    assert any("asked for no class shares" in event.message for event in reporter.events("log"))
    real_rows, synthetic_rows = rows(tmp_path / "tiles"), rows(tmp_path / "sets" / "synthetic")
    assert [(row["crs"], row["xmin"], row["ymax"]) for row in synthetic_rows] == [
        (row["crs"], row["xmin"], row["ymax"]) for row in real_rows
    ]
    index = json.loads((tmp_path / "sets" / "synthetic" / "dataset.json").read_text())
    assert "places_asked" not in index
    painted = [read(tmp_path / "sets" / "spade" / row["image"])[0] for row in synthetic_rows]
    assert not any(np.array_equal(painted[0], other) for other in painted[1:]), "noise belongs to the place"


def refusals(real, tmp_path):
    """(words, changes)"""
    label = write_raster(tmp_path / "label.tif", image_and_label(128, 128)[1], nodata=0)
    builddataset.run(protocol.BuildDataset((str(label),), str(tmp_path / "alone"), tile_px=64), protocol.silent())
    (tmp_path / "coarse_pair").mkdir()
    coarse = write_dataset(tmp_path / "coarse_pair", pixel=2.0)
    packed = write_random_tiles(tmp_path / "packed")
    nowhere, broken = (Path(shutil.copytree(real[0], tmp_path / name)) for name in ("nowhere", "broken"))
    text = (nowhere / "manifest.csv").read_text()
    (nowhere / "manifest.csv").write_text(text.replace("EPSG:32618", ""))
    name = next(csv.DictReader(text.splitlines()))["label"]
    write_raster(broken / name, np.full((1, 32, 32), 10, np.uint8), nodata=0)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    yield "holds labels alone", {"dataset": str(tmp_path / "alone")}
    yield "pixels of 2 m, but controlnet paints at 1 m", {"dataset": coarse}
    yield "packed tiles have lost their places", {"dataset": str(packed)}
    yield "has no dataset.json", {"dataset": str(tmp_path)}
    yield "have no CRS", {"dataset": str(nowhere)}
    yield "damaged.*32 x 32 pixels", {"dataset": str(broken)}
    yield "is not empty", {"output": str(tmp_path / "full")}
    yield "a spade model is needed", {"spade_model": "landcover"}
    yield "STEPS must be at least 1", {"steps": 0}


@pytest.mark.parametrize("case", range(9))
def test_bad_input_is_named_and_leaves_nothing(real, tmp_path, case):
    words, changes = list(refusals(real, tmp_path / "given"))[case]
    given = {"dataset": str(real[0]), "output": str(tmp_path / "out" / "sets"), "steps": 1, **changes}
    with pytest.raises(BackendError, match=words):
        buildstandardsets.run(BuildStandardSets(**given), protocol.silent())
    left = list((tmp_path / "out").rglob("*.tif")) if (tmp_path / "out").exists() else []
    assert case == 5 or not left
    assert (tmp_path / "given" / "full" / "mine.txt").read_text() == "mine"
