"""How good a model or a data set is, in numbers."""
