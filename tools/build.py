"""Builds both editions into _build/site: data, chapters executed once, pages, root page."""

import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed

from jupyter_cache import get_cache

from chapters import ROOT, TOC, cache_key, executed, toc_files, toc_notebooks, use_own_kernel

SITE = ROOT / '_build' / 'site'
STAMP = ROOT / '_build' / 'site.stamp'
LOGS = ROOT / '_build' / 'logs'
CONFIG = {'ko': '_config.yml', 'en': '_config.en.yml'}
RUN_BOOK = 'import sys; from jupyter_book.cli.main import main; sys.exit(main())'

ROOT_PAGE = """<!DOCTYPE html>
<html lang="ko">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>d2lrec</title>
<link rel="icon" href="ko/_static/logo.svg">
<link rel="alternate" hreflang="ko" href="{ko}">
<link rel="alternate" hreflang="en" href="{en}">
<link rel="alternate" hreflang="x-default" href="{en}">
<script>
  var first = (navigator.languages && navigator.languages[0]) || navigator.language || "en";
  location.replace(/^ko\\b/i.test(first) ? "{ko}" : "{en}");
</script>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.25rem/1.8 system-ui, sans-serif; display: grid; place-content: center;
         min-height: 100vh; margin: 0; text-align: center; }}
  a {{ color: inherit; display: block; padding: .5rem 1rem; }}
</style>
</head>
<body>
<h1>d2lrec</h1>
<p><a href="{ko}" lang="ko" hreflang="ko">한국어로 읽기</a>
<a href="{en}" lang="en" hreflang="en">Read in English</a></p>
</body>
</html>
"""


def site_key(root=ROOT):
    """Digest of every file that the pages are made of."""
    files = [
        path
        for folder in ('chapters', 'img', '_ext', 'tools', 'd2lrec')
        for path in (root / folder).rglob('*')
        if path.is_file()
        and '__pycache__' not in path.parts
        and '.ipynb_checkpoints' not in path.parts
    ]
    files += [root / name for name in (*CONFIG.values(), *TOC.values(), 'requirements.txt')]
    return cache_key.digest(root, files)


def fetch_data():
    """Fetches what the chapters read; a second time it only checks what is there."""
    print('Data', flush=True)
    if subprocess.call([sys.executable, '-m', 'd2lrec.data'], cwd=ROOT):
        sys.exit('The data could not be fetched; the lines above say why.')


def execute_chapters():
    """Executes the chapters that have no outputs yet for this library; twins share them."""
    folder = cache_key.cache_folder(ROOT)
    if folder.parent.exists():
        for old in folder.parent.iterdir():
            if old != folder:
                shutil.rmtree(old)
    print('Chapters', flush=True)
    get_cache(folder).change_cache_limit(100)  # its tables, before two processes make them
    with ProcessPoolExecutor(min(2, os.cpu_count() or 1)) as pool:
        for language in CONFIG:  # the second edition finds the first one's outputs
            running = [pool.submit(executed, path) for path in toc_notebooks(language)]
            try:
                for one in as_completed(running):
                    one.result()
            except BaseException:  # a cell that failed: begin no further chapter
                for one in running:
                    one.cancel()
                raise


def build_editions():
    """Runs jupyter-book for both editions at once; a warning is an error."""
    print('Pages', flush=True)
    LOGS.mkdir(parents=True, exist_ok=True)
    begun, running = time.time(), {}
    for language, config in CONFIG.items():
        out = ROOT / '_build' / language
        shutil.rmtree(out, ignore_errors=True)
        command = [
            sys.executable,
            '-c',
            RUN_BOOK,
            'build',
            '.',
            '--config',
            config,
            '--toc',
            TOC[language],
            '--path-output',
            str(out),
            '-W',
            '--keep-going',
        ]
        log = open(LOGS / f'{language}.log', 'w', encoding='utf-8')
        running[language] = (
            log,
            subprocess.Popen(
                command,
                cwd=ROOT,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'NO_COLOR': '1', 'PYTHONIOENCODING': 'utf-8'},
            ),
        )
    failed = []
    for language, (log, process) in running.items():
        code = process.wait()
        log.close()
        html = ROOT / '_build' / language / '_build' / 'html'
        missing = [page for page in toc_files(language) if not (html / f'{page}.html').exists()]
        if code or missing:
            failed.append(language)
            text = (LOGS / f'{language}.log').read_text(encoding='utf-8')
            print(
                text,
                f'  {language}: failed, for what the log above and these lines say:',
                *re.findall(r'^.*(?:WARNING|ERROR|rror:).*$', text, flags=re.MULTILINE),
                *(f'no page {page}' for page in missing),
                sep='\n',
            )
        else:
            print(f'  {language}: {len(toc_files(language))} pages, {time.time() - begun:.0f} s')
    if failed:
        sys.exit(f'The pages were not built ({", ".join(failed)}); the logs are in {LOGS}.')


def assemble_site():
    """Moves both editions into one folder, with a page that picks the reader's language."""
    shutil.rmtree(SITE, ignore_errors=True)
    SITE.mkdir(parents=True)
    first = {}
    for language in CONFIG:
        shutil.move(ROOT / '_build' / language / '_build' / 'html', SITE / language)
        shutil.rmtree(ROOT / '_build' / language)
        first[language] = f'{language}/{toc_files(language)[0]}.html'
    (SITE / 'index.html').write_text(ROOT_PAGE.format(**first), encoding='utf-8')
    (SITE / '.nojekyll').touch()


def main():
    use_own_kernel()
    os.chdir(ROOT)
    fetch_data()
    key = site_key()
    execute_chapters()
    if STAMP.exists() and STAMP.read_text() == key and (SITE / 'index.html').exists():
        print('Pages\n  nothing changed')
    else:
        STAMP.unlink(missing_ok=True)
        build_editions()
        assemble_site()
        STAMP.write_text(key)
    print(f'\nOpen {SITE / "index.html"}  (or: make serve)')


if __name__ == '__main__':
    main()
