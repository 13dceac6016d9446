"""Select the synthetic tiles that improve a segmentation model most, in rounds, and compare with random ones."""

from __future__ import annotations

from pathlib import Path

from backend import protocol
from backend.protocol import Reporter
from backend.studies import active_learning, active_learning_report, runner


def run(job: protocol.ChooseTiles, report: Reporter) -> dict[str, str]:
    """Select and train round after round; the page and the data set are written again after each.

    A second run with the same output continues, also with more rounds.
    """
    active_learning.check_settings(job)
    study, output = active_learning.open_study(job, report), Path(job.output)
    runner.claim_output(output, job)
    report.log(f"{1 + 2 * job.rounds} models; {job.count * job.rounds} of {len(study.candidates)} tiles will be chosen")
    for _ in study.rounds(report):
        study.write(output)
    chosen = output / active_learning.CHOSEN
    report.log(f"study: {output / active_learning_report.NAME}.html; chosen tiles: {chosen}")
    return {"output": job.output, "chosen": str(chosen)}
