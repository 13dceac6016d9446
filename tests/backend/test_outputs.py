"""An output that is an input is refused before anything is touched, whatever it is called, for every job."""

import dataclasses
import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from backend import protocol
from backend.datasets import layout
from backend.models import model_folder
from backend.protocol import BackendError, Extent, outputs
from tests.backend.rasters import write_raster

EXTENT = Extent(500_000, 4_000_000, 500_640, 4_000_640, "EPSG:32618")
NAMES = {
    "itself": lambda path: path,
    "..": lambda path: path.parent / "sub" / ".." / path.name,
    "a linked folder": lambda path: path.parent / "link" / path.name,
    "a symbolic link": lambda path: path.parent / "alias.tif",
    "a hard link": lambda path: path.parent / "hard.tif",
    "a relative path": lambda path: os.path.relpath(path),
    "two slashes": lambda path: f"{path.parent}//{path.name}",
}


@pytest.fixture
def raster(tmp_path):
    """A raster with links to it and to its folder."""
    path = tmp_path / "map.tif"
    write_raster(path, np.full((1, 64, 64), 10, np.uint8))
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "alias.tif").symlink_to(path)
    (tmp_path / "hard.tif").hardlink_to(path)
    return path


def job_of(cls, **values):
    """A job whose needed fields have values that lead to no file."""
    fillers = {"extent": EXTENT}
    missing = dataclasses.MISSING
    for spec in dataclasses.fields(cls):
        if spec.name not in values and spec.default is missing and spec.default_factory is missing:
            filler = fillers.get(spec.name, f"/no/such/{spec.name}")
            values[spec.name] = (filler,) if spec.type.startswith("tuple") else filler
    return cls(**values)


def path_fields(cls):
    """The fields of text that may be inputs, and those that are outputs."""
    texts = [spec for spec in dataclasses.fields(cls) if spec.type in ("str", "tuple[str, ...]")]
    results = [spec.name for spec in texts if spec.name.startswith("output")]
    return [spec for spec in texts if spec.name not in (*results, *outputs.WORDS)], results


FIELDS = [
    pytest.param(cls, spec, output, id=f"{name}-{spec.name}-{output}")
    for name, cls in protocol.JOBS.items()
    for spec in path_fields(cls)[0]
    for output in path_fields(cls)[1]
]


@pytest.mark.parametrize(("cls", "spec", "output"), FIELDS)
def test_no_output_of_any_job_may_be_any_of_its_inputs(raster, cls, spec, output):
    value = str(raster)
    job = job_of(cls, **{spec.name: ("/no/such/first", value) if "tuple" in spec.type else value, output: value})
    with pytest.raises(BackendError, match=rf"is the input .* itself \({spec.name.upper()}\)\. Choose another output"):
        protocol.check_outputs(job)


def test_the_lists_of_names_are_those_of_jobs_and_folders():
    names = {spec.name for cls in protocol.JOBS.values() for spec in dataclasses.fields(cls)}
    assert set(outputs.INDEXES) == {layout.INDEX, layout.PACKED_INDEX, model_folder.INDEX}
    assert set(outputs.WORDS) <= names and set(outputs.REPORTS) <= {cls.__name__ for cls in protocol.JOBS.values()}


@pytest.mark.parametrize("name", NAMES)
def test_an_input_survives_under_every_name_of_the_output(raster, worker, tmp_path_factory, name):
    before, job_file = raster.read_bytes(), tmp_path_factory.mktemp("job") / "job.json"
    jobs = [
        job_of(protocol.ClipWorldCover, source="layer", layer=str(raster), output=str(NAMES[name](raster))),
        job_of(protocol.SegmentImage, image=str(raster), output=str(NAMES[name](raster))),
        job_of(protocol.RegenerateArea, raster=str(NAMES[name](raster)), output="", output_landcover=str(raster)),
    ]
    listed = sorted(raster.parent.iterdir())
    for job in jobs:
        job_file.write_text(protocol.dump_job(job))
        event = worker.run(job_file)[-1]
        assert event.kind == "error" and "itself" in event.message
    assert raster.read_bytes() == before and sorted(raster.parent.iterdir()) == listed


