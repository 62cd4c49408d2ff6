"""Draw the book's figures: ``python tools/figures.py`` writes ``img/*.svg``.

Each function `draw_*` of a module in `drawings/` returns one figure.
"""

import importlib
import pkgutil
from pathlib import Path

import drawings


def figures():
    """All the figures, chapter by chapter."""
    for module in pkgutil.iter_modules(drawings.__path__):
        module = importlib.import_module(f'drawings.{module.name}')
        for name in vars(module):
            if name.startswith('draw_'):
                yield getattr(module, name)()


IMG = Path(__file__).resolve().parent.parent / 'img'


def main(folder=IMG):
    folder.mkdir(exist_ok=True)
    for figure in figures():
        (folder / f'{figure.name}.svg').write_text(figure.svg(), encoding='utf-8')


if __name__ == '__main__':
    main()
