"""Build standard sets: a real data set to the four data sets of a study."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import BuildStandardSets as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import data_folder


class BuildStandardSets(BackendAlgorithm):
    """Makes the four data sets of a study from a real one."""

    JOB = Job
    TITLE = "Build standard sets"
    GROUP = "Data"
    TAGS = ("synthetic", "dataset", "tiles", "training data", "study", "controlnet", "spade", "comparison")
    HELP = (
        "Makes four data sets from a real one, to measure the value of synthetic data: real images with real land "
        "cover, ControlNet's and SPADE's images on the same land cover, and ControlNet's images on synthetic land "
        "cover. All four have the same tile locations and splits, and serve 'Train segmentation model' and "
        "'Cross-test'. Every image is painted in its tile's style, as far as the generator knows it. The log estimates "
        "the duration before the long part starts. To resume an interrupted run, run it again with the same settings "
        "and output."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = "The folder, or its manifest.csv, of a data set of images and labels at 1 m from 'Build data set'."
        composition = (
            "real: every block of synthetic land cover, about 1.28 km wide, gets the class shares of the real tiles in "
            "it, of training tiles where there are any. free: the model decides."
        )
        own = "A bundled model's name, or the folder of your own model. Left empty: the bundled model."
        output = "The folder of the four data sets: real, controlnet, spade and synthetic."
        models = ("LANDCOVER_MODEL", "Land cover"), ("CONTROLNET_MODEL", "ControlNet"), ("SPADE_MODEL", "SPADE")
        return [
            parameters.folder("DATASET", "Real data set", dataset),
            parameters.choice(Job, "COMPOSITION", "Class shares of the synthetic land cover", composition),
            parameters.seed(Job),
            parameters.steps(Job, parameters.SCENE_STEPS_HELP),
            *(parameters.advanced(parameters.model(Job, own, key, f"{name} model")) for key, name in models),
            parameters.scheduler(Job),
            parameters.folder_output("OUTPUT", "Standard sets", output),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        fields["dataset"] = data_folder(fields["dataset"])
