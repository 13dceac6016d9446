"""All jobs by name, and their JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from .jobs.data import BuildDataset, BuildStandardSets, ClipNaip, ClipWorldCover
from .jobs.evaluate import ChooseTiles, CrossTest, ImageQuality, LandCoverDifference, LandCoverRealism, MixtureStudy
from .jobs.generate import GenerateImage, GenerateLandCover, GenerateScene, RegenerateArea
from .jobs.segment import SegmentImage
from .jobs.train import TrainImage, TrainLandCover, TrainSegmentation

JOBS: dict[str, type[Any]] = {
    job.__name__.lower(): job
    for job in (
        ClipWorldCover,
        ClipNaip,
        BuildDataset,
        BuildStandardSets,
        GenerateLandCover,
        GenerateImage,
        GenerateScene,
        RegenerateArea,
        TrainLandCover,
        TrainImage,
        TrainSegmentation,
        SegmentImage,
        CrossTest,
        ImageQuality,
        LandCoverRealism,
        MixtureStudy,
        ChooseTiles,
        LandCoverDifference,
    )
}


def job_name(job: Any) -> str:
    """The job's name: its algorithm's id and the name of its module in `backend/jobs`."""
    return type(job).__name__.lower()


def dump_job(job: Any) -> str:
    """The job as the JSON text that `python -m backend run` reads."""
    return json.dumps({"job": job_name(job), **dataclasses.asdict(job)}, indent=1)
