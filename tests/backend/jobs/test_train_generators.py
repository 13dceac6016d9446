"""Training jobs of the generators: every stage on made-up tiles, into a folder that generates; and what they refuse."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from backend.datasets.layout import read_packed_index
from backend.generation import styles, tags
from backend.jobs import builddataset, trainimage, trainlandcover
from backend.models import controlnet, landcover, latent_generator, model_folder, spade
from backend.models.image_inputs import ImageInputs, ImageRequest
from backend.protocol import BackendError, BuildDataset, TrainImage, TrainLandCover, dump_job, silent
from backend.tiling.lattice import Box
from backend.tiling.lazy_raster import Patch, RasterSource
from backend.tiling.regions import Everywhere
from backend.tiling.render import Output, render
from backend.training import generator, stages
from tests.backend.labelled_images import image_and_label, write_dataset, write_image_and_label
from tests.backend.packed_tiles import write_styled_tiles
from tests.backend.rasters import write_raster
from tests.backend.reporters import Interrupted, InterruptingReporter, RecordingReporter

ROOT = Path(__file__).resolve().parents[3]
BRIEFLY = {"steps": 1, "batch": 2}
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture(autouse=True, scope="module")
def brief():
    """As little as can be of all that takes time beside the steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(generator, "VALIDATION_BATCHES", 1)
        patch.setattr(generator, "SAMPLE_ROWS", 1)
        patch.setattr(latent_generator, "PREVIEW_STEPS", 1)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return str(write_styled_tiles(tmp_path_factory.mktemp("packed"), {"naip": 96, "usgs": 72}, count=3, cells=34))


@pytest.fixture(scope="module")
def models(dataset, tmp_path_factory):
    """A trained model of each kind, and what the trainings said."""
    folder, found = tmp_path_factory.mktemp("models"), {}
    for kind in ("landcover", "controlnet", "spade"):
        reporter, output = RecordingReporter(), str(folder / kind)
        if kind == "landcover":
            given = trainlandcover.run(TrainLandCover((dataset,), output, **BRIEFLY), reporter)
        else:
            given = trainimage.run(TrainImage((dataset,), output, kind, **BRIEFLY), reporter)
        assert given == {"output": output}
        found[kind] = (folder / kind, reporter)
    return found


def rendered(field, box):
    """The pixels of a field, block by block."""
    found = []
    render([Output(field, box, Everywhere(), 1.0, lambda _, pixels: found.append(pixels))], "", silent())
    return found


GROUND = RasterSource("land cover", lambda box: np.zeros((box.height, box.width), np.uint8))
STAGES = {
    "landcover": ["autoencoder", "decoder", "denoiser", "distillation"],
    "controlnet": ["autoencoder", "denoiser", "distillation"],
    "spade": ["painter"],
}
FITTED = ("controlnet", "autoencoder")  # a stage without steps


def test_land_cover_generates(models):
    generator = landcover.LandCoverGenerator(str(models["landcover"][0]))
    blocks = rendered(generator.lazy_raster("w", 1, 2, {10: 50}, 2.0), Box(0, 0, 20, 30))
    assert all(block.dtype == np.uint8 and block.max() < 11 for block in blocks)
    assert generator.trained_codes == [10, 30, 50, 80] and set(generator.index["shares"]) == {"10", "30", "50", "80"}


@pytest.mark.parametrize(("kind", "module"), [("controlnet", controlnet), ("spade", spade)])
def test_images_generate(models, kind, module):
    blocks = rendered(
        module.ImageGenerator(str(models[kind][0])).lazy_raster("w", 1, 2, ImageInputs(GROUND)), Box(3, 5, 40, 50)
    )
    assert all(block.shape[0] == 3 and block.dtype == np.uint8 for block in blocks)


