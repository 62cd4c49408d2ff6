"""Instruments: figures that answer, from weights that a page has trained.

    d2l.instruments.logit(net, data)

as the last line of a cell shows one, in Jupyter and on the book's pages, in the notebook's
language. It works in the page itself, by mouse, touch and keyboard; no server is asked. Where no
script runs, and on paper, a figure and a sentence stand in its place.

Each is a function here, a script in `static/` and its words in `words/`; `Instrument` puts them
together.
"""

from .film_map import film_map, nearest, neighbours_kept, planes
from .five_films import five_films, rating_effects, stars_for
from .instrument import Instrument, packed, rounded
from .logit import logit, logit_terms
from .machine import machine, training_needs
from .order_dial import order_dial, recovered
from .scores import moved, scores
from .vectors import vectors

__all__ = [
    'Instrument',
    'packed',
    'rounded',
    'film_map',
    'five_films',
    'logit',
    'logit_terms',
    'moved',
    'nearest',
    'neighbours_kept',
    'order_dial',
    'planes',
    'rating_effects',
    'recovered',
    'scores',
    'stars_for',
    'vectors',
    'machine',
    'training_needs',
]
