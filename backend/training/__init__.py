"""The training of generators: data into batches, one loop, stages that resume, and what judges and measures them."""
