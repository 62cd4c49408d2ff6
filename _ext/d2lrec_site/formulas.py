"""Formulas within a sentence: the signs that touch one stay on its line.

MathJax makes a formula a box, and a browser may break a line on either side of a box: a comma would
begin the next line, a bracket end the last, and a Korean particle stand alone.
"""

import re

from docutils import nodes

KEPT = 'd2l-keep'
LONG = 30  # signs from which a formula within a sentence is wider than a phone
BEFORE = re.compile(r'[(\[{“‘±−+-]+$')
# to the next space where that is near (a particle, '-th'), else the signs alone
AFTER = re.compile(r'^(?:\S{1,6}(?=\s|$)|[)\]}.,;:!?%’”…]+)')


def equal_parts(tex):
    """A long formula's two sides, the sign between them with the second; else itself."""
    shown = re.sub(r'\\(?:math\w+|operatorname|boldsymbol|text)\b|[{}\s^_]', '', tex)
    if len(re.sub(r'\\[a-zA-Z]+', 'xx', shown)) <= LONG:
        return [tex]
    depth = 0
    for at, sign in enumerate(tex):
        depth += (sign in '{([') - (sign in '})]')
        if sign == '=' and not depth and min(at, len(tex) - at) > LONG // 3:
            return [tex[:at].strip(), tex[at:].strip()]
    return [tex]


def part_long_ones(app, doctree, docname):
    """A line may break before the equals sign of a long formula: MathJax sets it in one piece."""
    if app.builder.format != 'html':
        return
    for math in list(doctree.findall(nodes.math)):
        parts = equal_parts(math.astext())
        if len(parts) > 1:
            first, second = (nodes.math('', part, **math.attributes) for part in parts)
            math.replace_self([first, nodes.Text(' '), second])


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
