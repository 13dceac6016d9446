"""The parameters that several algorithms share. Defaults and choices come from the job's own fields."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterFile,
    QgsProcessingParameterFileDestination,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
)

from ..plugin import settings

Parameter = QgsProcessingParameterDefinition
MAX_SEED = 2**31 - 1
ARCHITECTURES = Path(__file__).parent.parent / "backend" / "models" / "architectures"
SAME_PIXELS = "The same seed, model and settings give the same pixels at the same place, whatever the extent."


def explained(parameter: Parameter, text: str) -> Parameter:
    """The parameter with its explanation, which the algorithm's help repeats."""
    parameter.setHelp(text)
    return parameter


def advanced(parameter: Parameter) -> Parameter:
    """The parameter, folded away in the dialog's advanced section."""
    parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
    return parameter


def optional(parameter: Parameter) -> Parameter:
    """The parameter, which may be left out, also by models that were drawn before it was there."""
    parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagOptional)
    return parameter


def default(job: type[Any], key: str) -> Any:
    """The default of the job's field of that key; None where it has none."""
    value = _field(job, key).default
    return None if value is dataclasses.MISSING else value


def literal(job: type[Any], key: str) -> list[str]:
    """The choices of a field whose type is a Literal, read from its text (Python 3.9 cannot resolve `X | None`)."""
    return list(ast.literal_eval(_field(job, key).type[len("Literal") :]))


def _field(job: type[Any], key: str) -> dataclasses.Field:
    (field,) = (f for f in dataclasses.fields(job) if f.name == key.lower())
    return field


BY_POLYGONS = " Left empty: the bounds of the polygons to fill."


def extent(text: str = "The area to cover.", optional: bool = False, empty: str = BY_POLYGONS) -> Parameter:
    """EXTENT; optional where polygons, or what `empty` says, can give it."""
    help_text = f"{text} Typed as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS the project's is taken."
    if optional:
        help_text += empty
    return explained(QgsProcessingParameterExtent("EXTENT", "Extent", None, optional), help_text)


def area() -> Parameter:
    """AREA: polygons to fill."""
    text = (
        "A polygon layer, or its selected features only. Outside the polygons the result is nodata, and nothing is "
        "computed there. Left empty: the whole extent is filled."
    )
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
    return explained(QgsProcessingParameterFeatureSource("AREA", "Polygons to fill", kinds, None, True), text)


def extents(text: str) -> Parameter:
    """EXTENTS: polygons of which each one's bounds are an extent; optional."""
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]
    return explained(QgsProcessingParameterFeatureSource("EXTENTS", "Extents to clip", kinds, None, True), text)


def number(
    job: type[Any],
    key: str,
    label: str,
    text: str,
    low: float,
    high: float | None = None,
    whole: bool = True,
    decimals: int = 2,
) -> Parameter:
    """A number between two bounds; optional where the field's default is None. `decimals` are those of the dialog."""
    value = default(job, key)
    kind = QgsProcessingParameterNumber.Type.Integer if whole else QgsProcessingParameterNumber.Type.Double
    bounds = {"minValue": low} if high is None else {"minValue": low, "maxValue": high}
    found = explained(QgsProcessingParameterNumber(key, label, kind, value, value is None, **bounds), text)
    found.setMetadata({} if whole else {"widget_wrapper": {"decimals": decimals}})
    return found


def choice(job: type[Any], key: str, label: str, text: str, options: list[str] | None = None) -> Parameter:
    """A choice that takes its text; the options are the field's Literal unless given."""
    options = options or literal(job, key)
    value = str(default(job, key))
    return explained(QgsProcessingParameterEnum(key, label, options, False, value, False, True), text)


def string(job: type[Any], key: str, label: str, text: str) -> Parameter:
    """A text; optional where the field's default is empty."""
    value = default(job, key) or ""
    return explained(QgsProcessingParameterString(key, label, value, False, not value), text)


def numbers(job: type[Any], key: str, label: str, text: str) -> Parameter:
    """Numbers typed into one text, parted by commas; `fields.settle_numbers` reads them."""
    value = ", ".join(f"{number:g}" for number in default(job, key))
    return explained(QgsProcessingParameterString(key, label, value), text)


def generator(job: type[Any]) -> Parameter:
    """GENERATOR of images."""
    text = "spade: one pass, fast and clear; controlnet: latent diffusion, more varied and slower."
    return choice(job, "GENERATOR", "Image generator", text)


