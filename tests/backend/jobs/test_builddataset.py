"""Tiles of image and label pairs: aligned, split by ground, whole or not there, and every bad pair refused."""

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio

from backend import protocol
from backend.datasets import extent_clips, layout, reader
from backend.jobs import builddataset
from tests import servers
from tests.backend import stac_items
from tests.backend.labelled_images import image_and_label, write_image_and_label
from tests.backend.rasters import write_raster


def build(tmp_path, reporter, pairs, **options):
    images, labels = zip(*pairs)
    job = protocol.BuildDataset(labels, str(tmp_path / "out"), images, **{"tile_px": 64, **options})
    assert builddataset.run(job, reporter) == {"output": job.output}
    with open(tmp_path / "out" / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file)), json.loads((tmp_path / "out" / "dataset.json").read_text())


def read(path):
    with rasterio.open(path) as source:
        return source.read(), source.bounds, source.crs


def test_tiles_are_the_rasters_at_their_place(tmp_path, reporter):
    pair = write_image_and_label(tmp_path, 200, 330)
    rows, index = build(tmp_path, reporter, [pair])
    assert len(rows) == 15 and list(rows[0]) == layout.COLUMNS
    assert index["tile_px"] == 64 and index["pixel_m"] == 1.0 and index["synthetic"] is False
    assert sum(index["counts"].values()) == 15 and all(index["counts"].values())
    whole = {kind: rasterio.open(path) for kind, path in zip(("image", "label"), pair)}
    for row in rows:
        bounds = [float(row[key]) for key in ("xmin", "ymin", "xmax", "ymax")]
        for kind, source in whole.items():
            data, found, crs = read(tmp_path / "out" / row[kind])
            assert list(found) == bounds and crs == source.crs == rasterio.crs.CRS.from_string(row["crs"])
            assert (data == source.read(window=source.window(*bounds))).all()
        assert float(row["valid"]) == 1.0
        shares = {code: float(row[f"c{code}"]) for code in (10, 50, 80)}
        assert sum(shares.values()) == pytest.approx(1, abs=1e-3)
        assert shares[50] == pytest.approx((data == 50).mean(), abs=1e-3)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["image.tif", "label.tif", "out"]


def test_a_coarse_label_in_degrees_lands_on_the_image(tmp_path, reporter):
    """A label at about 10 m in EPSG:4326, as WorldCover comes, against an image that shows the same line."""
    image = write_raster(tmp_path / "image.tif", np.zeros((4, 256, 256), np.uint8))
    with rasterio.open(image) as source:
        west, south, east, north = rasterio.warp.transform_bounds(source.crs, "EPSG:4326", *source.bounds)
    codes = np.full((1, 40, 40), 30, np.uint8)
    codes[:, :, :20] = 80
    left, pixel = (west + east) / 2 - 20e-4, 1e-4
    label = write_raster(tmp_path / "label.tif", codes, left, (south + north) / 2 + 20e-4, pixel, "EPSG:4326")
    rows, _ = build(tmp_path, reporter, [(str(image), str(label))])
    assert len(rows) == 16
    for row in rows:
        data = read(tmp_path / "out" / row["label"])[0][0]
        half = 80 if float(row["xmax"]) <= 500_128 else 30
        assert (data == half).mean() > 0.9 and read(tmp_path / "out" / row["image"])[0].shape == (3, 64, 64)


def test_masked_pixels_and_unknown_codes_are_no_labels(tmp_path, reporter):
    image, label = image_and_label(128, 128)
    label = label.astype(np.int16)
    label[:, :64, :64] = -9999
    label[:, 0, 100] = 7  # not in the legend
    image[:, 64:, 64:] = 0
    pair = (
        write_raster(tmp_path / "image.tif", image, nodata=0),
        write_raster(tmp_path / "label.tif", label, nodata=-9999),
    )
    rows, _ = build(tmp_path, reporter, [tuple(map(str, pair))], tile_px=128, min_valid=0.3)
    data = read(tmp_path / "out" / rows[0]["label"])[0][0]
    assert (
        (data[:64, :64] == 0).all() and (data[64:, 64:] == 0).all() and (data[1:64, 64:] == label[0, 1:64, 64:]).all()
    )
    assert data[0, 100] == 0 and float(rows[0]["valid"]) == pytest.approx(0.5, abs=1e-3)