def refusal_of(job):
    with pytest.raises(BackendError) as caught:
        protocol.check_outputs(job)
    return str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["file://{}", "{}|layername=roads", "/vsicurl_streaming/{}", "/vsisubfile/0_99,{}", "vrt://{}?bands=1"],
)
def test_what_gdal_reads_by_another_spelling_is_the_same_input(raster, text):
    message = refusal_of(job_of(protocol.GenerateImage, landcover=text.format(raster), output=str(raster)))
    assert "itself (LANDCOVER)" in message


def test_a_file_in_an_archive_is_the_archive(tmp_path):
    archive = shutil.make_archive(str(tmp_path / "all"), "zip", tmp_path)
    for text in (f"/vsizip/{archive}/map.tif", f"zip://{archive}!map.tif"):
        assert "itself" in refusal_of(job_of(protocol.SegmentImage, image=text, output=archive))


@pytest.mark.parametrize("relative", [True, False])
def test_the_sources_of_a_virtual_raster_are_inputs(raster, tmp_path, relative):
    inner, outer = tmp_path / "sub" / "R&D.vrt", tmp_path / "outer.vrt"
    source = '<SourceFilename relativeToVRT="{}">{}</SourceFilename>'
    inner.write_text(source.format(int(relative), "../map.tif" if relative else raster))
    outer.write_text(source.format(1, "sub/R&amp;D.vrt") + source.format(1, "outer.vrt"))
    message = refusal_of(job_of(protocol.SegmentImage, image=str(outer), output=str(raster)))
    assert "map.tif itself (IMAGE)" in message


@pytest.mark.parametrize("name", ["map.tif.ovr", "map.tif.msk", "map.tif.aux.xml", "map.tfw"])
def test_a_part_of_an_input_is_no_output_and_is_not_removed_with_one(raster, name):
    part = raster.parent / name
    part.touch()
    assert "a part of the input" in refusal_of(job_of(protocol.SegmentImage, image=str(raster), output=str(part)))
    assert "a part of the input" in refusal_of(job_of(protocol.SegmentImage, image=str(part), output=str(raster)))


