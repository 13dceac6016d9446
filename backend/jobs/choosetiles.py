"""Choose the synthetic tiles that teach a segmentation model most, round after round, and compare with chance."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend import protocol
from backend.datasets import label_offset, subset
from backend.datasets.layout import Tile
from backend.datasets.reader import counts_of
from backend.geo import legend
from backend.protocol import BackendError, Reporter
from backend.reports import contact_sheet, html
from backend.studies import active_learning_report, runner
from backend.studies.active_learning import Choice
from backend.studies.active_learning_report import Told
from backend.training import segmentation

CHOSEN = "chosen"
SHOWN, SHOWN_PX = 10, 96  # tiles on the page, and the side of what is shown of each


def _write(output: Path, choice: Choice) -> None:
    """The page, the tables and the data set of what is chosen so far."""
    chosen, pool = (choice.learned(tiles) for tiles in (choice.chosen, choice.candidates))
    counts = {f"the {len(chosen)} chosen tiles": counts_of(chosen), "the whole pool": counts_of(pool)}
    shares = {name: found / max(found.sum(), 1) for name, found in counts.items()}
    told = Told(choice.job.measure, choice.job.legend, _equal(choice), shares, _samples(chosen))
    picks = [subset.Pick(tile.image.parent.parent, tile.image.stem, tile.name) for tile in choice.chosen]
    try:
        active_learning_report.write(output, choice.steps, choice.ranking, told)
        subset.write(output / CHOSEN, picks, chosen_by=choice.job.measure)
    except OSError as error:
        raise BackendError(f"Cannot write to {output}: {error}. Check the space on its disk.") from error


def _equal(choice: Choice) -> list[str]:
    """What the models have in common, in words."""
    job, crops = choice.job, choice.crops
    return [
        f"Every model is a new {job.architecture}: {job.epochs} epochs of {crops:,} crops of {job.crop_px} px in "
        f"batches of {job.batch}, {job.epochs * (crops // min(job.batch, crops)):,} steps, seed {job.seed}, the same "
        "first weights and schedule.",
        "Each learns from all real tiles and as many synthetic ones as stand in the table, in one mix by area: real "
        "or synthetic, a tile is seen as often as any other, and less often the more there are.",
        f"In each round the model that learned from the tiles chosen so far ranks the rest of the pool, and "
        f"{job.count} more are chosen. Chance takes the first of one random order, so that its rounds hold each other "
        "too; another seed takes another order.",
        "The best epoch of every model is chosen on the real val tiles.",
    ]


def _samples(tiles: list[Tile]) -> str:
    """The first tiles, image over label, as a figure."""
    columns = []
    for tile in tiles[:SHOWN]:
        side = min(SHOWN_PX, *tile.shape)
        image, label = tile.read(0, 0, side, side)
        columns.append(np.stack([image, legend.picture(label)]))
    caption = "The tiles that were chosen first: a corner of the image, and its label."
    return html.captioned(contact_sheet.png(contact_sheet.sheet(columns)), caption)


def _check_job(job: protocol.ChooseTiles) -> None:
    segmentation.check_settings(runner.lesson(job))
    if job.count < 1 or job.rounds < 1:
        raise BackendError("A study chooses at least 1 tile a round, in at least 1 round.")


def run(job: protocol.ChooseTiles, report: Reporter) -> dict[str, str]:
    """Choose and train round after round; the page and the data set are written anew after each.

    Run again with the same output it goes on, also for more rounds.
    """
    _check_job(job)
    real, pool = runner.opened(job.real, "real", job.legend), runner.opened(job.pool, "pool", "worldcover")
    subset.check_built([tiles.folder for tiles in pool])
    segmentation.check_gsd([*real, *pool])
    runner.check_crops([*real, *pool], job.crop_px)
    tests = runner.held_out(job.test, real, job.legend)
    segmentation.check_gsd([real[0], *tests])
    label_offset.warn([*real, *pool, *(tests if job.test else [])], report)
    choice, output = Choice(job, runner.joined(real), pool, tests), Path(job.output)
    there, wanted = len(choice.candidates), job.count * job.rounds
    if wanted > there:
        raise BackendError(
            f"{job.rounds} rounds of {job.count} are {wanted} tiles, but the pool has {there} training tiles. Choose "
            "fewer or shorter rounds, or give a larger pool."
        )
    choice.trial("round0", []).check()
    runner.claim(output, job)
    report.log(f"{1 + 2 * job.rounds} models; {wanted} of {there} tiles will be chosen")
    for _ in choice.rounds(report):
        _write(output, choice)
    report.log(f"study: {output / active_learning_report.NAME}.html; chosen tiles: {output / CHOSEN}")
    return {"output": job.output, "chosen": str(output / CHOSEN)}