def architecture(job: type[Any]) -> Parameter:
    """ARCHITECTURE of a segmentation model: one file of the backend each, listed without importing it."""
    return choice(job, "ARCHITECTURE", "Architecture", "The segmentation network.", _architectures())


def architectures(job: type[Any]) -> Parameter:
    """ARCHITECTURE of a study: one or several."""
    text = "The segmentation networks: the study is made with each."
    value = ",".join(default(job, "ARCHITECTURE"))
    options = _architectures()
    return explained(
        QgsProcessingParameterEnum("ARCHITECTURE", "Architectures", options, True, value, False, True), text
    )


def _architectures() -> list[str]:
    return sorted(path.stem for path in ARCHITECTURES.glob("[!_]*.py"))


def lessons(job: type[Any]) -> list[Parameter]:
    """How the models of a study are trained: ENCODER to SEED, those that few change advanced."""
    encoder = "What reads the image, by its name in segmentation-models-pytorch; LALE has none to choose."
    weights = "Pretrained weights to start from, for instance imagenet (downloaded on first use). Left empty: none."
    crops = (
        "How many squares an epoch has, the same for every model. 0: as many as the real training tiles hold. More "
        "tiles so do not mean more steps."
    )
    side = "Side of the squares that training sees, a multiple of 32, at most the tiles' own."
    weighting = "With 'balanced', rare classes weigh more in the loss."
    rate = "Largest learning rate of the schedule."
    legend = "worldcover: 11 classes; merged: the 7 of them that RGB can tell apart, for the models and their scores."
    return [
        string(job, "ENCODER", "Encoder", encoder),
        string(job, "ENCODER_WEIGHTS", "Encoder weights", weights),
        number(job, "EPOCHS", "Epochs", "Of every model.", 1, 10000),
        number(job, "CROP_PX", "Crop size (px)", side, 32, 2048),
        advanced(number(job, "CROPS", "Squares an epoch", crops, 0, 10**9)),
        advanced(number(job, "BATCH", "Batch size", "Squares a step.", 1, 1024)),
        advanced(number(job, "LEARNING_RATE", "Learning rate", rate, 0, 1, whole=False, decimals=6)),
        advanced(choice(job, "CLASS_WEIGHTING", "Class weighting", weighting)),
        choice(job, "LEGEND", "Legend", legend),
        advanced(seed(job, "Decides the first weights, the choice and the order of the tiles.")),
    ]


def seed(job: type[Any], text: str = SAME_PIXELS) -> Parameter:
    """SEED."""
    return number(job, "SEED", "Seed", text, 0, MAX_SEED)


def steps(job: type[Any]) -> Parameter:
    """STEPS of a diffusion sampler."""
    text = (
        "Denoising steps of land cover: 4 are a draft in a third of the time, more than 12 bring nothing. Of images "
        "the bundled ControlNet, which is distilled, takes 4 at most, and SPADE none."
    )
    return number(job, "STEPS", "Sampling steps", text, 1, 200)


def style(job: type[Any]) -> Parameter:
    """STYLE of images."""
    text = (
        "The look of the image: a climate, a year of the imagery, or both, parted by commas, of those that the model "
        "has learned. The bundled models know arid, coastal, humid, inland, 2016, 2018 and 2020. What is left open "
        "the seed draws, as often as the model's training tiles have it; the log and the raster's tags name it."
    )
    return string(job, "STYLE", "Style", text)


def shares(job: type[Any]) -> list[Parameter]:
    """SHARES, and GUIDANCE_SCALE, advanced."""
    text = (
        "The mix of classes asked for, as code:percent, for instance '10:60, 50:20'. It is asked of every window of "
        "1.28 km; percent that are left over are divided as in the model's training data. What comes out is near to "
        "it, not equal. Left empty: the model decides."
    )
    push = (
        "How far the class shares are pushed (classifier-free guidance), where some are asked for: 1 not at all, which "
        "is half the work and with the bundled model nearest to what is asked; more favours the largest shares."
    )
    return [
        string(job, "SHARES", "Class shares (%)", text),
        advanced(number(job, "GUIDANCE_SCALE", "Guidance scale", push, 1, 20, whole=False)),
    ]