def test_two_outputs_are_two_files(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    paths = str(tmp_path / "a.tif"), str(tmp_path / "link" / "a.tif")
    message = refusal_of(protocol.GenerateScene(EXTENT, *paths))
    assert message.startswith("output_landcover and output_image are the same file")
    protocol.check_outputs(protocol.GenerateScene(EXTENT, paths[0], str(tmp_path / "A.tiff")))


@pytest.fixture
def dataset(tmp_path):
    folder = tmp_path / "set"
    (folder / "image").mkdir(parents=True)
    (folder / "dataset.json").write_text("{}")
    return folder


@pytest.mark.parametrize("below", ["", "new", "image/a.tif"])
def test_no_output_lies_in_a_data_set_or_model_that_is_an_input(tmp_path, dataset, below):
    linked = tmp_path / "linked"
    linked.symlink_to(dataset, target_is_directory=True)
    for cls in (protocol.TrainSegmentation, protocol.CrossTest, protocol.MixtureStudy):
        field = "real" if cls is protocol.MixtureStudy else "dataset"
        message = refusal_of(job_of(cls, **{field: (str(dataset),)}, output=str(linked / below)))
        assert f"which is an input ({field.upper()})" in message
    model = Path(outputs.BUNDLED) / "segmentation"
    weights = str(model / "model.safetensors")
    assert "which is an input (MODEL)" in refusal_of(job_of(protocol.SegmentImage, image="a", output=weights))


def test_no_input_lies_in_the_folder_of_a_study_or_in_unfinished_blocks(tmp_path, dataset):
    message = refusal_of(job_of(protocol.ChooseTiles, test=(str(dataset),), output=str(tmp_path)))
    assert f"The output folder {tmp_path} holds the input {dataset} (TEST)" in message
    for output in (".new.unfinished", ".new.part"):
        inside = tmp_path / output
        shutil.copytree(dataset, inside)
        message = refusal_of(job_of(protocol.BuildStandardSets, dataset=str(inside), output=str(tmp_path / "new")))
        assert "unfinished parts" in message
        protocol.remove_partials(job_of(protocol.BuildStandardSets, dataset=str(inside), output=str(tmp_path / "new")))
        assert (inside / "dataset.json").is_file(), "an input is never a partial output"
        shutil.rmtree(inside)


def test_what_is_harmless_is_not_refused(tmp_path, dataset, monkeypatch):
    """Resumed trainings, bundled models, pages beside what they show, and words that are also names of files."""
    monkeypatch.chdir(tmp_path)
    for name in ("unet", "landcover", "esa"):
        Path(name).mkdir()
    (tmp_path / "unet" / "model_index.json").write_text("{}")
    shutil.copy(tmp_path / "unet" / "model_index.json", tmp_path / "landcover")
    protocol.check_outputs(job_of(protocol.TrainSegmentation, dataset=(str(dataset),), output="unet"))
    protocol.check_outputs(job_of(protocol.TrainLandCover, dataset=("set",), model="landcover", output="landcover"))
    protocol.check_outputs(job_of(protocol.ClipWorldCover, output="esa/clip.tif"))
    for cls in (protocol.CrossTest, protocol.LandCoverRealism):
        field = "dataset" if cls is protocol.CrossTest else "real_dataset"
        protocol.check_outputs(job_of(cls, **{field: (str(dataset),)}, output=str(tmp_path)))
    protocol.check_outputs(job_of(protocol.ImageQuality, crosstest="esa", output="esa"))
    clip = write_raster(tmp_path / "set" / "clipped" / "000_image.tif", np.full((3, 8, 8), 9, np.uint8))
    protocol.check_outputs(job_of(protocol.SegmentImage, image=str(clip), output=str(clip.with_name("codes.tif"))))


def test_case_is_compared_as_the_disk_does(tmp_path, monkeypatch):
    (tmp_path / "probe").touch()
    blind = (tmp_path / "PROBE").exists()
    assert outputs.ignores_case(tmp_path) == blind
    paths = tmp_path / "New" / "Ümap.tif", tmp_path / "new" / "u\u0308MAP.TIF"
    assert protocol.same_file(*paths) == blind
    monkeypatch.setattr(outputs, "ignores_case", lambda folder: True)
    assert protocol.same_file(*paths)
    assert not protocol.same_file(tmp_path / "new" / "a.tif", tmp_path / "new" / "b.tif")


def test_the_files_of_exactly_one_raster_are_its_sidecars(tmp_path):
    own = ["a.tif.ovr", "a.tif.msk", "a.tif.msk.ovr", "a.tif.aux.xml", "a.tif.OVR.aux.xml", "a.tif.vat.dbf", "a.tfw"]
    others = ["a.tiff.ovr", "ba.tif.ovr", "a.b.tif.ovr", "a.tif.ovr2", "a.qml", "a.csv", "a.tif.txt", "a.b.tfw"]
    for name in ("a.tif", "a.wld", *own, *others):
        (tmp_path / name).touch()
    (tmp_path / "a.tif.msk.d").mkdir()
    names = {path.name for path in protocol.sidecars(tmp_path / "a.tif")}
    assert names == {*own, "a.wld"}
    (tmp_path / "a.png").touch()
    assert {path.name for path in protocol.sidecars(tmp_path / "a.tif")} == set(own), "a.wld may be that of a.png"
    (tmp_path / "a.tiff").touch()
    assert "a.tfw" not in {path.name for path in protocol.sidecars(tmp_path / "a.tif")}
    assert protocol.sidecars(tmp_path / "none" / "a.tif") == []


@pytest.mark.parametrize("address", ["file:///tmp/a.tif", "/vsimem/a.tif", "s3://bucket/a.tif", "/vsizip/a.zip/a.tif"])
def test_an_address_is_no_output(address):
    assert "is an address" in refusal_of(job_of(protocol.SegmentImage, output=address))
    protocol.check_outputs(job_of(protocol.SegmentImage, output="C:/a.tif"))
