"""Run the main algorithms in QGIS (clip, generate, segment) and write a QGIS project of their results.

`make demo` runs it in QGIS's Python. Where the public sources cannot be reached, it uses the sample in this folder.
"""

import shutil
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tests import qgis_environment

SAMPLE = Path(__file__).parent / "sample"
EXTENT = "-76.5060,-76.4975,42.4400,42.4463 [EPSG:4326]"  # Ithaca, New York
SEED = 7


def main(out: Path) -> None:
    """Run all steps, then write the project and its picture into the folder `out`."""
    qgis_environment.start()
    import processing
    from overview import write_project  # needs a running QGIS
    from qgis.core import QgsProcessingException

    out.mkdir(parents=True, exist_ok=True)

    def run(algorithm: str, **parameters) -> None:
        started = time.monotonic()
        processing.run(f"landforge:{algorithm}", parameters)
        print(f"{algorithm:18} {time.monotonic() - started:6.1f} s", flush=True)

    def clip(algorithm: str, name: str) -> None:
        try:
            run(algorithm, EXTENT=EXTENT, OUTPUT=str(out / name))
        except QgsProcessingException as error:
            print(f"{algorithm}: {error}")
            print(
                f"  The public source is out of reach: {name} is replaced by the embedded sample, which is SYNTHETIC."
            )
            for file in SAMPLE.glob(f"{name}*"):
                shutil.copy(file, out / file.name)

    clip("clipworldcover", "worldcover.tif")
    clip("clipnaip", "naip.tif")
    landcover, image = str(out / "landcover.tif"), str(out / "image_controlnet.tif")
    scene = dict(EXTENT=EXTENT, GENERATOR="controlnet", SEED=SEED)
    run("generatescene", **scene, OUTPUT_LANDCOVER=landcover, OUTPUT_IMAGE=image)
    spade = str(out / "image_spade.tif")
    run("generateimage", LANDCOVER=landcover, GENERATOR="spade", SEED=SEED, OUTPUT=spade)
    run("segmentimage", IMAGE=str(out / "naip.tif"), OUTPUT=str(out / "segmentation.tif"))
    write_project(out)
    print(f"Open {out / 'project.qgz'}, or look at {out / 'overview.png'}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]).absolute())