def test_too_little_valid_is_left_out(tmp_path, reporter):
    image, label = image_and_label(64, 128)
    label[:, :, :40] = 0
    pair = [write_raster(tmp_path / f"{n}.tif", d, nodata=0) for n, d in (("i", image), ("l", label))]
    rows, _ = build(tmp_path, reporter, [tuple(map(str, pair))], min_valid=0.5)
    assert [row["name"] for row in rows] == ["000_000000_000064"]


def test_stride_and_seed(tmp_path, reporter):
    pair = write_image_and_label(tmp_path, 256, 256)
    rows, index = build(tmp_path, reporter, [pair], stride_px=32)
    splits = {split: [row for row in rows if row["split"] == split] for split in ("train", "val", "test")}
    assert index["stride_px"] == 32 and all(splits.values()) and len(rows) < 49
    files = {path.stem for path in (tmp_path / "out" / "image").iterdir()}
    assert files == {row["name"] for row in rows} == {path.stem for path in (tmp_path / "out" / "label").iterdir()}


def test_synthetic_sources_are_marked(tmp_path, reporter):
    pair = write_image_and_label(tmp_path)
    with rasterio.open(pair[0], "r+") as source:
        source.update_tags(LANDFORGE_SYNTHETIC="YES")
    rows, index = build(tmp_path, reporter, [pair])
    assert index["synthetic"] is True and index["sources"][0]["synthetic"] is True
    with rasterio.open(tmp_path / "out" / rows[0]["image"]) as tile:
        assert tile.tags()["LANDFORGE_SYNTHETIC"] == "YES"


def test_labels_alone_are_tiles_of_their_own_pixels(tmp_path, reporter):
    """A clip of land cover at 10 m, or any label raster, without an image."""
    label = image_and_label(200, 330)[1]
    label[:, :64, :64] = 255  # this raster's nodata
    path = write_raster(tmp_path / "label.tif", label, pixel=10.0, nodata=255)
    job = protocol.BuildDataset((str(path),), str(tmp_path / "out"), tile_px=64)
    builddataset.run(job, reporter)
    index, rows = layout.read_manifest(tmp_path / "out")
    assert index["offset_m"] is None
    assert index["pixel_m"] == 10.0 and index["sources"] == [{"image": "", "label": str(path), "synthetic": False}]
    assert len(rows) == 14 and all(row["image"] == "" for row in rows) and {row["split"] for row in rows} > {"train"}
    assert not (tmp_path / "out" / "image").exists()
    with rasterio.open(path) as whole:
        for row in rows:
            data, bounds, _ = read(tmp_path / "out" / row["label"])
            assert (data == whole.read(window=whole.window(*bounds))).all()
    with pytest.raises(protocol.BackendError, match="holds labels alone, but images are needed"):
        reader.open_tiles(tmp_path / "out")


def test_labels_alone_that_overlap(tmp_path, reporter):
    label = image_and_label(256, 256)[1]
    path = write_raster(tmp_path / "label.tif", label, pixel=10.0, nodata=0)
    builddataset.run(protocol.BuildDataset((str(path),), str(tmp_path / "out"), tile_px=64, stride_px=32), reporter)
    _, rows = layout.read_manifest(tmp_path / "out")
    assert {path.stem for path in (tmp_path / "out" / "label").iterdir()} == {row["name"] for row in rows}


def test_credits_stand_in_the_index(tmp_path, reporter):
    pair = write_image_and_label(tmp_path)
    for path, tags in zip(pair, ({"LANDFORGE_ATTRIBUTION": "USDA"}, {"TIFFTAG_COPYRIGHT": "ESA"})):
        with rasterio.open(path, "r+") as source:
            source.update_tags(**tags)
    assert build(tmp_path, reporter, [pair])[1]["attribution"] == ["ESA", "USDA"]


def test_styles_stand_in_the_manifest(tmp_path, reporter):
    pair = write_image_and_label(tmp_path, 128, 128)
    for name, style, wanted in (("with", " coastal ,2018,, coastal", "coastal, 2018"), ("without", "", "")):
        rows, _ = build(tmp_path / name, reporter, [pair], style=style)
        assert {row["style"] for row in rows} == {wanted}
        assert ", ".join(layout.styles_of(rows[0])) == wanted


