"""The jobs: one frozen dataclass an algorithm, its fields the algorithm's parameters in lower case."""
