"""Train on real and synthetic tiles in several mixtures, the same number of steps each, and test them on real tiles."""

from __future__ import annotations

from pathlib import Path

from backend import protocol
from backend.studies import mixture_study, runner


def run(job: protocol.MixtureStudy, report: protocol.Reporter) -> dict[str, str]:
    """Train and test model after model; the page is written again after each, so that a stopped study has one.

    A second run with the same output continues, also with more shares, additions, architectures, repetitions or tests.
    """
    mixture_study.check_settings(job)
    data = mixture_study.open_data(job, report)
    models, output = mixture_study.plan(job, data), Path(job.output)
    runner.claim_output(output, job)
    mixture_study.run(job, models, data, report)
    report.log(f"study: {output / 'mixturestudy.html'}")
    return {"output": job.output}
