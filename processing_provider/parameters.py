"""Constructors of parameters. Defaults and choices come from the fields of the algorithm's job."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsProcessing,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterCrs,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterEnum,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
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
SEED_HELP = "The same seed, model and settings give the same pixels at the same place, whatever the extent."
ENCODER_HELP = "The feature extractor, by its name in segmentation-models-pytorch. LALE has no separate encoder."
WEIGHTS_HELP = (
    "Pretrained weights of the encoder, for instance imagenet (downloaded on first use). Left empty: random weights."
)
LANDCOVER_STEPS_HELP = (
    "Denoising steps of land cover. 4 give a draft in a third of the time; more than 12 bring no improvement."
)
IMAGE_STEPS_HELP = (
    "Denoising steps of ControlNet. The bundled ControlNet, which is distilled, takes 3 at most. SPADE takes none."
)
SCENE_STEPS_HELP = (
    f"{LANDCOVER_STEPS_HELP} For images, the bundled ControlNet, which is distilled, takes 3 at most, and SPADE none."
)
IMAGE_STYLE_HELP = (
    "The look of the image: a climate, and a year or a season of imagery, separated by commas. The bundled models have "
    "learned temperate, semiarid, coastal, arid, 2016, 2018, 2020, summer and autumn. What is left open is drawn at "
    "random by the seed, among the styles of the model's training tiles that fit the map's classes. The log and the "
    "raster's tags name the style."
)
LANDCOVER_STYLE_HELP = (
    "The climate of the map. The bundled model has learned tropical, temperate and semiarid. Left empty: the seed "
    "draws one at random. The log and the raster's tags name it."
)
SCENE_STYLE_HELP = (
    "The look of the scene: a climate, and a year or a season of imagery, separated by commas. The bundled models have "
    "learned temperate and semiarid, land cover also tropical, images also coastal, arid, 2016, 2018, 2020, summer and "
    "autumn. Where one of the two does not know the climate, it takes the nearest. What is left open is drawn at "
    "random by the seed. The log and the raster's tags name the style."
)
RATE_HELP = "The largest learning rate of the schedule."
WEIGHTING_HELP = "balanced: rare classes weigh more in the loss."


def with_help(parameter: Parameter, text: str) -> Parameter:
    """The parameter with its help text, which the algorithm's help repeats."""
    parameter.setHelp(text)
    return parameter


def advanced(parameter: Parameter) -> Parameter:
    """The parameter, moved to the dialog's advanced section."""
    parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)  # type: ignore[attr-defined]
    return parameter


def optional(parameter: Parameter) -> Parameter:
    """The parameter, made optional. Models saved before the parameter existed stay valid."""
    parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagOptional)  # type: ignore[attr-defined]
    return parameter


def default(job: type[Any], key: str) -> Any:
    """The default of the job's field of this key; None where it has none."""
    value = _field(job, key).default
    return None if value is dataclasses.MISSING else value


def literal_choices(job: type[Any], key: str) -> list[str]:
    """The choices of a field whose type is a Literal.

    They are parsed from the annotation's text, because Python 3.9 cannot resolve annotations such as `X | None`.
    """
    return list(ast.literal_eval(_field(job, key).type[len("Literal") :]))


def _field(job: type[Any], key: str) -> dataclasses.Field:
    return next(field for field in dataclasses.fields(job) if field.name == key.lower())


BOUNDS_OF_POLYGONS = " Left empty: the bounds of the polygons to fill."


def extent(text: str = "The extent to cover.", optional: bool = False, empty: str = BOUNDS_OF_POLYGONS) -> Parameter:
    """EXTENT. Where it is optional, `empty` says in the help what replaces an empty extent."""
    help_text = f"{text} Type it as xmin,xmax,ymin,ymax [EPSG:code]; without a CRS, the project's CRS is used."
    if optional:
        help_text += empty
    return with_help(QgsProcessingParameterExtent("EXTENT", "Extent", None, optional), help_text)


def region() -> Parameter:
    """AREA: the polygons to fill, optional."""
    text = (
        "A polygon layer, or its selected features only. Outside the polygons the result is nodata, and nothing is "
        "computed there. Left empty: the whole extent is filled."
    )
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]  # type: ignore[attr-defined]
    return with_help(QgsProcessingParameterFeatureSource("AREA", "Polygons to fill", kinds, None, True), text)


