"""LandforgeProvider: the list of Landforge's algorithms."""

from __future__ import annotations

from pathlib import Path

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtGui import QIcon

from . import workflow
from .data.builddataset import BuildDataset
from .data.buildstandardsets import BuildStandardSets
from .data.clipnaip import ClipNaip
from .data.clipworldcover import ClipWorldCover
from .evaluate.choosetiles import ChooseTiles
from .evaluate.crosstest import CrossTest
from .evaluate.imagequality import ImageQuality
from .evaluate.landcoverdifference import LandCoverDifference
from .evaluate.landcoverrealism import LandCoverRealism
from .evaluate.mixturestudy import MixtureStudy
from .generate.generateimage import GenerateImage
from .generate.generatelandcover import GenerateLandCover
from .generate.generatescene import GenerateScene
from .generate.regeneratearea import RegenerateArea
from .segment.segmentimage import SegmentImage
from .train.trainimage import TrainImage
from .train.trainlandcover import TrainLandCover
from .train.trainsegmentation import TrainSegmentation

ALGORITHMS = (
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
ICON = Path(__file__).parent.parent / "icons" / "landforge.svg"


class LandforgeProvider(QgsProcessingProvider):
    """Landforge in the Processing toolbox."""

    def id(self) -> str:  # noqa: D102
        return "landforge"

    def name(self) -> str:  # noqa: D102
        return "Landforge"

    def longName(self) -> str:  # noqa: D102
        return "Landforge: synthetic Earth"

    def icon(self) -> QIcon:  # noqa: D102
        return QIcon(str(ICON))

    def svgIconPath(self) -> str:  # noqa: D102
        return str(ICON)

    def supportedOutputRasterLayerExtensions(self) -> list[str]:  # noqa: D102
        return ["tif", "tiff"]

    def defaultRasterFileExtension(self, hasGeometry: bool = True) -> str:  # noqa: D102
        return "tif"

    def supportsNonFileBasedOutput(self) -> bool:  # noqa: D102
        return False

    def loadAlgorithms(self) -> None:  # noqa: D102
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())
        for model in workflow.load_workflows():
            self.addAlgorithm(model)