@pytest.mark.parametrize("kind", STAGES)
def test_a_training_leaves_model_card_report_and_samples(models, dataset, kind):
    folder, reporter = models[kind]
    _, index = model_folder.find(str(folder), kind)
    assert list(index["figures"]) == STAGES[kind]
    steps = {stage: figures["steps"] for stage, figures in index["figures"].items()}
    assert steps == {stage: int((kind, stage) != FITTED) for stage in STAGES[kind]}
    assert all(any("held_out" in name for name in figures) for figures in index["figures"].values())
    card, report = (folder / "README.md").read_text(), (folder / "report.html").read_text()
    assert (
        card.startswith("---\nlicense: other\n")
        and f"Data sets: {Path(dataset).name}." in card
        and "Not intended" in card
    )
    assert "Permanent water bodies" in card and "20 Shrubland" in card.split("never seen")[1]
    assert 'src="data:image/png;base64,' in report and "<svg" in report and "http" not in report
    for stage in filter(steps.get, STAGES[kind]):
        path = folder / "samples" / f"{stage}_000001.png"
        assert path.read_bytes().startswith(b"\x89PNG") and f"Stage {stage}" in report
        assert any(str(path) in event.message for event in reporter.events("log"))
    fractions = [event.fraction for event in reporter.events("progress")]
    assert fractions == sorted(fractions) and fractions[-1] == 1
    assert not [path for suffix in ("bin", "pt", "pkl") for path in folder.rglob(f"*.{suffix}")]
    assert model_folder.model_hash(folder) == model_folder.model_hash(folder)


def test_what_only_training_needs_is_no_part_of_a_models_hash(models, tmp_path):
    folder = tmp_path / "checkpoints" / "model"
    shutil.copytree(models["spade"][0], folder)
    whole = model_folder.model_hash(folder)
    shutil.rmtree(folder / "checkpoints")
    assert model_folder.model_hash(folder) == whole
    (folder / "model_index.json").write_text("{}")
    assert model_folder.model_hash(folder) != whole


def weights(folder, name):
    return load_file(Path(folder) / name / WEIGHTS)


def test_fine_tuning_the_denoiser_keeps_the_autoencoder_and_its_statistics(models, dataset, tmp_path):
    base, output = models["controlnet"][0], tmp_path / "tuned"
    job = TrainImage((dataset,), str(output), "controlnet", str(base), "denoiser", **BRIEFLY)
    trainimage.run(job, silent())
    for file in (WEIGHTS, "config.json"):
        assert (output / "autoencoder" / file).read_bytes() == (base / "autoencoder" / file).read_bytes()
    before, after = (weights(folder, "denoiser") for folder in (base, output))
    moved = max((before[key].float() - after[key].float()).abs().max().item() for key in before)
    assert 0 < moved < 1e-3, "a step of fine-tuning is a small one"
    _, index = model_folder.find(str(output), "controlnet")
    assert index["started_from"] == "controlnet" and list(index["figures"]) == ["denoiser"]
    configs = [path for folder in (base, output) for path in folder.glob("*/config.json")]
    assert len(configs) == 6 and not [path for path in configs if str(base.parent) in path.read_text()]
    assert "Fine-tuned from `controlnet`." in (output / "README.md").read_text()


def test_fine_tuning_all_keeps_the_statistics_that_the_denoiser_knows(models, dataset, tmp_path):
    base, output = models["landcover"][0], tmp_path / "tuned"
    trainlandcover.run(TrainLandCover((dataset,), str(output), str(base), **BRIEFLY), silent())
    configs = [json.loads((folder / "autoencoder" / "config.json").read_text()) for folder in (base, output)]
    assert configs[0]["latents_mean"] == configs[1]["latents_mean"]
    assert (output / "autoencoder" / WEIGHTS).read_bytes() != (base / "autoencoder" / WEIGHTS).read_bytes()


def test_a_bundled_model_can_be_fine_tuned(dataset, tmp_path, reporter):
    trainimage.run(TrainImage((dataset,), str(tmp_path / "m"), "spade", "spade", **BRIEFLY), reporter)
    _, index = model_folder.find(str(tmp_path / "m"), "spade")
    assert index["seen"] == [10, 20, 30, 40, 50, 60, 80] and index["data"]["codes"] == [10, 30, 50, 80]


def decoded(name, seed=0):
    """Logits that a land cover model decodes from made-up latents."""
    generator = landcover.LandCoverGenerator(str(name))
    latents = np.random.default_rng(seed).normal(size=(4, 64, 64)).astype(np.float32)
    return generator.decode([Box(0, 0, 64, 64)], Patch(latents, Box(0, 0, 64, 64)))


