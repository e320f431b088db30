# Two commands matter: `make run` and `make test`. Everything else is in `make help`.
.DEFAULT_GOAL := help
SHELL := /bin/sh

# The first Python that is new enough, pyenv's among them; `make PYTHON=... run` overrides.
ifndef PYTHON
PYTHON := $(shell for p in python3.13 python3.14 python3.12 python3 python \
	"$${PYENV_ROOT:-$$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null && echo "$$p" && break; done)
endif
# Always `python -m`: the scripts beside it name their interpreter by a path that may hold spaces or move.
VENV := .venv/bin/python
PIP := $(VENV) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes
COMPILE := UV_PYTHON_DOWNLOADS=never $(VENV) -m uv pip compile --quiet --universal --python-version 3.12 \
	--generate-hashes --no-emit-index-url --no-annotate
TEMPLATES := find templates config species adoptions -name '*.html' -print0
REGISTRIES := '(index-url|registry)[ =:"]+http|"resolved": "htt[p]|hosted[.]org|py[p]i[.]org|registry[.]npm[j]s'
# The shell is Chromium without its windows, for half the processor's time.
HAS_SHELL = test -n "$$CHROMIUM" || command -v chromium-headless-shell >/dev/null 2>&1
HAS_CHROMIUM = $(HAS_SHELL) || command -v chromium >/dev/null 2>&1
APT_INSTALL = DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends

# A virtual environment whose Python has gone, or that was interrupted while being made, is made again.
$(shell $(VENV) -c '' 2>/dev/null || rm -f .venv/made)

.PHONY: help run test lint format bench bench-peers chaos campaign lock clean chromium

help: ## Say what each command does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

run: .venv/installed-local ## Start the whole site on http://127.0.0.1:8000/ (another port: PORT=8010 make run)
	@exec $(VENV) manage.py demo

test: export DEBUG = True
test: .venv/installed-dev chromium ## Run every test, with coverage
	@$(HAS_CHROMIUM) || set -- -m "not browser"; exec $(VENV) -m pytest --numprocesses=auto --dist=worksteal --cov --cov-report=term "$$@"

lint: export DEBUG = True
lint: .venv/installed-dev ## Check style, types, templates, migrations and lock files
	$(VENV) -m ruff check
	$(VENV) -m ruff format --check
	$(VENV) -m mypy
	$(TEMPLATES) | xargs -0 .venv/bin/djade --target-version 6.1 --check
	$(VENV) manage.py makemigrations --check --dry-run
	@git grep --no-index --exclude-standard -nIE $(REGISTRIES) -- .; case $$? in 1) ;; 0) \
	echo "A file names a package registry; whoever installs chooses theirs."; exit 1 ;; *) exit 1 ;; esac

format: .venv/installed-dev ## Rewrite code and templates in the house's style
	$(VENV) -m ruff check --fix
	$(VENV) -m ruff format
	$(TEMPLATES) | xargs -0 .venv/bin/djade --target-version 6.1

bench: .venv/installed-dev ## Measure what we promise about speed
	@for script in tests/bench/peers.py tests/bench/measure_*.py; do \
	case "$$script" in *reading.py) continue ;; esac; echo "$$script"; $(VENV) "$$script" || exit 1; done  # peers.py reads

bench-peers: .venv/installed-dev ## Of these, only reading, beside a WordPress and a Wagtail where they are to be had
	@exec $(VENV) tests/bench/peers.py

chaos: .venv/installed-dev ## Kill web, worker and database while people adopt, then count the money
	@exec $(VENV) -m tests.chaos.run

campaign: .venv/installed-dev ## Replay two hours of a campaign in ten minutes, and say how long people waited
	@exec $(VENV) -m tests.bench.campaign

audit: .venv/installed-dev ## List the packages of a release, and look for known holes where the registry answers
	@$(VENV) -m config.local.packages

lock: .venv/installed-dev ## Bring the lock files up to date with pyproject.toml
	$(COMPILE) --upgrade pyproject.toml --output-file requirements.txt
	$(COMPILE) --upgrade --all-extras pyproject.toml --output-file requirements-optional.txt
	$(COMPILE) --upgrade --group local pyproject.toml --output-file requirements-local.txt
	$(COMPILE) --upgrade --all-extras --group dev pyproject.toml --output-file requirements-dev.txt

clean: ## Remove everything that the other commands have made, the demonstration's data included
	@test -z "$(PYTHON)" || rm -rf "$$("$(PYTHON)" -c 'from config.local.postgres import HOME; print(HOME)')"
	rm -rf .venv .local staticfiles media htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .hypothesis

# Browser tests need Chromium. Root on Debian gets it here; anybody else is told.
chromium:
	@$(HAS_SHELL) || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null 2>&1 && { \
	$(HAS_CHROMIUM) || { echo "Installing Chromium for the browser tests ..." && apt-get update -qq; }; \
	$(APT_INSTALL) chromium-headless-shell >/dev/null 2>&1 || $(HAS_CHROMIUM) || $(APT_INSTALL) chromium >/dev/null; }; } || \
	$(HAS_CHROMIUM) || \
	echo "Chromium is not installed, so the browser tests are left out. To have them, install the package 'chromium'."

.venv/installed-local: requirements-local.txt .venv/made
	@echo "Installing the packages the site needs (the first time takes about half a minute) ..."
	@$(PIP) --requirement requirements-local.txt
	@touch $@

.venv/installed-dev: requirements-dev.txt .venv/made
	@echo "Installing the packages that tests and checks need (the first time takes about a minute) ..."
	@$(PIP) --requirement requirements-dev.txt
	@touch $@ .venv/installed-local

.venv/made:
	@test -n "$(PYTHON)" || { echo "Python 3.12 or newer is needed: see https://www.python.org/downloads/"; exit 1; }
	@"$(PYTHON)" -m venv --clear .venv || { echo "Python cannot make a virtual environment here. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@touch $@
