PYTHON := .venv/bin/python

.PHONY: book test serve notebooks lock clean setup

book: setup            ## both editions into _build/site
	@$(PYTHON) tools/build.py

test: setup            ## the book, the tests, the chapters' checked outputs
	@$(PYTHON) tools/run_tests.py

serve: setup           ## the built site on this machine only
	@test -f _build/site/index.html || { echo "Nothing is built yet: run make book first."; exit 1; }
	@echo "http://127.0.0.1:$(or $(PORT),8000)/  (stop with Ctrl-C)"
	@$(PYTHON) -m http.server $(or $(PORT),8000) --bind 127.0.0.1 --directory _build/site

notebooks: setup       ## run the Korean notebooks, carry code and checked outputs to the English
	@$(PYTHON) tools/notebooks.py

lock: setup            ## requirements.txt anew, from pyproject.toml (asks the package index)
	@$(PYTHON) tools/lock.py

setup:
	@sh tools/setup.sh

clean:                 ## removes what was built; .venv stays
	rm -rf _build .pytest_cache