def training(job: type[Any], stages: str) -> list[Parameter]:
    """What the trainings of generators share: MODEL, STAGE, MINUTES, STEPS, BATCH, LEARNING_RATE, SEED."""
    start = (
        "The model to go on from, with smaller steps: a bundled one's name, or a folder that a training wrote. A few "
        "hundred tiles of a new region then change the look. Left empty: from nothing, which needs far more."
    )
    minutes = (
        "How long to train, all stages together. Packing and encoding the tiles, once, and the samples come on top. It "
        "may be raised to go on with a training that has ended."
    )
    limit = "Ends each stage after so many steps, if the minutes have not ended it before."
    rate = "Largest learning rate. Left empty: what suits the model, a fifth of it where one is gone on from."
    model = QgsProcessingParameterFile(
        "MODEL", "Start from (bundled name or folder)", QgsProcessingParameterFile.Behavior.Folder, optional=True
    )
    stage = f"{stages} 'all' trains one after another and shares the minutes out. A stage alone needs those before it."
    return [
        explained(model, start),
        number(job, "MINUTES", "Minutes", minutes, 0.1, whole=False),
        advanced(choice(job, "STAGE", "Stage", stage)),
        advanced(number(job, "STEPS", "Steps a stage, at most", limit, 1)),
        advanced(number(job, "BATCH", "Batch size", "Crops a step; halved where the memory is too small.", 1, 4096)),
        advanced(number(job, "LEARNING_RATE", "Learning rate", rate, 0, 1, whole=False, decimals=6)),
        advanced(seed(job, "Decides the first weights and the order of the crops.")),
    ]


def model(job: type[Any], text: str, key: str = "MODEL", label: str = "Model") -> Parameter:
    """A bundled model's name or a model folder."""
    behaviour = QgsProcessingParameterFile.Behavior.Folder
    parameter = QgsProcessingParameterFile(
        key, f"{label} (bundled name or folder)", behaviour, defaultValue=default(job, key), optional=True
    )
    return explained(parameter, text)


def scheduler(job: type[Any]) -> Parameter:
    """SCHEDULER of Dask, advanced."""
    text = (
        "The address of a Dask cluster that computes the blocks, such as tcp://host:8786. Left empty: the one in "
        "Landforge's settings (Plugins, Landforge, Set up the backend), else this machine. Name only a cluster that "
        "you trust: it runs the code that it is sent, and what it sends back is taken as the result."
    )
    return advanced(string(job, "SCHEDULER", "Dask scheduler", text))


def raster(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """A raster layer of any provider."""
    return explained(QgsProcessingParameterRasterLayer(key, label, None, optional), text)


def rasters(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """One or more raster layers of any provider."""
    kind = QgsProcessing.SourceType.TypeRaster
    return explained(QgsProcessingParameterMultipleLayers(key, label, kind, None, optional), text)


def folders(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """One or more folders, such as data sets, by themselves or by a file in them."""
    kind = QgsProcessing.SourceType.TypeFile
    return explained(QgsProcessingParameterMultipleLayers(key, label, kind, None, optional), text)


def folder(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """A folder, such as a data set's."""
    behavior = QgsProcessingParameterFile.Behavior.Folder
    return explained(QgsProcessingParameterFile(key, label, behavior, optional=optional), text)


def folder_output(key: str, label: str, text: str) -> Parameter:
    """Where a folder goes."""
    return explained(QgsProcessingParameterFolderDestination(key, label), text)


def file_output(key: str, label: str, kind: str, text: str) -> Parameter:
    """Where a file goes; `kind` as QGIS writes it, such as `CSV files (*.csv)`."""
    return explained(QgsProcessingParameterFileDestination(key, label, kind), text)


def raster_output(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """Where a GeoTIFF goes; an optional one is not made unless it is asked for."""
    return explained(QgsProcessingParameterRasterDestination(key, label, None, optional, not optional), text)


def grid_crs() -> Parameter:
    """GRID_CRS, advanced."""
    text = (
        "The CRS of the result's grid; it must be projected in metres. Left empty: the project's CRS where that is "
        "projected in metres and meant for this place, else the UTM zone of the extent's centre."
    )
    return advanced(explained(QgsProcessingParameterCrs("GRID_CRS", "CRS of the grid", None, True), text))


def max_area(job: type[Any]) -> Parameter:
    """MAX_AREA_KM2, advanced."""
    text = "A guard against an extent drawn by mistake: larger areas are refused, with an estimate of their size."
    found = number(job, "MAX_AREA_KM2", "Largest area (km²)", text, 0.0, whole=False)
    found.setDefaultValue(settings.max_area_km2())
    return advanced(found)