def test_fine_tuning_an_autoencoder_with_frozen_norms_begins_where_it_was(dataset, tmp_path):
    """Its weights do not say that they are frozen: read as those of group norms they would decode to noise."""
    job = TrainLandCover((dataset,), str(tmp_path / "m"), "landcover", "autoencoder", **BRIEFLY)
    expected = decoded("landcover")
    trainlandcover.run(job, silent())
    assert np.abs(decoded(tmp_path / "m") - expected).mean() < 0.05 * expected.std()
    trainlandcover.run(replace(job, stage="decoder"), silent())
    assert np.abs(decoded(tmp_path / "m") - expected).mean() < 0.05 * expected.std()
    _, index = model_folder.find(job.output, "landcover")
    assert index["frozen_norms"] and list(index["figures"]) == ["autoencoder", "decoder"]


def test_fine_tuning_keeps_the_linear_autoencoder_and_the_styles(models, dataset, tmp_path):
    """The denoiser is trained on these latents; tiles with other styles are used as tiles without a style."""
    base = models["controlnet"][0]
    other = write_styled_tiles(tmp_path / "other", {"naip": 96}, count=3, cells=34)
    index = json.loads((other / "packed.json").read_text())
    index["tiles"]["naip"]["styles"] = [["humid"]] * 3
    (other / "packed.json").write_text(json.dumps(index))
    trainimage.run(TrainImage((str(other),), str(tmp_path / "m"), "controlnet", str(base), **BRIEFLY), silent())
    before, after = (weights(folder, "autoencoder") for folder in (base, tmp_path / "m"))
    assert all(torch.equal(before[key], after[key]) for key in before if key.startswith("encoder."))
    assert model_folder.find(str(tmp_path / "m"), "controlnet")[1]["styles"] == ["2020", "arid"]


def test_a_region_of_ones_own_teaches_its_style(tmp_path):
    """From rasters to a model: each data set has its own styles, and the model has all of them."""
    folders = []
    for name, style in (("sea", "coastal, 2018"), ("hill", "upland"), ("plain", "")):
        label, image = write_image_and_label(tmp_path / name)[::-1]
        job = BuildDataset((label,), str(tmp_path / name / "tiles"), (image,), tile_px=128, style=style)
        builddataset.run(job, silent())
        folders.append(job.output)
    trainimage.run(TrainImage(tuple(folders), str(tmp_path / "m"), "spade", **BRIEFLY), silent())
    _, index = model_folder.find(str(tmp_path / "m"), "spade")
    assert index["styles"] == ["2018", "coastal", "upland"]
    assert index["style_combinations"] == {"2018, coastal": 0.5, "upland": 0.5}
    generator = SimpleNamespace(name="m", index=index)
    assert styles.choose_styles(generator, "upland, 2018", 0) == ("2018", "upland")
    packed_sets = sorted((tmp_path / "m").rglob("packed.json"))
    tile_styles = [read_packed_index(path.parent)["tiles"]["tiles"].get("styles", [[]])[0] for path in packed_sets]
    assert sorted(map(tuple, tile_styles)) == [(), ("coastal", "2018"), ("upland",)]


def test_a_style_changes_the_image_and_an_unknown_one_is_refused(models):
    generator = controlnet.ImageGenerator(str(models["controlnet"][0]))
    assert styles.choose_styles(generator, " arid,2020", 0) == ("2020", "arid")
    for layer in (generator.networks["controlnet"].controlnet_mid_block, generator._embedding.conv_out):
        torch.nn.init.normal_(layer.weight)  # a ControlNet's output layers start at 0
    window, latents = Box(0, 0, 32, 32), torch.zeros(1, controlnet.CHANNELS, 32, 32)
    plain, arid = (
        generator.denoiser([window], ImageRequest(styles), Patch(np.zeros((128, 128), np.uint8), window.scaled(4)))(
            latents, torch.tensor([500])
        )
        for styles in ((0.0, 0.0), (0.0, 1.0))
    )
    assert (plain - arid).abs().max() > 1e-3
    with pytest.raises(BackendError, match="2020, arid"):
        styles.choose_styles(generator, "lunar", 0)
    with pytest.raises(BackendError, match="none"):
        styles.choose_styles(SimpleNamespace(name="plain", index={}), "arid", 0)


