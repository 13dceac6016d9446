"""Study what synthetic tiles are worth in mixtures with real ones."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import MixtureStudy as Job
from .. import fields, parameters
from ..algorithm import BackendAlgorithm


class MixtureStudy(BackendAlgorithm):
    """Real and synthetic data sets to a curve."""

    JOB = Job
    TITLE = "Mixture study"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "synthetic", "augmentation", "mixing", "training", "iou", "comparison")
    HELP = (
        "Trains segmentation models on real and synthetic tiles in several mixtures, all for the same number of steps, "
        "and tests them on real tiles. A web page shows mean IoU with confidence intervals over the real share, and "
        "for all real tiles with synthetic ones on top; CSV and JSON hold the same, sub-folders the models. Stopped, "
        "it goes on when it is run again with the same settings and output; shares, additions, architectures and "
        "repetitions may then be added. The log says after the first model how long the rest will take."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One or more real data sets of 'Build data set': for each, its folder or its manifest.csv. Their train "
            "tiles are learned from, and their val tiles choose the best epoch of every model."
        )
        synthetic = "One or more synthetic data sets of the same pixel size; their train tiles are learned from."
        test = "Data sets whose test tiles the models are tested on. Left empty: the real ones' own."
        shares = (
            "Percentages of real tiles at constant size: the training tiles are together as many as all real ones, "
            "and of 25 a quarter of what a model sees is real."
        )
        additions = "So many synthetic tiles for each real one come on top of all real ones: 1, 3. 0: none."
        repetitions = "How often the study is made, each time with another seed, to see what is chance in training."
        return [
            parameters.folders("REAL", "Real data sets", real),
            parameters.folders("SYNTHETIC", "Synthetic data sets", synthetic),
            parameters.folders("TEST", "Test sets", test, optional=True),
            parameters.numbers(Job, "SHARES", "Real shares (%)", shares),
            parameters.numbers(Job, "ADDITIONS", "Synthetic tiles added, for each real one", additions),
            parameters.architectures(Job),
            parameters.number(Job, "REPETITIONS", "Repetitions", repetitions, 1, 100),
            *parameters.lessons(Job),
            parameters.folder_output("OUTPUT", "Mixture study", "The folder of mixturestudy.html, .csv and .json."),
        ]

    def settle(self, given: dict[str, Any]) -> None:  # noqa: D102
        fields.settle_numbers(given, "shares", "additions")
