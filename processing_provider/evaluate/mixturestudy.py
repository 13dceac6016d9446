"""Mixture study: real and synthetic data sets to curves of accuracy over the real share."""

from __future__ import annotations

from typing import Any

from ...backend.protocol import MixtureStudy as Job
from .. import parameters
from ..algorithm import BackendAlgorithm
from ..fields import parse_numbers


class MixtureStudy(BackendAlgorithm):
    """Measures what synthetic tiles are worth in mixtures with real ones."""

    JOB = Job
    TITLE = "Mixture study"
    GROUP = "Evaluate"
    TAGS = ("segmentation", "synthetic", "augmentation", "mixing", "training", "iou", "comparison")
    HELP = (
        "Trains segmentation models on real and synthetic tiles in several mixtures, all for the same number of steps, "
        "and tests them on real tiles. A web page shows the mean IoU with confidence intervals over the share of real "
        "tiles, and for all real tiles with synthetic ones added. CSV and JSON files hold the same figures, and "
        "sub-folders the models. To resume a stopped run, run it again with the same settings and output; shares, "
        "additions, architectures and repetitions may then be added. After the first model the log estimates how long "
        "the others will take."
    )

    def parameters(self) -> list[parameters.Parameter]:  # noqa: D102
        real = (
            "One or more real data sets from 'Build data set', by folder or manifest.csv. The models learn from the "
            "training tiles, and the validation tiles select the best epoch of every model."
        )
        synthetic = "One or more synthetic data sets of the same pixel size, whose training tiles are used."
        test = "The data sets with the test tiles. Left empty: the real data sets."
        shares = (
            "Percentages of real tiles in mixtures as large as the real training set: at 25, a quarter of the training "
            "tiles is real and the others are synthetic."
        )
        additions = "Numbers of synthetic tiles for each real one, added to all real tiles, for instance 1, 3. 0: none."
        repetitions = "How often the study is repeated, with new seeds, to show the random variation of training."
        return [
            parameters.folders("REAL", "Real data sets", real),
            parameters.folders("SYNTHETIC", "Synthetic data sets", synthetic),
            parameters.folders("TEST", "Test sets", test, optional=True),
            parameters.number_list(Job, "SHARES", "Real shares (%)", shares),
            parameters.number_list(Job, "ADDITIONS", "Synthetic tiles added for each real one", additions),
            parameters.architectures(Job),
            parameters.number(Job, "REPETITIONS", "Repetitions", repetitions, 1, 100),
            *parameters.segmentation_training(Job),
            parameters.folder_output("OUTPUT", "Mixture study", "The folder of mixturestudy.html, .csv and .json."),
        ]

    def adjust_fields(self, fields: dict[str, Any]) -> None:  # noqa: D102
        parse_numbers(fields, "shares", "additions")
