# The daily acts. `make PYTHON=path/to/python …` uses another interpreter.
PYTHON ?= python
export PYTHONDONTWRITEBYTECODE = 1

.PHONY: help format lint test run look check gallery train-smoke wheel pins

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

format: ## lay the code out and mend what can be mended by rule
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

lint: ## layout, rules, types, arrows; changes nothing
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(PYTHON) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'

test: ## every test
	$(PYTHON) -m pytest

run: ## the app
	$(PYTHON) app.py

look: ## pictures of every tab, wide and narrow, light and dark, for somebody to look at
	$(PYTHON) -m tests.browser.look build/look

check: lint test ## what CI asks

gallery: ## draw, animate and synthesise the starter gallery again
	$(PYTHON) -m assets.make_gallery

train-smoke: ## a few steps of training, to see that it runs
	$(PYTHON) -m train.align --config train/configs/smoke.toml --output runs/smoke

wheel: ## build/unimma-….whl, with the bundled model and the starter gallery inside
	$(PYTHON) -m pip wheel --no-deps --no-build-isolation --wheel-dir build .

pins: ## resolve the ranges of pyproject.toml into exact pins
	$(PYTHON) .ci/pins.py
