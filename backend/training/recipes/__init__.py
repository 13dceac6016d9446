"""How each generator is trained, one file a generator: its stages, and what its model index says."""
