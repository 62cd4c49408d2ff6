"""What the tests of the site share: the built site, a server on loopback, a browser."""

import functools
import http.server
import os
import shutil
import threading
from pathlib import Path

import d2lrec  # noqa: F401  lets a test import MXNet first

import pytest

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / '_build' / 'site'


@pytest.fixture(scope='session')
def site():
    """Folder of the built site; a failure under make test, else a skip, where there is none."""
    if not (SITE / 'index.html').exists():
        if os.environ.get('D2LREC_SITE') == 'needed':
            pytest.fail('the site was not built')
        pytest.skip('no built site: run make book')
    return SITE


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope='session')
def address(site):
    """Address at which the built site is served on loopback."""
    handler = functools.partial(_QuietHandler, directory=str(site))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    server.handle_error = lambda *_: None  # a browser that closes early is no news
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_address[1]}'
    server.shutdown()


@pytest.fixture(scope='session')
def browser():
    """Debian's Chromium; a skip without it, or a failure where D2LREC_BROWSER=needed."""
    program = shutil.which('chromium') or shutil.which('chromium-browser')
    if program is None:
        message = 'no chromium on the path'
        if os.environ.get('D2LREC_BROWSER') == 'needed':
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    arguments = ['--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
    arguments += ['--no-sandbox'] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=arguments)
        yield chromium
        chromium.close()
