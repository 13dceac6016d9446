"""Make the four standard data sets of a study from a real one."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import BuildStandardSets as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class BuildStandardSets(BackendAlgorithm):
    """A real data set to four."""

    JOB = Job
    TITLE = "Build standard sets"
    GROUP = "Data"
    TAGS = ("synthetic", "dataset", "tiles", "training data", "study", "controlnet", "spade", "comparison")
    HELP = (
        "Makes of a real data set the four sets by which the worth of synthetic data is measured: real images on real "
        "land cover, ControlNet's and SPADE's images on the same land cover, and ControlNet's images on synthetic land "
        "cover. All have the same tiles, places and splits, and are data sets for 'Train segmentation model' and "
        "'Cross-test'. Each image is painted in the style that 'Build data set' was told of its tile, as far as its "
        "generator knows it. Before the long work the log says how long it will take; a run that was interrupted goes "
        "on when it is run again with the same settings and output."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        dataset = "The folder of a data set of images and labels that 'Build data set' wrote, at 1 m; or its manifest."
        composition = (
            "real: each place of synthetic land cover, of 1.28 km or so, is asked for the class shares that the real "
            "tiles there have together, training tiles where there are any; free: its model decides."
        )
        own = "Left empty or a bundled model's name: the bundled one. Else the folder of a model of your own."
        output = "The folder of the four data sets: real, controlnet, spade and synthetic."
        models = ("LANDCOVER_MODEL", "Land cover"), ("CONTROLNET_MODEL", "ControlNet"), ("SPADE_MODEL", "SPADE")
        return [
            parameters.folder("DATASET", "Real data set", dataset),
            parameters.choice(Job, "COMPOSITION", "Class shares of the synthetic land cover", composition),
            parameters.seed(Job),
            parameters.steps(Job),
            *(parameters.advanced(parameters.model(Job, own, key, f"{name} model")) for key, name in models),
            parameters.scheduler(Job),
            parameters.folder_output("OUTPUT", "Standard sets", output),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        given["dataset"] = fields.folder(given["dataset"])
