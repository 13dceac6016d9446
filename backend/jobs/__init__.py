"""The jobs, one verb a file, named like their algorithms: each has `run(job, report) -> outputs`."""
