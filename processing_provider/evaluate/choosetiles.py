"""Choose tiles: a pool of synthetic tiles to the most useful ones for training."""

from __future__ import annotations

from typing import Any

from qgis.core import QgsProcessingOutputFolder

from ...backend.protocol import ChooseTiles as Job
from .. import parameters
from ..algorithm import BackendAlgorithm


class ChooseTiles(BackendAlgorithm):
    """Chooses the synthetic tiles that improve a segmentation model most, by active learning."""

    JOB = Job
    TITLE = "Choose tiles"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "synthetic", "active learning", "uncertainty", "diversity", "core-set", "training")
    HELP = (
        "Trains a segmentation model on real tiles, ranks synthetic tiles by how informative they are to it, adds the "
        "best ones to the training tiles and repeats this for some rounds. For comparison, the same number of tiles is "
        "chosen at random, with the same steps and seed. A web page compares both on held-out real tiles, ranking.csv "
        "says why every tile was chosen, and the folder 'chosen' is a data set of the chosen tiles. To resume a "
        "stopped run, run it again with the same settings and output; rounds may then be added."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One or more real data sets from 'Build data set', by folder or manifest.csv. The models learn from the "
            "training tiles, and the validation tiles select the best epoch of every model."
        )
        pool = "The synthetic data sets to choose training tiles from, of the same pixel size."
        test = "The data sets with the test tiles. Left empty: the real data sets."
        rounds = "Every round trains two models: one with chosen tiles, one with random tiles."
        measure = (
            "entropy, margin: tiles where the model is most uncertain (Shannon 1948; Scheffer et al. 2001). diversity: "
            "tiles that differ most from the training tiles (k-centre greedy, Sener and Savarese 2018). combined: the "
            "most diverse of the most uncertain tiles (after Yang et al. 2017)."
        )
        return [
            parameters.folders("REAL", "Real data sets", real),
            parameters.folders("POOL", "Pool of synthetic data sets", pool),
            parameters.folders("TEST", "Test sets", test, optional=True),
            parameters.number(Job, "COUNT", "Tiles per round", "The number of tiles added in every round.", 1),
            parameters.number(Job, "ROUNDS", "Rounds", rounds, 1, 1000),
            parameters.choice(Job, "MEASURE", "Measure", measure),
            parameters.architecture(Job),
            *parameters.segmentation_training(Job),
            parameters.folder_output("OUTPUT", "Choice", "The folder of choosetiles.html, ranking.csv and 'chosen'."),
        ]

    def initAlgorithm(self, configuration: Any = None) -> None:  # noqa: D102
        super().initAlgorithm(configuration)
        self.addOutput(QgsProcessingOutputFolder("CHOSEN", "Data set of the chosen tiles"))
