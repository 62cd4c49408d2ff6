"""What the tests of the site share: the built site, a server on loopback, a browser."""

import functools
import http.server
import importlib.util
import json
import os
import re
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
    """Debian's Chromium, driven by Playwright; a skip without, or a failure where it is needed.

    That is where D2LREC_BROWSER=needed.
    """
    program = shutil.which('chromium') or shutil.which('chromium-browser')
    driver = importlib.util.find_spec('playwright')
    if program is None or driver is None:
        message = 'no chromium on the path' if program is None else 'playwright is not installed'
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


FOCUSED = """() => { const e = document.activeElement, r = e.getBoundingClientRect();
  const drawn = e.querySelector('.d2i-touch');
  const line = getComputedStyle(e.matches('[type=radio]') ? e.parentElement : e);
  return { inside: e.closest('.d2i-live') !== null,
    ringed: drawn ? getComputedStyle(drawn).stroke !== 'none' : line.outlineStyle !== 'none',
    seen: r.width > 0 && r.bottom > 0 && r.top < innerHeight } }"""


class Stage:
    """Instruments as a notebook's outputs: each in a page of its own, opened from a folder."""

    def __init__(self, browser, folder):
        self.browser, self.folder, self.contexts = browser, folder, []
        self.elsewhere, self.complaints = [], []

    def show(self, instrument, language='en', width=800, script=True, head='', **options):
        """A page that holds the output, as Jupyter has it, in a language."""
        path = self.folder / f'{instrument.name}-{len(self.contexts)}.html'
        words = f'data-language="{language}"'
        output = re.sub('data-language="[^"]*"', words, instrument._repr_html_(), count=1)
        head = f'<meta charset="utf-8"><title>{instrument.name}</title>{head}'
        path.write_text(f'<!DOCTYPE html><html lang="en">{head}{output}', encoding='utf-8')
        context = self.browser.new_context(
            viewport={'width': width, 'height': 900}, java_script_enabled=script, **options
        )
        self.contexts.append(context)
        page = context.new_page()
        page.on('request', self._asked)
        page.on('pageerror', lambda error: self.complaints.append(str(error)))
        page.on(
            'console',
            lambda message: (
                message.type in ('error', 'warning') and self.complaints.append(message.text)
            ),
        )
        page.goto(path.as_uri())
        return page

    def _asked(self, request):
        if not request.url.startswith((self.folder.as_uri(), 'data:')):
            self.elsewhere.append(request.url)

    def phone(self, instrument, **options):
        """The output on a telephone, to be used by a finger."""
        head = '<meta name="viewport" content="width=device-width, initial-scale=1">'
        options |= {'width': 390, 'has_touch': True, 'is_mobile': True, 'head': head}
        return self.show(instrument, **options)

    def stops(self, page):
        """What the keyboard stops at: (role, name, element) of each, as a screen reader has them.

        Each is inside the instrument, in sight and ringed; past the last one the focus leaves it.
        """
        reader, found = page.context.new_cdp_session(page), []
        page.evaluate("""() => { const edge = document.createElement('a');
          edge.tabIndex = -1, document.querySelector('.d2i-live').before(edge), edge.focus() }""")
        for _ in range(80):
            page.keyboard.press('Tab')
            seen = page.evaluate(FOCUSED)
            if not seen['inside']:
                return found
            here = reader.send('Runtime.evaluate', {'expression': 'document.activeElement'})
            node = reader.send(
                'Accessibility.getPartialAXTree',
                {'objectId': here['result']['objectId'], 'fetchRelatives': False},
            )['nodes'][0]
            role, name = node['role']['value'], node['name']['value'].strip()
            assert name and seen['ringed'] and seen['seen'], (role, name, seen)
            found.append((role, name, page.evaluate_handle('document.activeElement').as_element()))
        raise AssertionError(f'the keyboard does not get out: {found[-6:]}')

    def press(self, page, element, role):
        """Uses a control by its keys: what it answers changes, and the focus is not lost."""
        before = self.answer(page)
        element.focus()
        if role == 'combobox' and element.evaluate('e => e.matches("input")'):
            name, shown = element.evaluate('e => [e.id, e.value]')
            listed = page.locator(f'[id="{name}-list"]')
            for last in ('Escape', 'Enter'):
                page.keyboard.press('Control+A')
                page.keyboard.press('Backspace')
                for _ in range(3):
                    page.keyboard.press('ArrowDown')
                assert listed.locator('[aria-selected=true]').count() == 1
                active = element.get_attribute('aria-activedescendant')
                assert active == listed.locator('[aria-selected=true]').get_attribute('id')
                page.keyboard.press(last)
                assert listed.is_hidden() and element.get_attribute('aria-expanded') == 'false'
                if last == 'Escape':
                    assert element.input_value() == shown and self.answer(page) == before
        elif role == 'combobox':
            page.keyboard.press('ArrowDown' if element.input_value() == '0' else 'ArrowUp')
        elif role in ('slider', 'radio', 'application', 'group'):
            for key in ('ArrowRight', 'ArrowLeft', 'ArrowLeft', 'ArrowDown', 'ArrowDown'):
                page.keyboard.press(key)
                page.wait_for_timeout(30)  # sliders of much arithmetic answer with the next frame
                if self.answer(page) != before:
                    break
        else:
            page.keyboard.press('Space')
        assert page.evaluate("document.activeElement.closest('.d2i-live') !== null"), 'no focus'
        return self.answer(page) != before

    def by_keys(self, page, also_none=()):
        """Walks through an instrument by keys alone, there and back, and uses what it stops at."""
        for fold in page.locator('summary:visible').all():
            for key, opened in (('Space', True), ('Enter', False), ('Enter', True)):
                fold.press(key)
                assert fold.evaluate('e => e.parentElement.open') == opened, key
        found = self.stops(page)
        for role, name, element in reversed(found[:-1]):
            if element == found[-2][2]:
                found[-1][2].focus()
            page.keyboard.press('Shift+Tab')
            assert element.evaluate('e => e === document.activeElement'), (role, name)
        for role, name, element in found:
            if role in ('group', 'DisclosureTriangle') or not element.evaluate(
                'e => e.isConnected'
            ):
                continue
            chosen = element.evaluate("e => e.matches('.d2i-entry[aria-pressed=true]')")
            changed = self.press(page, element, role)
            assert changed or chosen or name in also_none, (role, name)

    @staticmethod
    def swipe(page, begin, end):
        """A finger that goes from one place to another, as a touch screen tells it."""
        reader, steps = page.context.new_cdp_session(page), 8
        for n in range(steps + 1):
            x, y = (b + (e - b) * n / steps for b, e in zip(begin, end))
            kind = 'touchMove' if n else 'touchStart'
            points = [{'x': x, 'y': y}]
            reader.send('Input.dispatchTouchEvent', {'type': kind, 'touchPoints': points})
        reader.send('Input.dispatchTouchEvent', {'type': 'touchEnd', 'touchPoints': []})

    @staticmethod
    def middle(element):
        """The place of an element that has been brought into sight."""
        element.scroll_into_view_if_needed()
        box = element.bounding_box()
        return box['x'] + box['width'] / 2, box['y'] + box['height'] / 2

    @staticmethod
    def small(page):
        """What a finger would miss: controls less than 44 dots high; and labels that are cut."""
        return page.evaluate(
            """() => [...document.querySelectorAll('.d2i-live :is(button, select, summary, '
            + 'label.d2i-star, input:not([type=radio]), .d2i-bar-label, .d2i-title)')].filter(e =>
            e.checkVisibility() && (e.matches('.d2i-bar-label, .d2i-title')
              ? e.scrollWidth > e.clientWidth + 1 && e.clientWidth
              : e.getBoundingClientRect().height < 43.9)).map(e =>
            `${e.tagName} ${e.className} ${e.textContent.slice(0, 30)}`)"""
        )

    @staticmethod
    def answer(page):
        """What the instrument reports of itself: `report` in helpers.js."""
        return json.loads(page.locator('.d2i-live').first.get_attribute('data-answer'))


@pytest.fixture
def stage(browser, tmp_path):
    """Shows instruments in Chromium; afterwards nobody was asked and nothing went wrong."""
    made = Stage(browser, tmp_path)
    yield made
    for context in made.contexts:
        context.close()
    assert not made.elsewhere and not made.complaints