def test_an_image_model_records_the_classes_and_conditions_that_it_was_trained_with(models):
    for kind, module in (("controlnet", controlnet), ("spade", spade)):
        index = module.ImageGenerator(str(models[kind][0])).index
        assert set(index["style_classes"]) == {"2020", "arid"} and all(index["style_classes"].values())
        assert index["conditions"] == ["lines", "known"] and index["borrowed_styles"] == {}


def test_the_seed_draws_what_a_style_leaves_open():
    """In proportion to the training tiles, the same for the same seed, and always with the requested styles."""
    combinations = {"2018, arid": 0.6, "2020, arid": 0.1, "2018, coastal": 0.3}
    generator = SimpleNamespace(
        name="m", index={"styles": ["2018", "2020", "arid", "coastal", "inland"], "style_combinations": combinations}
    )

    def drawn(style):
        return [styles.choose_styles(generator, style, seed) for seed in range(2000)]

    for combination, share in combinations.items():
        assert drawn("").count(tuple(combination.split(", "))) == pytest.approx(2000 * share, abs=80)
    assert drawn("") == drawn("") and drawn("coastal") == [("2018", "coastal")] * 2000
    assert set(drawn("arid")) == {("2018", "arid"), ("2020", "arid")}
    assert set(drawn("inland")) == {("inland",)} and set(drawn("coastal, 2020")) == {("2020", "coastal")}
    assert "2018 drawn by the seed" in styles.drawn_styles_note(("2018", "arid"), "arid")
    assert not styles.drawn_styles_note(("2018", "arid"), "arid, 2018")
    plain = SimpleNamespace(name="plain", index={})
    assert styles.choose_styles(plain, "", 7) == ()


def test_a_distilled_model_takes_few_steps_and_no_guidance(models, dataset, tmp_path):
    """A denoiser that is trained further is no longer distilled until its distillation is trained again."""
    base = str(models["controlnet"][0])
    generator = controlnet.ImageGenerator(base)
    few = controlnet.STEPS
    assert (generator.effective_steps(12), generator.effective_steps(2)) == (few, 2)
    assert generator.index["guidance_scale"] == 1.0
    assert generator.sampler.config.solver_order == 1
    drawn = [
        rendered(generator.lazy_raster("w", 1, steps, ImageInputs(GROUND)), Box(0, 0, 32, 32))[0]
        for steps in (few, 12, 1)
    ]
    assert np.array_equal(*drawn[:2]) and not np.array_equal(drawn[0], drawn[2])
    settings = json.loads(tags.generator_tags(generator, 1, 12)["LANDFORGE_SETTINGS"])
    assert (settings["steps"], settings["steps_taken"]) == (12, few), "a scene made again asks both models for as many"
    job = TrainImage((dataset,), str(tmp_path / "m"), "controlnet", base, "denoiser", **BRIEFLY)
    trainimage.run(job, silent())
    many = controlnet.ImageGenerator(job.output)
    assert (many.effective_steps(12), many.index["guidance_scale"]) == (12, controlnet.GUIDANCE_SCALE)
    assert many.sampler.config.solver_order == 2
    trainimage.run(replace(job, stage="distillation"), silent())
    again, state = controlnet.ImageGenerator(job.output), tmp_path / "m" / "checkpoints" / "distillation.safetensors"
    assert again.effective_steps(12) == few and state.is_file()
    trainimage.run(job, silent())
    assert state.is_file(), "what has learned nothing more outdates nothing"
    trainimage.run(replace(job, steps=2), silent())
    assert not state.is_file() and controlnet.ImageGenerator(job.output).effective_steps(12) == 12