def vector_layers() -> list[Parameter]:
    """ROADS, BUILDINGS and WATER, and the fields of the widths of lines; all optional."""
    line = QgsProcessing.SourceType.TypeVectorLine  # type: ignore[attr-defined]
    polygon = QgsProcessing.SourceType.TypeVectorPolygon  # type: ignore[attr-defined]
    roads = (
        "Lines or polygons, for instance OpenStreetMap's, that are drawn as roads. Lines are as wide as their "
        "class in a field 'highway' usually is (motorway 22 m, primary 12 m, residential 6 m, path 2 m), and 6 m "
        "without such a field. Bridges lie over water."
    )
    buildings = "Polygons that are drawn as buildings."
    water = (
        "Polygons, or lines, that are drawn as water. Lines are as wide as their class in a field 'waterway' "
        "usually is (river 20 m, canal 10 m, stream 3 m, ditch 2 m), and 4 m without such a field."
    )
    width = "The field with the width of each line in metres. Where it is empty or not above 0, the class decides."
    return [
        _features("ROADS", "Roads", [line, polygon], roads),
        _features("BUILDINGS", "Buildings", [polygon], buildings),
        _features("WATER", "Water", [polygon, line], water),
        _width_field("ROADS", "Width of roads (m)", width),
        _width_field("WATER", "Width of water (m)", width),
    ]


def _features(key: str, label: str, kinds: list[Any], text: str) -> Parameter:
    return with_help(QgsProcessingParameterFeatureSource(key, label, kinds, None, True), text)


def _width_field(layer: str, label: str, text: str) -> Parameter:
    parameter = QgsProcessingParameterField(f"{layer}_WIDTH", label, parentLayerParameterName=layer, optional=True)
    return advanced(with_help(parameter, text))


def extents(text: str) -> Parameter:
    """EXTENTS: polygons whose bounds are the extents to clip, optional."""
    kinds = [QgsProcessing.SourceType.TypeVectorPolygon]  # type: ignore[attr-defined]
    return with_help(QgsProcessingParameterFeatureSource("EXTENTS", "Extents to clip", kinds, None, True), text)


def number(
    job: type[Any],
    key: str,
    label: str,
    text: str,
    minimum: float,
    maximum: float | None = None,
    integer: bool = True,
    decimals: int = 2,
) -> Parameter:
    """A number between two bounds; optional where the field's default is None.

    `decimals` is the number of decimals that the dialog shows of a number that is no integer.
    """
    value = default(job, key)
    kind = QgsProcessingParameterNumber.Type.Integer if integer else QgsProcessingParameterNumber.Type.Double
    bounds = {"minValue": minimum} if maximum is None else {"minValue": minimum, "maxValue": maximum}
    parameter = with_help(QgsProcessingParameterNumber(key, label, kind, value, value is None, **bounds), text)
    parameter.setMetadata({} if integer else {"widget_wrapper": {"decimals": decimals}})
    return parameter


def choice(job: type[Any], key: str, label: str, text: str, options: list[str] | None = None) -> Parameter:
    """A choice whose value is the option's text; the options are the field's Literal unless given."""
    options = options or literal_choices(job, key)
    value = str(default(job, key))
    return with_help(QgsProcessingParameterEnum(key, label, options, False, value, False, True), text)


def boolean(job: type[Any], key: str, label: str, text: str) -> Parameter:
    """A switch."""
    return with_help(QgsProcessingParameterBoolean(key, label, default(job, key)), text)


def string(job: type[Any], key: str, label: str, text: str) -> Parameter:
    """A text; optional where the field's default is empty."""
    value = default(job, key) or ""
    return with_help(QgsProcessingParameterString(key, label, value, False, not value), text)


def number_list(job: type[Any], key: str, label: str, text: str) -> Parameter:
    """A text of numbers separated by commas; `fields.parse_numbers` parses it."""
    value = ", ".join(f"{number:g}" for number in default(job, key))
    return with_help(QgsProcessingParameterString(key, label, value), text)


def generator(job: type[Any]) -> Parameter:
    """GENERATOR: the image generator."""
    text = "spade: one pass, fast and clear. controlnet: latent diffusion, more varied and slower."
    return choice(job, "GENERATOR", "Image generator", text)


def architecture(job: type[Any]) -> Parameter:
    """ARCHITECTURE: the segmentation network."""
    return choice(job, "ARCHITECTURE", "Architecture", "The segmentation network.", _architectures())


def architectures(job: type[Any]) -> Parameter:
    """ARCHITECTURE of a study: one or more segmentation networks."""
    text = "The segmentation networks. The study is repeated for every one of them."
    value = ",".join(default(job, "ARCHITECTURE"))
    options = _architectures()
    return with_help(
        QgsProcessingParameterEnum("ARCHITECTURE", "Architectures", options, True, value, False, True), text
    )


def _architectures() -> list[str]:
    """The names of the backend's architectures: its files, since QGIS's Python cannot import them."""
    return sorted(path.stem for path in ARCHITECTURES.glob("[!_]*.py"))


