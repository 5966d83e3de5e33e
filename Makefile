# Two commands: `make app` starts the dashboard, `make test` runs the tests.
PYTHON ?= $(shell command -v python3.11 || command -v python3 || command -v python)
PORT ?= 8501
VENV ?= .venv
PY := $(VENV)/bin/python

.PHONY: app test docs lint types contracts check lock bench bench-features bench-models bench-explain bench-pages bench-outside clean

app: $(VENV)/.app
	$(PY) -m streamlit run app.py --server.port $(PORT)

# In random order. The header names the seed; `make test SEED=123` repeats it.
test: $(VENV)/.test
	$(PY) -m pytest -n auto --dist loadfile --no-loadscope-reorder $(if $(SEED),--randomly-seed=$(SEED))

# To build/site; every warning is an error.
docs: $(VENV)/.test
	NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict --quiet

lint: $(VENV)/.test
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

types: $(VENV)/.test
	$(PY) -m mypy

contracts: $(VENV)/.test
	$(VENV)/bin/lint-imports

check: lint types contracts test

$(VENV)/bin/python:
	@"$(PYTHON)" -c 'import sys; ok = sys.version_info[:2] == (3, 11); \
	ok or print("NeuroClass needs Python 3.11 (allensdk has no release for another); found", sys.version.split()[0], \
	"\nInstall Python 3.11, or name it: make PYTHON=/path/to/python3.11 app"); sys.exit(not ok)'
	"$(PYTHON)" -m venv $(VENV)

$(VENV)/.app: requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install --disable-pip-version-check -q -r requirements.txt
	$(PY) -m pip check
	@touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt $(VENV)/.app
	$(PY) -m pip install --disable-pip-version-check -q -r requirements-dev.txt
	@touch $@

# Pins every dependency anew; needs uv. The CPU build of torch is named without its local tag.
lock:
	uv pip compile -q -U --python-version 3.11 $(LOCKFLAGS) --no-header --no-annotate requirements.in -o requirements.txt
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' requirements.txt
	uv pip compile -q -U --python-version 3.11 $(LOCKFLAGS) --no-header --no-annotate requirements-dev.in -c requirements.txt -o $(VENV)/dev.txt
	sed -i 's/^\(torch==[0-9.]*\)+cpu/\1/' $(VENV)/dev.txt
	{ echo "-r requirements.txt"; grep -vxFf requirements.txt $(VENV)/dev.txt; } > requirements-dev.txt

bench: bench-features bench-models bench-explain bench-outside

bench-features bench-models bench-explain bench-outside: $(VENV)/.app
	$(PY) -m benchmarks.$(subst bench-,,$@)

# Waits in Chromium (apt-get install chromium); measure on a calm machine.
bench-pages: $(VENV)/.test
	$(PY) -m benchmarks.pages

clean:
	rm -rf $(VENV)
