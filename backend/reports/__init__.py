"""HTML pages, model cards and contact sheets written from results."""
