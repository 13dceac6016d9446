"""Choose the synthetic tiles that teach most."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingOutputFolder

from ...backend.protocol import ChooseTiles as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class ChooseTiles(BackendAlgorithm):
    """A pool of synthetic tiles to those worth training on."""

    JOB = Job
    TITLE = "Choose tiles"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "synthetic", "active learning", "uncertainty", "diversity", "core-set", "training")
    HELP = (
        "Ranks synthetic tiles by what a segmentation model that learned from the real ones finds informative, adds "
        "the best to them, trains anew, and goes on for some rounds; beside it as many tiles at random, with the same "
        "steps and seed. A web page compares both on held-out real tiles, ranking.csv says why each tile was chosen, "
        "and the folder 'chosen' is a data set of those tiles to train on. Stopped, it goes on when it is run again "
        "with the same settings and output; rounds may then be added."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One or more real data sets of 'Build data set': for each, its folder or its manifest.csv. Their val tiles "
            "choose the best epoch of every model."
        )
        pool = "The synthetic data sets whose train tiles may be chosen, of the same pixel size."
        test = "Data sets whose test tiles the models are tested on. Left empty: the real ones' own."
        measure = (
            "entropy, margin: tiles in whose pixels the model is in doubt (Shannon 1948; Scheffer et al. 2001); "
            "diversity: tiles farthest from all that it knows (k-centre greedy, Sener and Savarese 2018); combined: "
            "the most diverse of those in most doubt (as Yang et al. 2017)."
        )
        return [
            parameters.folders("REAL", "Real data sets", real),
            parameters.folders("POOL", "Pool of synthetic data sets", pool),
            parameters.folders("TEST", "Test sets", test, optional=True),
            parameters.number(Job, "COUNT", "Tiles chosen a round", "So many are added in each round.", 1),
            parameters.number(Job, "ROUNDS", "Rounds", "Each trains two models: chosen and at random.", 1, 1000),
            parameters.choice(Job, "MEASURE", "Measure", measure),
            parameters.architecture(Job),
            *parameters.lessons(Job),
            parameters.folder_output("OUTPUT", "Choice", "The folder of choosetiles.html, ranking.csv and 'chosen'."),
        ]

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: D102
        super().initAlgorithm(configuration)
        self.addOutput(QgsProcessingOutputFolder("CHOSEN", "Data set of the chosen tiles"))
