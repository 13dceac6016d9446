"""The training recipe of each generator, one file a generator: its stages and the entries of its model index."""
