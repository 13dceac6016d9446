"""The protocol between QGIS and the backend: a job as a JSON file in, events as JSON lines out.

Both sides import this package and no other of the backend, so it uses the standard library only. A job is a frozen
dataclass named like its algorithm (`ClipWorldCover` is `clipworldcover`); its fields are the algorithm's parameters in
lower case. Rasters are passed by their paths.
"""

from .errors import BackendError
from .events import Event, Reporter, silent
from .extent import (
    ANTIMERIDIAN,
    DEFAULT_MAX_AREA_KM2,
    SNAP_M,
    Extent,
    outward_multiples,
    shifted_longitudes,
    snapped_bounds,
)
from .features import CLASS_FIELDS, FEATURE_MARGIN_M, VECTOR_SUFFIXES
from .jobs.data import BuildDataset, BuildStandardSets, ClipNaip, ClipWorldCover
from .jobs.evaluate import ChooseTiles, CrossTest, ImageQuality, LandCoverDifference, LandCoverRealism, MixtureStudy
from .jobs.generate import GenerateImage, GenerateLandCover, GenerateScene, RegenerateArea
from .jobs.segment import SegmentImage
from .jobs.train import TrainImage, TrainLandCover, TrainSegmentation
from .legend import LEGEND, WORLDCOVER_CODES, check_shares, parse_numbers, parse_shares
from .outputs import (
    CHECKPOINTS,
    check_outputs,
    partial_path,
    partial_paths,
    remove_partials,
    same_file,
    sidecars,
    unfinished_path,
)
from .registry import JOBS, dump_job, job_name
from .styles import is_climate, known_word, known_words, style_words

__all__ = [
    "ANTIMERIDIAN",
    "CHECKPOINTS",
    "CLASS_FIELDS",
    "DEFAULT_MAX_AREA_KM2",
    "FEATURE_MARGIN_M",
    "JOBS",
    "LEGEND",
    "SNAP_M",
    "VECTOR_SUFFIXES",
    "WORLDCOVER_CODES",
    "BackendError",
    "BuildDataset",
    "BuildStandardSets",
    "ChooseTiles",
    "ClipNaip",
    "ClipWorldCover",
    "CrossTest",
    "Event",
    "Extent",
    "GenerateImage",
    "GenerateLandCover",
    "GenerateScene",
    "ImageQuality",
    "LandCoverDifference",
    "LandCoverRealism",
    "MixtureStudy",
    "RegenerateArea",
    "Reporter",
    "SegmentImage",
    "TrainImage",
    "TrainLandCover",
    "TrainSegmentation",
    "check_outputs",
    "check_shares",
    "dump_job",
    "is_climate",
    "job_name",
    "known_word",
    "known_words",
    "outward_multiples",
    "parse_numbers",
    "parse_shares",
    "partial_path",
    "partial_paths",
    "remove_partials",
    "same_file",
    "shifted_longitudes",
    "sidecars",
    "silent",
    "snapped_bounds",
    "style_words",
    "unfinished_path",
]