def segmentation_training(job: type[Any]) -> list[Parameter]:
    """The training settings of a study's segmentation models, from ENCODER to SEED."""
    crops = (
        "Crops per epoch, the same for every model. 0: as many as the real training tiles hold. So more tiles do not "
        "mean more training steps."
    )
    side = "Side of the training crops, a multiple of 32. Tiles must not be smaller."
    legend = (
        "worldcover: the 11 classes. merged: the 7 classes that RGB can tell apart. Models and scores have the same "
        "classes."
    )
    return [
        string(job, "ENCODER", "Encoder", ENCODER_HELP),
        string(job, "ENCODER_WEIGHTS", "Encoder weights", WEIGHTS_HELP),
        number(job, "EPOCHS", "Epochs", "Training epochs of every model.", 1, 10000),
        number(job, "CROP_PX", "Crop size (px)", side, 32, 2048),
        advanced(number(job, "CROPS", "Crops per epoch", crops, 0, 10**9)),
        advanced(number(job, "BATCH", "Batch size", "Crops per training step.", 1, 1024)),
        advanced(number(job, "LEARNING_RATE", "Learning rate", RATE_HELP, 0, 1, integer=False, decimals=6)),
        advanced(choice(job, "CLASS_WEIGHTING", "Class weighting", WEIGHTING_HELP)),
        choice(job, "LEGEND", "Legend", legend),
        advanced(seed(job, "Decides the initial weights, and the choice and order of the tiles.")),
    ]


def code_legend(job: type[Any]) -> Parameter:
    """LEGEND: the legend of a land cover map's codes, advanced."""
    text = (
        "The legend of the map's codes: ESA WorldCover's, NLCD's, Esri's 10 m land cover's or Dynamic World's. Another "
        "one than WorldCover's is translated to it. Maps with other values than those of the legend are refused."
    )
    return advanced(optional(choice(job, "LEGEND", "Legend of the codes", text)))


def image_reading(job: type[Any]) -> list[Parameter]:
    """BANDS and STRETCH: how an image is read, advanced."""
    bands = (
        "The numbers of the red, green and blue band, for instance '4, 1, 2' for false colour. Left empty: the first "
        "three or, of a layer that is not of 8 bits, those that it shows."
    )
    stretch = (
        "The lower and the upper bound that become black and white, for instance '0, 2000', or those of each band: "
        "'0, 2000; 0, 1800; 0, 1500'. Left empty: images of 8 bits stay as they are; others are stretched as their "
        "layer is drawn, or else from the 2nd to the 98th percentile of the whole raster. The log names the bounds."
    )
    return [
        advanced(string(job, "BANDS", "Bands (red, green, blue)", bands)),
        advanced(string(job, "STRETCH", "Stretch", stretch)),
    ]


def seed(job: type[Any], text: str = SEED_HELP) -> Parameter:
    """SEED."""
    return number(job, "SEED", "Seed", text, 0, MAX_SEED)


def steps(job: type[Any], text: str) -> Parameter:
    """STEPS: the number of denoising steps."""
    return number(job, "STEPS", "Sampling steps", text, 1, 200)


def style(job: type[Any], text: str) -> Parameter:
    """STYLE."""
    return string(job, "STYLE", "Style", text)


def shares(job: type[Any]) -> list[Parameter]:
    """SHARES and GUIDANCE_SCALE of land cover."""
    text = (
        "The requested class shares as code:percent, for instance '10:60, 50:20'. They apply to every window of 1.28 "
        "km. The remaining percentage is divided as in the model's training data. The result comes near to the "
        "requested shares but does not match them exactly. Left empty: the model decides."
    )
    guidance = (
        "The strength of the class shares (classifier-free guidance). It has no effect without class shares. 1: no "
        "guidance, half the computation, and with the bundled model the closest match. Larger values favour the "
        "largest shares."
    )
    return [
        string(job, "SHARES", "Class shares (%)", text),
        advanced(number(job, "GUIDANCE_SCALE", "Guidance scale", guidance, 1, 20, integer=False)),
    ]


