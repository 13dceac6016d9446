# make demo [OUT=dir]  the main job, through QGIS itself, from clip to segmentation
# make bench [BENCH_OUT=file]  speed, memory and overlap on this machine, as a table and as JSON
# make test            everything that the tests need, the checks, then all tests, in a real QGIS too
# make test-fast       the tests without the slow ones, those of a cluster and those that open windows
# make test-slow       the other tests
# make weights DATA=dir  the bundled weights, trained anew; resumes where it stopped
# make study DATA=dir [STUDY_OUT=dir] [SET="epochs=5"]  what synthetic data is worth, by every job; resumes where it stopped
# make translations   the texts to translate, gathered anew, and their translations compiled (needs Qt's lrelease)
# make sheets         the contact sheets of the bundled generators in docs
# make screenshots    the pictures in docs, as a test makes them
# make check           lint, format and types: the hooks of .pre-commit-config.yaml
# make docs            the documentation site, in build/site; broken links fail
# All set up what they need; nothing is installed outside this folder but Debian or Ubuntu packages.

OUT ?= build/demo
BENCH_OUT ?= build/bench.json
STUDY_OUT ?= build/study
QGIS_PYTHON ?= /usr/bin/python3
VENV := .venv/bin/python
QGIS_VENV := .venv-qgis/bin/python
UV := .tools/bin/uv
APT := qgis python3-qgis qgis-providers python3-gdal python3-venv nginx-light
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
ATONCE := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder
export QT_QPA_PLATFORM := offscreen
export OMP_WAIT_POLICY := PASSIVE

.PHONY: demo bench test test-fast test-slow test-backend test-qgis weights study translations sheets screenshots check docs qgis setup clean

demo: setup
	$(QGIS_VENV) demo/run.py "$(OUT)"

bench: setup
	$(VENV) bench/run.py "$(BENCH_OUT)"

test: setup
	$(MAKE) --jobs=3 --no-print-directory check test-backend test-qgis

weights: setup
	$(UV) pip install --quiet --python $(VENV) -r weights/requirements.in
	$(VENV) weights/make.py "$(DATA)"

study: setup
	$(VENV) study/make.py "$(DATA)" "$(STUDY_OUT)" $(SET)

translations: setup
	$(QGIS_VENV) i18n/update.py

sheets: setup
	$(VENV) docs/sheets.py

screenshots: setup
	$(QGIS_VENV) -m pytest tests/plugin/test_first_example.py
	cp build/screenshots/first-example-*.png docs/images/

check: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

docs: export NO_MKDOCS_2_WARNING := 1
docs: qgis .venv-qgis/complete .venv-docs/complete
	rm -rf build/docs
	$(QGIS_VENV) docs/generate.py build/docs/algorithms
	.venv-docs/bin/python -m mkdocs build

# Both sides at once, and as many files of tests at once as there are cores, each on one of them.
test-fast: MARKED := -m "not (slow or cluster or gui)"
test-slow: MARKED := -m "slow or cluster or gui"
test-fast test-slow: setup
	$(MAKE) --jobs=2 --no-print-directory test-backend test-qgis MARKED='$(MARKED)'

test-backend test-qgis: export OMP_NUM_THREADS := 1
test-backend: setup
	$(VENV) -m pytest $(ATONCE) $(MARKED)

test-qgis: setup
	$(QGIS_VENV) -m pytest $(ATONCE) $(MARKED)

setup: qgis .venv/complete .venv-qgis/complete

# QGIS from the distribution's packages where it is missing; elsewhere say what to install.
qgis:
	@if $(QGIS_PYTHON) -c "import qgis.core" 2>/dev/null && $(QGIS_PYTHON) -c "import ensurepip" 2>/dev/null \
	  && { command -v nginx || test -x /usr/sbin/nginx; } >/dev/null; then :; \
	elif command -v apt-get >/dev/null; then \
	  $(SUDO) apt-get update -q && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -y -q --no-install-recommends $(APT); \
	else \
	  echo "Install QGIS 3.22 or newer with its Python bindings, and nginx; then say where its Python is: make QGIS_PYTHON=..."; \
	  exit 1; \
	fi

$(UV):
	python3 -m venv .tools
	.tools/bin/python -m pip install --quiet --require-hashes -r backend/requirements-uv.txt

# The backend's own Python. --no-deps: requirements-torch.txt lists whatever torch needs itself.
.venv/complete: backend/requirements.txt backend/requirements-torch.txt tests/requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python '>=3.11' .venv
	$(UV) pip install --quiet --no-deps --require-hashes --python $(VENV) \
	  -r backend/requirements.txt -r backend/requirements-torch.txt
	$(UV) pip install --quiet --no-deps --require-hashes --python $(VENV) -r tests/requirements.txt
	touch $@

# QGIS's Python, with pytest beside what QGIS brings.
.venv-qgis/complete: tests/requirements-qgis.txt | $(UV) qgis
	$(UV) venv --quiet --allow-existing --system-site-packages --python $(QGIS_PYTHON) .venv-qgis
	$(UV) pip install --quiet --require-hashes --python $(QGIS_VENV) -r tests/requirements-qgis.txt
	touch $@

# What builds the documentation, apart from what runs and tests Landforge.
.venv-docs/complete: docs/requirements.txt | $(UV)
	$(UV) venv --quiet --allow-existing --python '>=3.11' .venv-docs
	$(UV) pip install --quiet --no-deps --require-hashes --python .venv-docs/bin/python -r docs/requirements.txt
	touch $@

clean:
	rm -rf .venv .venv-qgis .venv-docs .tools build