def test_an_earlier_stage_trained_on_outdates_the_later_ones(models, dataset, tmp_path):
    shutil.copytree(models["landcover"][0], tmp_path / "m")
    job = TrainLandCover((dataset,), str(tmp_path / "m"), stage="autoencoder", **{**BRIEFLY, "steps": 2})
    trainlandcover.run(job, silent())
    assert not (tmp_path / "m" / model_folder.INDEX).exists()
    trainlandcover.run(replace(job, stage="all"), silent())
    _, index = model_folder.find(job.output, "landcover")
    assert [figures["steps"] for figures in index["figures"].values()] == [2] * 4 and index["frozen_norms"]


def test_a_stopped_training_resumes_exactly(models, dataset, tmp_path, reporter):
    job = TrainLandCover((dataset,), str(tmp_path / "m"), **BRIEFLY)
    with pytest.raises(Interrupted):
        trainlandcover.run(job, InterruptingReporter("stage denoiser"))
    assert not (tmp_path / "m" / model_folder.INDEX).exists()
    torch.rand(3)
    trainlandcover.run(job, reporter)
    for name in ("autoencoder", "denoiser"):
        straight, resumed = (weights(folder, name) for folder in (models["landcover"][0], tmp_path / "m"))
        assert all(torch.equal(straight[key], resumed[key]) for key in straight)
    assert not any("encoding" in event.message for event in reporter.events("progress")), "latents are made once"


def test_stages_one_by_one(dataset, tmp_path, reporter):
    job = TrainLandCover((dataset,), str(tmp_path / "m"), stage="autoencoder", **BRIEFLY)
    trainlandcover.run(job, reporter)
    lacks = "is no model yet: it lacks the stages decoder, denoiser, distillation."
    assert any(lacks in event.message for event in reporter.events("log"))
    assert (tmp_path / "m" / "report.html").is_file() and not (tmp_path / "m" / model_folder.INDEX).exists()
    for stage in ("denoiser", "decoder", "distillation"):
        trainlandcover.run(replace(job, stage=stage), silent())
    assert list(model_folder.find(job.output, "landcover")[1]["figures"]) == STAGES["landcover"]


def test_data_sets_as_they_are_built(tmp_path, reporter):
    """Image tiles of half a metre are averaged to 1 m, once; a clip of land cover at 10 m is a data set by itself."""
    dataset = write_dataset(tmp_path, tile_px=160, pixel=0.5)
    job = TrainImage((dataset,), str(tmp_path / "image"), "spade", **BRIEFLY)
    trainimage.run(job, reporter)
    images = np.load(tmp_path / "image" / "checkpoints" / "data" / "0_tiles" / "tiles_image.npy")
    assert images.shape[1:] == (80, 80, 3)
    stamp = (tmp_path / "image" / "checkpoints" / "data" / "0_tiles" / "packed.json").stat().st_mtime_ns
    trainimage.run(replace(job, steps=2), silent())
    assert (tmp_path / "image" / "checkpoints" / "data" / "0_tiles" / "packed.json").stat().st_mtime_ns == stamp
    _, index = model_folder.find(job.output, "spade")
    assert index["data"]["gsd_m"] == [0.5] and index["figures"]["painter"]["steps"] == 2
    assert any("the batch is" in event.message for event in reporter.events("log")) is (
        index["data"]["crops"]["train"] < 2
    )


def test_labels_alone_make_a_land_cover_generator(tmp_path):
    from backend.jobs import builddataset
    from backend.protocol import BuildDataset

    codes = image_and_label(300, 560)[1]
    label = write_raster(tmp_path / "label.tif", codes, pixel=10.0, nodata=0)
    builddataset.run(BuildDataset((str(label),), str(tmp_path / "data"), tile_px=140), silent())
    trainlandcover.run(TrainLandCover((str(tmp_path / "data"),), str(tmp_path / "m"), **BRIEFLY), silent())
    _, index = model_folder.find(str(tmp_path / "m"), "landcover")
    assert index["seen"] == [10, 50, 80] and sum(index["shares"].values()) == pytest.approx(1, abs=1e-3)


def test_fewer_tiles_than_a_batch_lower_it(dataset, tmp_path, reporter):
    trainimage.run(TrainImage((dataset,), str(tmp_path / "m"), "spade", steps=1, batch=64), reporter)
    assert "hold 4 crops to train on: the batch is 4, not 64." in " ".join(e.message for e in reporter.events("log"))