def generator_training(job: type[Any], stages: str) -> list[Parameter]:
    """The training settings of a generator: MODEL, MINUTES, STAGE, STEPS, BATCH, LEARNING_RATE, SEED.

    `stages` explains the generator's training stages in the help of STAGE.
    """
    start = (
        "The model to fine-tune, with a lower learning rate: a bundled model's name, or a folder that a training "
        "wrote. A few hundred tiles of a new region are then enough to change the look. Left empty: training from "
        "scratch, which needs far more tiles."
    )
    minutes = (
        "The training time of all stages together. Preparing the tiles, which happens once, and drawing samples take "
        "additional time. Raise it to continue a training that has ended."
    )
    limit = "The largest number of steps of a stage. Left empty: only the minutes end a stage."
    rate = "The largest learning rate. Left empty: the model's default, a fifth of it for fine-tuning."
    model = QgsProcessingParameterFile(
        "MODEL", "Start from (bundled name or folder)", QgsProcessingParameterFile.Behavior.Folder, optional=True
    )
    stage = f"{stages} all: one stage after another, with the minutes divided. A single stage needs those before it."
    return [
        with_help(model, start),
        number(job, "MINUTES", "Minutes", minutes, 0.1, integer=False),
        advanced(choice(job, "STAGE", "Stage", stage)),
        advanced(number(job, "STEPS", "Maximum steps per stage", limit, 1)),
        advanced(number(job, "BATCH", "Batch size", "Crops per training step. Halved where memory runs out.", 1, 4096)),
        advanced(number(job, "LEARNING_RATE", "Learning rate", rate, 0, 1, integer=False, decimals=6)),
        advanced(seed(job, "Decides the initial weights and the order of the crops.")),
    ]


def model(job: type[Any], text: str, key: str = "MODEL", label: str = "Model") -> Parameter:
    """A model, by a bundled model's name or by its folder."""
    behaviour = QgsProcessingParameterFile.Behavior.Folder
    parameter = QgsProcessingParameterFile(
        key, f"{label} (bundled name or folder)", behaviour, defaultValue=default(job, key), optional=True
    )
    return with_help(parameter, text)


def scheduler(job: type[Any]) -> Parameter:
    """SCHEDULER of a Dask cluster, advanced."""
    text = (
        "The address of a Dask cluster that computes the blocks, such as tcp://host:8786. Left empty: the cluster in "
        "Landforge's settings (Plugins, Landforge, Set up the backend), else this machine. Use only a cluster that you "
        "trust: Landforge sends it code to run and accepts its results unchecked."
    )
    return advanced(string(job, "SCHEDULER", "Dask scheduler", text))


def raster(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """A raster layer of any provider."""
    return with_help(QgsProcessingParameterRasterLayer(key, label, None, optional), text)


def rasters(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """One or more raster layers of any provider."""
    kind = QgsProcessing.SourceType.TypeRaster  # type: ignore[attr-defined]
    return with_help(QgsProcessingParameterMultipleLayers(key, label, kind, None, optional), text)


def folders(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """One or more folders, such as data sets, given by their paths or by that of a file in them."""
    kind = QgsProcessing.SourceType.TypeFile  # type: ignore[attr-defined]
    return with_help(QgsProcessingParameterMultipleLayers(key, label, kind, None, optional), text)


def folder(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """An input folder, such as a data set's."""
    behavior = QgsProcessingParameterFile.Behavior.Folder
    return with_help(QgsProcessingParameterFile(key, label, behavior, optional=optional), text)


def folder_output(key: str, label: str, text: str) -> Parameter:
    """An output folder."""
    return with_help(QgsProcessingParameterFolderDestination(key, label), text)


def file_output(key: str, label: str, kind: str, text: str) -> Parameter:
    """An output file; `kind` is QGIS's file filter, such as `CSV files (*.csv)`."""
    return with_help(QgsProcessingParameterFileDestination(key, label, kind), text)


def raster_output(key: str, label: str, text: str, optional: bool = False) -> Parameter:
    """An output GeoTIFF; an optional one is switched off by default."""
    return with_help(QgsProcessingParameterRasterDestination(key, label, None, optional, not optional), text)


def encoder_weights(job: type[Any]) -> Parameter:
    """ENCODER_WEIGHTS of a training with a discriminator, advanced."""
    text = (
        "The weights of the discriminator's encoder, an EfficientNet-Lite0: imagenet (downloaded on first use) or "
        "a .safetensors file. Left empty: those of the bundled segmentation model."
    )
    return advanced(string(job, "ENCODER_WEIGHTS", "Discriminator's encoder weights", text))


def grid_crs() -> Parameter:
    """GRID_CRS, advanced."""
    text = (
        "The CRS of the result's grid, projected in metres. Left empty: the project's CRS where that is projected in "
        "metres and valid at the extent, else the UTM zone of the extent's centre."
    )
    return advanced(with_help(QgsProcessingParameterCrs("GRID_CRS", "CRS of the grid", None, True), text))


def max_area(job: type[Any]) -> Parameter:
    """MAX_AREA_KM2, advanced."""
    text = "A guard against an extent drawn by mistake. Larger areas are refused, with an estimate of their size."
    parameter = number(job, "MAX_AREA_KM2", "Largest area (km²)", text, 0.0, integer=False)
    parameter.setDefaultValue(settings.max_area_km2())
    return advanced(parameter)