def test_an_empty_folder_is_taken(tmp_path, reporter):
    (tmp_path / "out").mkdir()
    assert build(tmp_path, reporter, [write_image_and_label(tmp_path)])[0]
    assert [event.fraction for event in reporter.events("progress")][-1] == 1.0


def test_an_offset_is_logged_and_stands_in_the_index(tmp_path, reporter):
    image, label = image_and_label(400, 400)
    pair = write_raster(tmp_path / "i.tif", image), tmp_path / "l.tif"
    write_raster(pair[1], label, left=500_006.0, top=3_999_992.0, nodata=0)
    _, index = build(tmp_path, reporter, [tuple(map(str, pair))])
    found = index["offset_m"]
    assert found["significant"] is True and found["confidence"] > 0.99 and found["places"] >= 12
    assert (found["east"], found["north"]) == (pytest.approx(6, abs=1), pytest.approx(-8, abs=1))
    (line,) = (event.message for event in reporter.events("log") if "seem to lie" in event.message)
    assert "6 m east and 8 m south" in line


def test_the_absence_of_an_offset_is_logged(tmp_path, reporter):
    _, index = build(tmp_path, reporter, [write_image_and_label(tmp_path, 400, 400)])
    assert index["offset_m"]["significant"] is False and abs(index["offset_m"]["east"]) < 1
    assert any("No offset of labels and images" in event.message for event in reporter.events("log"))
    assert not any("seem to lie" in event.message for event in reporter.events("log"))


EXTENTS = tuple(protocol.Extent(left, 3_999_800, left + 100, 3_999_950, "EPSG:32618") for left in (500_020, 500_150))


def test_extents_are_clipped_of_one_image_and_one_label(tmp_path, reporter):
    image, label = image_and_label(400, 400)
    paths = [str(write_raster(tmp_path / f"{i}.tif", one)) for i, one in enumerate((image, label))]
    job = protocol.BuildDataset((paths[1],), str(tmp_path / "out"), (paths[0],), tile_px=50, extents=EXTENTS)
    builddataset.run(job, reporter)
    rows, index = layout.read_manifest(tmp_path / "out")[1], json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert len(rows) == 12 and {float(row["xmin"]) for row in rows} == {500_020, 500_070, 500_150, 500_200}
    for row in rows:
        with rasterio.open(tmp_path / "out" / row["image"]) as source:
            top, left = int(4_000_000 - source.bounds.top), int(source.bounds.left - 500_000)
            assert np.array_equal(source.read(), image[:, top : top + 50, left : left + 50])
    assert [Path(one["image"]).is_file() and Path(one["label"]).is_file() for one in index["sources"]] == [True, True]
    assert [event.fraction for event in reporter.events("progress")] == sorted(
        e.fraction for e in reporter.events("progress")
    )


def test_clipped_rasters_stay_for_the_next_run(tmp_path, reporter, monkeypatch):
    """A run that ends in the second extent, or in what is asked of the tiles, does not clip the first again."""
    image, label = image_and_label(400, 400)
    paths = [str(write_raster(tmp_path / f"{i}.tif", one)) for i, one in enumerate((image, label))]
    job = protocol.BuildDataset((paths[1],), str(tmp_path / "out"), (paths[0],), tile_px=50, extents=EXTENTS)
    clip, clipped = extent_clips.clip.clip_naip, []

    def counted(naip, report):
        clipped.append(Path(naip.output).name)
        if broken and naip.extent == EXTENTS[1]:
            raise protocol.BackendError("The catalogue does not answer.")
        clip(naip, report)

    monkeypatch.setattr(extent_clips.clip, "clip_naip", counted)
    kept, broken = protocol.unfinished_path(job.output), True
    with pytest.raises(protocol.BackendError, match="does not answer"):
        builddataset.run(job, reporter)
    assert sorted(path.name for path in kept.glob("*.tif")) == ["000_image.tif", "000_label.tif"]
    broken = False
    with pytest.raises(protocol.BackendError, match="largest tile size that fits"):
        builddataset.run(dataclasses.replace(job, tile_px=128), reporter)
    builddataset.run(job, reporter)
    assert clipped == ["000_image.tif", "001_image.tif", "001_image.tif"] and not kept.exists()
    assert any("left 4 of 4 clipped rasters" in event.message for event in reporter.events("log"))
    out = tmp_path / "out"
    assert len(layout.read_manifest(out)[1]) == 12 and len(list((out / "clipped").glob("*.tif"))) == 4
    sources = json.loads((out / "dataset.json").read_text())["sources"]
    assert all(Path(one["image"]).is_file() and Path(one["label"]).is_file() for one in sources)
    other = dataclasses.replace(job, output=str(tmp_path / "other"))
    with pytest.raises(protocol.BackendError, match="largest tile size that fits"):
        builddataset.run(dataclasses.replace(other, tile_px=128), reporter)
    builddataset.run(dataclasses.replace(other, pixel_m=2.0, tile_px=32), reporter)
    assert clipped[3:] == ["000_image.tif", "001_image.tif"] * 2, "pixels of another size are clipped anew"


