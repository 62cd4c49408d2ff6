"""Formulas within a sentence: the signs that touch one stay on its line.

MathJax makes a formula a box, and a browser may break a line on either side of a box: a comma would
begin the next line, a bracket end the last, and a Korean particle stand alone.
"""

import re

from docutils import nodes

KEPT = 'd2l-keep'
BEFORE = re.compile(r'[(\[{“‘±−+-]+$')
# to the next space where that is near (a particle, '-th'), else the signs alone
AFTER = re.compile(r'^(?:\S{1,6}(?=\s|$)|[)\]}.,;:!?%’”…]+)')


def keep_together(app, doctree, docname):
    """Wraps each formula of a sentence with the signs that touch it."""
    for math in list(doctree.findall(nodes.math)):
        around, place = math.parent, math.parent.index(math)
        before = around[place - 1] if place else None
        after = around[place + 1] if place + 1 < len(around) else None
        begins = BEFORE.search(before.astext()) if isinstance(before, nodes.Text) else None
        ends = AFTER.search(after.astext()) if isinstance(after, nodes.Text) else None
        if not begins and not ends:
            continue
        box = nodes.inline(classes=[KEPT])
        if begins:
            box += nodes.Text(begins[0])
            around[place - 1] = nodes.Text(before.astext()[: begins.start()])
        if ends:
            around[place + 1] = nodes.Text(after.astext()[ends.end() :])
        around[place] = box
        box += math
        if ends:
            box += nodes.Text(ends[0])
