"""What a cell printed, told in another language: its columns and numbers still line up."""

import re

from d2lrec.phrases import BETWEEN, width

LEFT, RIGHT = 0, 1
NUMBER = re.compile(r'\[[^\[\]]*\]|(?<![\w.])[-+]?\d[\d.,]*%?')  # in a sentence; or a list of them
HEADS = re.compile(r'[^\d:\[]*\S {2,}\S[^\d:\[]*')  # over the columns of a table: no number


def stood(said, told):
    """A told text whose columns, and numbers in its sentences, stand as those of the code do.

    A line that is told as a sentence has other widths than its neighbour, told by columns.
    """
    said, told = said.split('\n'), told.split('\n')
    for places_of in (by_columns, by_numbers) if len(said) == len(told) else ():
        first, headed = 0, None
        while first < len(said):
            headed = said[first].strip() and (headed or HEADS.fullmatch(said[first]))
            end, places = first + 1, None
            while end < len(said) and not headed:
                more = places_of(said[first : end + 1], told[first : end + 1])
                if not more:
                    break
                end, places = end + 1, more
            if places and not all(map(stands, places)):
                told[first:end] = put_together(places)
            first = end
    return '\n'.join(told)


def by_columns(said, told):
    """Of lines with the same columns [(pieces of a place, the code's side there, gap before)]."""
    meant, own = ([placed(BETWEEN, line, between=True) for line in lines] for lines in (said, told))
    if len(own[0]) < 2 or len({len(row) for row in [*meant, *own]}) > 1:
        return None
    return [(*place, 2 * (at > 0)) for at, place in enumerate(zip(zip(*own), sides(meant)))]


def by_numbers(said, told):
    """The same of sentences of the same words, but for numbers and the names before the first."""
    meant, own, forms = [placed(NUMBER, line) for line in said], [], set()
    for line in told:
        numbers = placed(NUMBER, line)
        cuts = [one.span() for one in NUMBER.finditer(line)]
        if not cuts or not re.search('[^\x00-\x7f]', line):
            return None
        name = line[: cuts[0][0]]
        names = placed(BETWEEN, name.rstrip(), between=True)
        words = [line[a:b] for a, b in zip([b for _, b in cuts], [a for a, _ in cuts[1:]] + [None])]
        words = [re.sub(' {2,}', ' ', one) for one in words]
        own.append((names, numbers))
        forms.add((len(names), name.endswith(' ') and bool(names), *words))
    if len(forms) > 1 or {len(row) for row in meant} != {len(words)}:
        return None
    num, spaced, *words = forms.pop()
    starts = {len(line) - len(line.lstrip()) for line in said}
    padded = any(
        re.search(r'\S {2,}', line[: line.find(row[0][2])]) for line, row in zip(said, meant)
    )
    if num and (len(starts) > 1 or not padded and name.rstrip()[-1] in ':='):
        return None  # what stands before the numbers is no name of a line
    places = [(one, LEFT, 2 * (at > 0)) for at, one in enumerate(zip(*(row[0] for row in own)))]
    for at, one in enumerate(zip(*(row[1] for row in own))):
        places.append((one, sides(meant)[at], int(at == 0 and spaced)))
        places.append(([(None, None, words[at])] * len(told), None, 0))
    return places


def placed(pattern, text, between=False):
    """[(start, end, piece)] of what the pattern finds in a text, or of what stands between."""
    spans = [one.span() for one in pattern.finditer(text)]
    if between:
        edges = [0, *(edge for span in spans for edge in span), len(text)]
        spans = list(zip(edges[::2], edges[1::2]))
    spans = [
        (a + len(text[a:b]) - len(text[a:b].lstrip()), b) for a, b in spans if text[a:b].strip()
    ]
    return [(width(text[:a]), width(text[:b].rstrip()), text[a:b].rstrip()) for a, b in spans]


def sides(rows):
    """The side on which the pieces of each place stand under each other; None for neither."""
    return [
        next((side for side in (LEFT, RIGHT) if len({one[side] for one in place}) == 1), None)
        for place in zip(*rows)
    ]


def stands(place):
    """Whether the pieces of a place stand on its side."""
    pieces, side, _ = place
    return side is None or len({one[side] for one in pieces}) == 1


def put_together(places):
    """Lines of their pieces, place by place."""
    lines = [''] * len(places[0][0])
    for pieces, side, gap in places:
        lines = [line + ' ' * gap for line in lines]
        if side is not None:
            ends = [width(line) + side * width(one[2]) for line, one in zip(lines, pieces)]
            lines = [line + ' ' * (max(ends) - end) for line, end in zip(lines, ends)]
        lines = [line + one[2] for line, one in zip(lines, pieces)]
    return lines