def test_extents_are_clipped_of_the_public_sources(tmp_path, monkeypatch, reporter):
    """Servers on loopback stand for NAIP's catalogue and ESA's bucket."""
    image = write_raster(tmp_path / "www" / "a.tif", image_and_label(300, 300)[0], crs="EPSG:26918")
    cell = tmp_path / "www" / "v200" / "2021" / "map" / "ESA_WorldCover_10m_2021_v200_N36W075_Map.tif"
    write_raster(cell, np.full((1, 300, 300), 40, np.uint8), -75, 39, 0.01, "EPSG:4326", nodata=0)
    job = protocol.BuildDataset((), str(tmp_path / "out"), tile_px=50, extents=EXTENTS, style="coastal")
    with servers.nginx(tmp_path / "www", tmp_path / "nginx") as nginx:
        item = stac_items.item(image, f"{nginx.url}/a.tif", "image", "naip", "2018-07-01")
        monkeypatch.setenv("LANDFORGE_ESA_URL", nginx.url)
        with servers.rustac(stac_items.collection("naip"), [item], tmp_path / "stac") as url:
            monkeypatch.setenv("LANDFORGE_STAC_URL", url)
            builddataset.run(job, reporter)
            with pytest.raises(protocol.BackendError, match="NAIP has no image of 2011 here"):
                builddataset.run(dataclasses.replace(job, output=str(tmp_path / "none"), year=2011), reporter)
    assert not (tmp_path / "none").exists() and not list(tmp_path.glob(".none*")), "nothing is left of what failed"
    rows, index = layout.read_manifest(tmp_path / "out")[1], json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert len(rows) == 12 and {row["c40"] for row in rows} == {"1.0"} and {row["style"] for row in rows} == {"coastal"}
    assert any("USDA" in one for one in index["attribution"]) and any("ESA" in one for one in index["attribution"])


