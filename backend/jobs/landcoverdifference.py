"""Compare a land cover map with another: where they agree, what they show where they do not, and a confusion table."""

from __future__ import annotations

from pathlib import Path

from odc.geo.geobox import GeoBox

from backend import protocol
from backend.geo import provenance
from backend.geo.class_raster import check_codes, open_class_raster
from backend.geo.raster import RasterWriter, check_writable
from backend.metrics import difference
from backend.metrics.difference import Difference
from backend.protocol import BackendError, partial_path
from backend.reports.landcover_difference import write_partial

REFERENCE, COMPARED = "reference", "compared map"


def run(job: protocol.LandCoverDifference, report: protocol.Reporter) -> dict[str, str]:
    """Write the difference on the reference's grid, and the table as CSV and HTML; the three appear together."""
    for path in (job.output_table, job.output_report):
        check_writable(path)
    with (
        open_class_raster(job.reference, REFERENCE) as reference,
        open_class_raster(job.compared, COMPARED) as compared,
    ):
        for path, role in ((job.reference, REFERENCE), (job.compared, COMPARED)):
            check_codes(path, role, report.log)
        box = GeoBox(reference.shape, reference.transform, reference.crs.to_wkt())
        sources = ((job.reference, reference), (job.compared, compared))
        tags = provenance.difference(*((Path(path).name, source.tags()) for path, source in sources))
        with RasterWriter(job.output, box, "classes", tags) as writer:
            report.log(f"Difference: {writer.size()}")
            hectares = difference.write_pairs(writer, reference, compared, (job.reference, job.compared), report)
            if not hectares.any():
                raise BackendError(
                    f"{job.reference} and {job.compared} have no ground in common that both give a WorldCover class. "
                    "Check that they lie over each other and carry WorldCover's codes."
                )
            writer.legend = difference.pair_legend(hectares > 0)
            result = Difference(Path(job.reference).name, Path(job.compared).name, hectares)
            write_partial(job.output_table, job.output_report, result)
    for path in (job.output_table, job.output_report):
        partial_path(path).replace(path)
    report.log(result.sentence())
    return {"output": job.output, "output_table": job.output_table, "output_report": job.output_report}
