"""Studies of many trainings: mixtures of real and synthetic tiles, and active learning."""