REFUSED = {
    "no stage 'denoiser': it has painter": {"stage": "denoiser"},
    "MINUTES above 0": {"minutes": 0.0},
    "BATCH of at least 1": {"batch": 0},
    "STEPS of at least 1": {"steps": -1},
    "learning rate must lie between 0 and 1": {"learning_rate": 2.0},
    "No data set was given": {"dataset": ()},
    "is not a data set": {"dataset": ("/nowhere",)},
    "is a landcover model, but a spade model is needed": {"model": "landcover"},
    "is not a Landforge model": {"model": "/nowhere"},
}


@pytest.mark.parametrize("words", REFUSED)
def test_bad_trainings_are_refused_and_leave_nothing(dataset, tmp_path, words):
    job = TrainImage((dataset,), str(tmp_path / "m"), "spade")
    with pytest.raises(BackendError, match=words):
        trainimage.run(replace(job, **REFUSED[words]), silent())
    assert not (tmp_path / "m").exists()


def test_a_denoiser_without_its_autoencoder_is_named(dataset, tmp_path):
    for run, job in ((trainlandcover.run, TrainLandCover), (trainimage.run, TrainImage)):
        with pytest.raises(BackendError, match=r"holds no autoencoder yet\. Train that stage first"):
            run(job((dataset,), str(tmp_path / job.__name__), stage="denoiser", **BRIEFLY), silent())


def test_another_training_and_other_files_are_left_alone(models, dataset, tmp_path):
    job = TrainImage((dataset,), str(models["spade"][0]), "spade", **BRIEFLY)
    for other in (replace(job, seed=1), replace(job, model="spade"), replace(job, dataset=(dataset, dataset))):
        with pytest.raises(BackendError, match="holds a training with other settings, data or model"):
            trainimage.run(other, silent())
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BackendError, match="not empty"):
        trainimage.run(replace(job, output=str(tmp_path)), silent())
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_training_needs_no_gdal(dataset, tmp_path):
    """A machine that trains on packed tiles has torch, diffusers, accelerate and numpy, and what these bring."""
    missing = ("rasterio", "pyproj", "shapely", "odc", "affine", "osgeo", "pydantic", "dask", "distributed", "pystac")
    script = f"""
import sys
sys.modules.update(dict.fromkeys({missing!r}))
from backend.jobs import trainimage, trainlandcover
from backend.protocol import TrainImage, silent
trainimage.run(TrainImage(({dataset!r},), {str(tmp_path / "m")!r}, "spade", steps=1, batch=1), silent())
"""
    ended = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "m" / model_folder.INDEX).is_file()


def test_two_processes_train_one_model(dataset, tmp_path):
    """As `accelerate launch` starts them, on the CPU."""
    job = TrainImage((dataset,), str(tmp_path / "m"), "spade", steps=2, batch=1)
    (tmp_path / "job.json").write_text(dump_job(job))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    quiet = {"ACCELERATE_USE_CPU": "true", "LANDFORGE_DEVICE": "cpu", "OMP_NUM_THREADS": "1"}
    command += ["-m", "backend", "run", str(tmp_path / "job.json")]
    ended = subprocess.run(command, cwd=ROOT, env={**os.environ, **quiet}, capture_output=True, text=True, timeout=200)
    assert ended.returncode == 0, ended.stderr
    _, index = model_folder.find(job.output, "spade")
    assert index["figures"]["painter"]["steps"] == 2 and ended.stdout.count("stage painter") == 1


def test_shares_of_the_minutes_are_fixed(dataset, tmp_path):
    job = TrainLandCover((dataset,), str(tmp_path / "m"), minutes=100.0, batch=4)
    found = stages.Training(job, trainlandcover.RECIPE)
    found.prepare(silent())
    minutes = {name: found.plan(name, silent()).budget.minutes for name in found.stage_names}
    assert sum(minutes.values()) == pytest.approx(100) and minutes["denoiser"] > minutes["autoencoder"]
    alone = stages.Training(replace(job, stage="denoiser"), trainlandcover.RECIPE)
    alone.prepare(silent())
    assert alone.plan("denoiser", silent()).budget.minutes == 100
