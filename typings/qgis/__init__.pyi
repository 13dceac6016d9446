# Complements the stub package qgis-stubs: mypy takes modules that are not here from there.
