PYTHON := .venv/bin/python

.PHONY: book pdf test format lint serve notebooks editions figures lock clean setup

book: setup            ## the site, all editions, into _build/site
	@$(PYTHON) tools/build.py

pdf: setup             ## each edition of the built site as one PDF, into _build/pdf
	@$(PYTHON) tools/pdf.py

test: setup            ## the style, the book, the tests, the chapters' checked outputs
	@$(PYTHON) tools/run_tests.py

format: setup          ## the code in the project's style, with what the linter can mend
	@$(PYTHON) -m ruff check --fix --exit-zero --quiet .
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check .

lint: setup            ## what is not in the project's style; changes nothing
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

serve: setup           ## the built site on this machine only
	@test -f _build/site/index.html || { echo "Nothing is built yet: run make book first."; exit 1; }
	@echo "http://127.0.0.1:$(or $(PORT),8000)/  (stop with Ctrl-C)"
	@$(PYTHON) -m http.server $(or $(PORT),8000) --bind 127.0.0.1 --directory _build/site

notebooks: setup       ## run the Korean notebooks, carry code and checked outputs to the others
	@$(PYTHON) tools/notebooks.py

editions: setup        ## _config*.yml and _toc*.yml, from book.yml and the editions' words.yml
	@$(PYTHON) tools/editions.py

figures: setup         ## img/*.svg, from tools/drawings
	@$(PYTHON) tools/figures.py

lock: setup            ## requirements.txt anew, from pyproject.toml (asks the package index)
	@$(PYTHON) tools/lock.py

setup:
	@sh tools/setup.sh

clean:                 ## removes what was built; .venv stays
	rm -rf _build .pytest_cache
