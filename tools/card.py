"""Draws img/card.png, which a link to a page shows where it is shared: `python tools/card.py`."""

import io
import os
import shutil

from d2lrec import palette

from export import drawing
from PIL import Image
from playwright.sync_api import sync_playwright

from chapters import BOOK, ROOT, heads

PAGE = """<style>
  body {{ margin: 0; width: 1200px; height: 630px; box-sizing: border-box; padding: 0 70px;
    display: flex; align-items: center; gap: 50px; background: #fff; color: {ink};
    font-family: "Noto Sans CJK KR", "Noto Sans KR", system-ui, sans-serif; word-break: keep-all }}
  div {{ flex: 1 }}
  h1 {{ font-size: 96px; margin: 0 0 30px; letter-spacing: -.03em }}
  p {{ font-size: 33px; line-height: 1.45; margin: 0 0 20px; white-space: nowrap }}
  svg {{ flex: none; height: 560px; width: 480px }}
</style><div><h1>{name}</h1>{titles}</div>{picture}"""


def page():
    """The card: the book's name, its title in every language, one drawing."""
    names, titles = zip(*(one.words['title'].split(' — ') for one in BOOK.editions))
    picture = drawing((ROOT / 'img' / 'deepfm.svg').read_text(encoding='utf-8'), BOOK.code)
    titles = ''.join(f'<p>{title}</p>' for title in titles)
    return PAGE.format(name=names[0], titles=titles, picture=picture, ink=palette.INK)


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which('chromium') or shutil.which('chromium-browser'),
            args=['--no-sandbox'] if os.geteuid() == 0 else [],
        )
        shown = browser.new_page(viewport={'width': 1200, 'height': 630})
        shown.set_content(page())
        picture = Image.open(io.BytesIO(shown.screenshot()))
        browser.close()
    picture.convert('RGB').quantize(64).save(ROOT / 'img' / heads.CARD, 'PNG', optimize=True)


if __name__ == '__main__':
    main()