def bad_pairs(tmp_path):
    """(what, images, labels, options, message)"""
    image, label = image_and_label(128, 128)
    count = iter(range(100))

    def write(data, **place):
        return str(write_raster(tmp_path / f"{next(count)}.tif", data, **place))

    good = write(image), write(label)
    yield "counts", [good[0]], [], {}, "1 images and 0 labels"
    yield "extents of two", [good[0]] * 2, [good[1]], {"extents": EXTENTS}, "are clipped of one each at most"
    yield "nothing", [], [], {}, "0 images and 0 labels"
    yield "label without CRS", [], [write(label, crs=None)], {}, "label .* has no CRS"
    yield "label in degrees", [], [write(label, left=-75, top=36, pixel=1e-5, crs="EPSG:4326")], {}, "label .* north-up"
    yield "label, small", [], [good[1]], {"tile_px": 512}, "label .* 128 x 128 pixels.*largest tile size that fits is"
    yield "labels, GSD", [], [good[1], write(label, pixel=10.0)], {}, "labels have different .* 1 m, .* 10 m"
    yield "label, empty", [], [write(label * 0)], {}, "labels hold no data: all"
    yield "missing", ["/none.tif"], [good[1]], {}, "does not exist"
    yield "no CRS", [write(image, crs=None)], [good[1]], {}, "image .* has no CRS"
    yield "no label CRS", [good[0]], [write(label, crs=None)], {}, "label .* has no CRS"
    yield "one band", [write(label)], [good[1]], {}, r"1 band\(s\), but an image needs"
    yield "three labels", [good[0]], [write(image)], {}, "ESA WorldCover does not have|one band of class codes"
    yield "averaged label", [good[0]], [write(label.astype(np.float32) + 0.5)], {}, "values with fractions"
    yield "degrees", [write(image, left=-75, top=36, pixel=1e-5, crs="EPSG:4326")], [good[1]], {}, "not on a north-up"
    yield "mercator", [write(image, crs="EPSG:3857")], [good[1]], {}, "not on a north-up grid"
    yield "apart", [good[0]], [write(label, left=600_000)], {}, "do not overlap"
    two = [write(image, pixel=0.6)], [write(label, pixel=0.6)]
    yield "GSD", [good[0], *two[0]], [good[1], *two[1]], {}, "different pixel sizes: .* 1 m, .* 0.6 m"
    yield "small", [good[0]], [good[1]], {"tile_px": 512}, "128 x 128 pixels.*largest tile size that fits is 128"
    yield "legend", [good[0]], [write(label + 1)], {}, "ESA WorldCover does not have"
    yield "empty label", [good[0]], [write(label * 0)], {}, "labels hold no data"
    yield "empty image", [write(image * 0, nodata=0)], [good[1]], {}, "images hold no data"
    half = label.copy()
    half[:, ::2] = 0
    yield "least valid", [good[0]], [write(half)], {"min_valid": 0.9}, "best has 50% valid pixels, but 90% are"
    yield "shares", [good[0]], [good[1]], {"val_share": 0.6, "test_share": 0.4}, "a share to train on"
    yield "style", [good[0]], [good[1]], {"style": "coastal, sea side"}, "'sea side' is no style: use letters"
    yield "long style", [good[0]], [good[1]], {"style": "x" * 25}, "at most 24"
    yield "styles", [good[0]], [good[1]], {"style": "a,b,c,d,e,f,g,h,i"}, "9 styles, but a data set has 8"
    yield "style alone", [], [good[1]], {"style": "arid"}, "A style is a look of images"
    yield "tiny", [good[0]], [good[1]], {"tile_px": 8}, "at least 32 pixels"
    truncated = tmp_path / "truncated.tif"
    noisy = np.random.default_rng(0).integers(0, 255, (3, 128, 128), dtype=np.uint8)
    write_raster(truncated, noisy, compress="deflate")
    truncated.write_bytes(truncated.read_bytes()[:20_000])
    yield (
        "truncated",
        [good[0], str(truncated)],
        [good[1]] * 2,
        {},
        f"The image {truncated} cannot be read",
    )
    broken = write(np.random.default_rng(0).choice(np.uint8([10, 30]), label.shape))
    Path(broken).write_bytes(Path(broken).read_bytes()[:3_000])
    yield "broken", [good[0]] * 2, [broken, good[1]], {}, f"The label {broken} cannot be read: it is damaged"


def test_bad_pairs_are_refused(tmp_path, refusal):
    import re

    for what, images, labels, options, message in bad_pairs(tmp_path):
        options = {"tile_px": 64, **options}
        said = refusal(builddataset.run, protocol.BuildDataset, tuple(labels), image=tuple(images), **options)
        assert re.search(message, said), f"{what}: {said}"


def test_an_output_that_holds_something_is_left_alone(tmp_path, reporter):
    pair = write_image_and_label(tmp_path)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(protocol.BackendError, match="not empty"):
        build(tmp_path, reporter, [pair])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_the_manifest_is_a_stac_item_collection_too(tmp_path, reporter):
    rows, _ = build(tmp_path, reporter, [write_image_and_label(tmp_path)])
    found = pystac.ItemCollection.from_file(str(tmp_path / "out" / "items.json"))
    assert [item.id for item in found] == [row["name"] for row in rows]
    for item, row in zip(found, rows):
        west, south, east, north = item.bbox
        assert -180 < west < east < 180 and -90 < south < north < 90
        assert item.properties["proj:bbox"][0] == float(row["xmin"]) and item.properties["proj:code"] == row["crs"]
        assert item.properties["landforge:split"] == row["split"]
        assert item.properties["description"] == row["description"] and row["description"].endswith(".")
        assert sum(item.properties["landforge:shares"].values()) == pytest.approx(1, abs=1e-3)
        assert {(tmp_path / "out" / asset.href).is_file() for asset in item.assets.values()} == {True}
