"""Figures for the chapters: each function draws one figure and returns it.

Names, labels and titles are text: `$` is a dollar and never the beginning of a formula, markup is
written out, and what no file can hold (control characters, halves of a pair) is drawn as the
replacement character. Korean, Chinese and Japanese are drawn where one of the fonts in `CJK` is
installed.

Matplotlib is imported at the first call, for it is slow to import.
"""

from __future__ import annotations

import ast
import functools
import inspect
import io
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd
    from IPython.display import Markdown
    from matplotlib.figure import Figure

    from .train.history import History

from . import notebook, palette
from .phrases import phrasebook, width

__all__ = [
    'as_svg',
    'calibration',
    'heatmap',
    'history',
    'scores',
    'source',
    'use_style',
    'vectors',
]

COLORS = [palette.A, palette.B, palette.C, palette.D, palette.MUTED]
STYLE = {
    'figure.facecolor': palette.PAPER,
    'axes.facecolor': palette.PAPER,
    'savefig.facecolor': palette.PAPER,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.edgecolor': palette.LINE,
    'axes.labelcolor': palette.INK,
    'text.color': palette.INK,
    'axes.titlesize': 11,
    'axes.titleweight': 'bold',
    'axes.titlelocation': 'left',
    'axes.grid': True,
    'axes.axisbelow': True,
    'grid.color': palette.GRID,
    'xtick.color': palette.QUIET,
    'ytick.color': palette.QUIET,
    'font.size': 10,
    'legend.frameon': False,
    'lines.linewidth': 2,
    'svg.hashsalt': 'd2lrec',
    'svg.fonttype': 'none',  # text stays text: of the page's font, found by a search
}


# Fonts with Korean letters, and mostly Chinese and Japanese ones, of Linux, macOS and Windows.
CJK = (
    'Noto Sans CJK KR',
    'Noto Sans KR',
    'NanumGothic',
    'NanumBarunGothic',
    'Apple SD Gothic Neo',
    'AppleGothic',
    'Malgun Gothic',
    'UnDotum',
    'Noto Sans CJK JP',
    'Noto Sans CJK SC',
)

_PLAIN = {'text.parse_math': False, 'text.usetex': False}
_Draw = TypeVar('_Draw', bound=Callable[..., Any])


def use_style() -> None:
    """Draw a notebook's own figures in the book's style too.

    In Jupyter this is also `d2lrec.notebook.begin`: figures are shown as SVG, and what cells print
    and draw is in the notebook's language.

    Examples
    --------
    >>> import matplotlib as mpl
    >>> with mpl.rc_context():
    ...     use_style()
    ...     mpl.rcParams['legend.frameon']
    False
    """
    import matplotlib as mpl

    mpl.rcParams.update(_style())
    notebook.begin()


def _style():
    import matplotlib as mpl

    return {**STYLE, 'axes.prop_cycle': mpl.cycler(color=COLORS), 'font.family': _families()}


def _families():
    """The reader's own font families, and behind them those that have Korean letters.

    Only what is installed: of any other family Matplotlib complains at every text.
    """
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    own = list(mpl.rcParams['font.family'])
    return own + [name for name in CJK if name in installed and name not in own]


def _styled(draw: _Draw) -> _Draw:
    """Run a drawing function in the book's style, whatever style the reader has set.

    Every text that is made meanwhile is plain: TeX would read the $ of a film's title.
    """

    @functools.wraps(draw)
    def styled(*args, **kwargs):
        import matplotlib as mpl

        with mpl.rc_context({**_style(), **_PLAIN}):
            return draw(*args, **kwargs)

    return styled


# All but what XML 1.0 allows and a font can draw; \n begins a new line.
_UNDRAWABLE = re.compile(
    r'[^\n\x20-\x7e\xa0-\ud7ff\ue000-\ufdcf\ufdf0-\ufffd\U00010000-\U0010ffff]'
)


def _text(value):
    """`value` as a text that can be drawn and written to a file."""
    return _UNDRAWABLE.sub('\ufffd', re.sub(r'[\t\r\v\f]', ' ', str(value)))


def _legend(owner, handles, names, **options):
    """A legend with these names, also those with a leading _, which Matplotlib would leave out."""
    legend = owner.legend(handles, [str(i) for i in range(len(handles))], **options)
    for text, name in zip(legend.get_texts(), names):
        text.set_text(_text(name))


def _finite(numbers, what):
    """A float64 array; refuse what is no number."""
    try:
        array = np.asarray(numbers, dtype='float64')
    except (TypeError, ValueError):
        raise ValueError(f'{what} is not an array of numbers: give numbers only.') from None
    if not np.isfinite(array).all():
        raise ValueError(f'{what} holds {array[~np.isfinite(array)][0]}: give finite numbers.')
    return array


def _figure(num=1, width=4.2, height=3.1, least=5.2):
    """A figure with `num` axes side by side.

    It is unknown to pyplot: a notebook shows it once, where it is the last line of a cell.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(width * num, least), height), layout='constrained')
    figure.d2lrec_plain = True
    return figure, figure.subplots(1, num, squeeze=False)[0]


# The palette's colours are variables of the page, which has others in the dark; elsewhere they are
# what they are. What stands on a colour of its own, as a number in a heat map, keeps its ink.
_VARIABLES = {
    palette.INK: 'ink',
    palette.QUIET: 'quiet',
    palette.MUTED: 'muted',
    palette.LINE: 'line',
    palette.GRID: 'grid',
    palette.PAPER: 'paper',
    palette.A: 'a',
    palette.B: 'b',
    palette.C: 'c',
    palette.D: 'd',
}
_FONTS = "system-ui, 'DejaVu Sans', 'Noto Sans CJK KR', sans-serif"
_INK_ON_COLOUR = '#1f2934'
_WHITE = '#fefefe'


def as_svg(figure: Figure, language: Optional[str] = None) -> str:
    """The figure as SVG text; the same figure gives the same text.

    Text is text, so that a page shows it in its own font; colours of the book are CSS variables
    (`--fig-a` ...) with the light ones behind them.

    Parameters
    ----------
    figure : matplotlib Figure
    language : str, optional
        'ko': titles, axes and legends that `d2lrec.phrases` knows are told in it. By default they
        are the code's own.

    Examples
    --------
    >>> svg = as_svg(scores({'LR': 0.71, 'FM': 0.75}))
    >>> svg.startswith('<?xml'), svg.rstrip().endswith('</svg>')
    (True, True)
    """
    import matplotlib as mpl

    # a library's figure was made of plain text; in a reader's own, formulas stay formulas
    plain = _PLAIN if getattr(figure, 'd2lrec_plain', False) else {}
    out = io.StringIO()
    with mpl.rc_context({**_style(), **plain}):
        # as IPython does: what stands outside the axes, a legend or a long title, is in the picture
        figure.savefig(out, format='svg', metadata={'Date': None}, bbox_inches='tight')
    text = re.sub(
        r'<!--.*?-->\s*|<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*',
        '',
        out.getvalue(),
        flags=re.DOTALL,
    )
    text = re.sub(r'font-family: [^;"]*', f'font-family: {_FONTS}', text)
    text = re.sub(
        r'(fill|stroke|stop-color): (#[0-9a-f]{6})',
        lambda m: f'{m[1]}: var(--fig-{_VARIABLES[m[2]]}, {m[2]})' if m[2] in _VARIABLES else m[0],
        text,
    )
    book = phrasebook(language) if language else None
    return text if book is None else book.markup(text)


def source(*objects: Any, docstrings: bool = False) -> Markdown:
    """The source of classes or functions, for a notebook to show in colour.

    Parameters
    ----------
    *objects : classes or functions
    docstrings : bool
        Show their docstrings too, which the API pages have.

    Examples
    --------
    >>> 'Draw a' in source(use_style).data  # its docstring's first words
    False
    """
    from IPython.display import Markdown

    try:
        parts = [textwrap.dedent(inspect.getsource(o)).rstrip() for o in objects]
    except (OSError, TypeError):
        raise ValueError(
            'there is no source to show: give classes or functions that stand in a file.'
        ) from None
    code = '\n\n'.join(parts if docstrings else map(_without_docstrings, parts))
    return Markdown(f'```python\n{code}\n```')


def _without_docstrings(code):
    lines = code.split('\n')
    for node in reversed(list(ast.walk(ast.parse(code)))):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            first, last = node.body[0].lineno - 1, node.body[0].end_lineno
            last += last < len(lines) and not lines[last].strip()  # the blank line after it
            del lines[first:last]
    return '\n'.join(lines)


def _whole_numbers(axis):
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


@_styled
def history(
    runs: Union[History, Mapping[str, History]], measures: Optional[Sequence[str]] = None
) -> Figure:
    """Curves of training, an axis a measure; marks the epoch whose weights were kept.

    Parameters
    ----------
    runs : History, or a dict of name -> History to compare
    measures : list of str, optional
        By default the loss (train, valid, test) and, where there is one, the held-out AUC or
        RMSE. For several runs, the names of the measures to compare: by default the loss and
        the AUC or RMSE on the validation set, else the training loss.

    Raises
    ------
    ValueError
        For no run, or a run of no epoch.
    KeyError
        For a measure that a run does not have.

    Examples
    --------
    >>> from d2lrec import History
    >>> run = History([])
    >>> run.rows = [{'epoch': 1, 'train_loss': 0.7}, {'epoch': 2, 'train_loss': 0.6}]
    >>> [axis.get_title(loc='left') for axis in history(run).axes]
    ['loss']
    """
    if isinstance(runs, Mapping):
        return _compared(runs, measures)
    _check_runs({'the history': runs})
    groups = [
        [c for c in ('train_loss', 'valid_loss', 'test_loss') if c in runs.rows[0]],
        [c for c in ('valid_auc', 'test_auc', 'valid_rmse', 'test_rmse') if c in runs.rows[0]],
    ]
    groups = [g for g in ([[m] for m in measures] if measures else groups) if g]
    figure, axes = _figure(len(groups))
    for axis, group in zip(axes, groups):
        lines = [_curve(axis, runs, name) for name in group]
        if runs.best_epoch:
            axis.axvline(runs.best_epoch, color=palette.LINE, linestyle='--', linewidth=1)
        title = group[0].split('_')[-1].replace('auc', 'AUC').replace('rmse', 'RMSE')
        axis.set(xlabel='epoch', title=title)
        _legend(axis, lines, [name.replace('_', ' ') for name in group])
        _whole_numbers(axis)
    return figure


def _compared(runs, measures):
    """An axis a measure, a curve a run."""
    _check_runs(runs)
    if not measures:
        measures = [
            name
            for name in ('valid_loss', 'valid_auc', 'valid_rmse')
            if all(name in run.rows[0] for run in runs.values())
        ] or ['train_loss']
    figure, axes = _figure(len(measures))
    for axis, measure in zip(axes, measures):
        lines = []
        for run in runs.values():
            lines.append(_curve(axis, run, measure))
            if run.best_epoch:
                axis.plot(
                    run.best_epoch,
                    run[measure][run.best_epoch - 1],
                    marker='o',
                    markersize=9,
                    markerfacecolor='none',
                    color=lines[-1].get_color(),
                )
        axis.set(xlabel='epoch', title=measure.replace('_', ' ').replace('auc', 'AUC'))
        _legend(axis, lines, runs)
        _whole_numbers(axis)
    return figure


def _curve(axis, run, measure):
    (line,) = axis.plot(range(1, len(run) + 1), run[measure], marker='o', markersize=3.5)
    return line


def _check_runs(runs):
    if not runs:
        raise ValueError('there is no run to draw: give a History, or a dict of name -> History.')
    for name, run in runs.items():
        if not hasattr(run, 'rows'):
            raise ValueError(f'{name} is {type(run).__name__}: give what a training call returns.')
        if not run.rows:
            raise ValueError(f'{name} has no epoch: train for at least one.')


@_styled
def calibration(tables: Union[pd.DataFrame, Mapping[str, pd.DataFrame]]) -> Figure:
    """Predicted against observed click rate, by bin.

    Parameters
    ----------
    tables : a `metrics.calibration_table`, or a dict of name -> table

    Examples
    --------
    >>> from d2lrec import calibration_table
    >>> figure = calibration({'FM': calibration_table([0, 1, 1, 0], [0.1, 0.9, 0.6, 0.3], 2)})
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['perfect', 'FM']
    """
    tables = tables if isinstance(tables, Mapping) else {'model': tables}
    if not tables or not all(hasattr(t, 'predicted') for t in tables.values()):
        raise ValueError('there is no table to draw: give what calibration_table returns.')
    figure, (axis,) = _figure(1, width=4.6, height=4.2)
    top = max(max(t.predicted.max(), t.observed.max()) for t in tables.values()) * 1.05 or 1.0
    lines = axis.plot([0, top], [0, top], color=palette.LINE, linestyle='--', linewidth=1)
    for table in tables.values():
        lines += axis.plot(table.predicted, table.observed, marker='o', markersize=5)
    axis.set(
        xlabel='predicted click rate',
        ylabel='observed click rate',
        aspect='equal',
        xlim=(0, top),
        ylim=(0, top),
    )
    _legend(axis, lines, ['perfect', *tables], loc='upper left')
    return figure


@_styled
def scores(
    values: Mapping[str, Union[float, Sequence[float]]],
    errors: Optional[Mapping[str, float]] = None,
    title: str = '',
    baseline: Optional[float] = None,
    digits: int = 4,
) -> Figure:
    """Scores side by side: a dot each, whiskers for their spread, the number beside it.

    The axis spans the scores, not zero: a dot's place says how far apart they are, and its
    whiskers whether that is more than chance.

    Parameters
    ----------
    values : dict of name -> number, or of name -> numbers, one a seed
        Of several numbers the mean is written, each one is a pale dot, and the whiskers reach a
        standard deviation.
    errors : dict of name -> number, optional
        What the whiskers reach, for values that are numbers.
    baseline : number, optional
        Drawn as a dashed line.
    digits : int
        Decimals of the numbers written.

    Raises
    ------
    ValueError
        For no value, a name without its error, or what is no finite number.

    Examples
    --------
    >>> figure = scores({'LR': 0.71, 'FM': [0.74, 0.76]}, title='AUC', baseline=0.5)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.7100', '0.7500']
    """
    if not isinstance(values, Mapping) or not values:
        raise ValueError('there is no score to draw: give a dict of name -> number.')
    names = list(values)
    runs = [np.atleast_1d(_finite(values[name], 'values')) for name in names]
    if not all(run.ndim == 1 and run.size for run in runs):
        raise ValueError('values holds an empty or a nested list: give a number, or one a seed.')
    missing = [name for name in names if errors is not None and name not in errors]
    if missing:
        raise ValueError(f'errors has no {missing[0]!r}: give one for each value.')
    numbers = np.array([run.mean() for run in runs])
    if errors is None:
        spread = np.array([run.std(ddof=1) if run.size > 1 else 0.0 for run in runs])
    else:
        spread = _finite([errors[name] for name in names], 'errors')
    marks = _finite([] if baseline is None else [baseline], 'baseline')
    figure, (axis,) = _figure(1, width=5.6, height=0.9 + 0.36 * len(names))
    rows = np.arange(len(names))
    every = np.concatenate([numbers - spread, numbers + spread, *runs, marks])
    margin = (every.max() - every.min()) or abs(every.max()) * 0.1 or 1.0
    if baseline is not None:
        axis.axvline(baseline, color=COLORS[1], linestyle='--', linewidth=1.5)
    shown = spread > 0
    axis.errorbar(
        numbers[shown],
        rows[shown],
        xerr=spread[shown],
        fmt='none',
        ecolor=palette.QUIET,
        elinewidth=1.5,
        capsize=3,
    )
    for row, run in zip(rows, runs):
        if run.size > 1:
            axis.plot(run, [row] * run.size, 'o', color=COLORS[0], alpha=0.35, markersize=4.5)
    axis.plot(numbers, rows, 'o', color=COLORS[0], markersize=8)
    for row, number in zip(rows, numbers):
        axis.annotate(
            f'{number:.{digits}f}',
            (1.01, row),
            xycoords=('axes fraction', 'data'),
            va='center',
            annotation_clip=False,
        )
    axis.set_yticks(rows, [_text(name) for name in names])
    axis.set(
        title=_text(title),
        xlim=(every.min() - 0.12 * margin, every.max() + 0.12 * margin),
        ylim=(len(names) - 0.5, -0.5),
    )
    axis.grid(axis='y', visible=False)
    return figure


@_styled
def heatmap(
    matrix: ArrayLike,
    rows: Optional[Iterable[Any]] = None,
    columns: Optional[Iterable[Any]] = None,
    title: str = '',
    digits: Optional[int] = 2,
) -> Figure:
    """A matrix as colours: blue for negative numbers, orange for positive ones.

    With both signs the colours are even around zero, which is white. Numbers of one sign, or
    nearly so, take their own range, from pale to full. Cells that are nan stay white. Where no
    number is written, a bar beside the matrix says what the colours mean.

    Parameters
    ----------
    matrix : array (R, C)
    rows, columns : R and C names, optional
    digits : int, optional
        Decimals of the numbers written into the cells, up to 150 cells; None writes none.

    Examples
    --------
    >>> figure = heatmap([[1.0, -3.0], [0.0, 2.0]], rows=['a', 'b'], columns=['c', 'd'])
    >>> [round(float(end), 1) for end in figure.axes[0].collections[0].get_clim()]
    [-3.0, 3.0]
    """
    matrix = np.asarray(matrix, dtype='float64')
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f'the matrix has shape {matrix.shape}: give (rows, columns).')
    known = _finite(matrix[~np.isnan(matrix)], 'the matrix')
    if not known.size:
        raise ValueError('the matrix holds no number: there is nothing to draw.')
    written = digits is not None and matrix.size <= 150
    across, down = (0.345, 0.33) if written else (0.55, 0.42)  # ten cells and names on a phone
    figure, (axis,) = _figure(
        1, 1.6 + across * matrix.shape[1], 1.2 + down * matrix.shape[0], least=3.6
    )
    cmap, low, high = _colours(float(known.min()), float(known.max()))
    edges = [np.arange(size + 1) - 0.5 for size in matrix.shape]
    image = axis.pcolormesh(
        *edges[::-1],
        np.ma.masked_invalid(matrix),
        cmap=cmap,
        vmin=low,
        vmax=high,
        edgecolors='face',  # else the page shows between two cells
        linewidth=0.4,
    )
    axis.grid(False)
    axis.invert_yaxis()
    axis.spines[:].set_visible(False)
    axis.set(title=_text(title), aspect='equal')
    turned = {'rotation': 40, 'ha': 'right', 'rotation_mode': 'anchor'}  # its end stays at the tick
    axis.set_xticks(range(matrix.shape[1]), _names(columns, matrix.shape[1], 'columns'), **turned)
    axis.set_yticks(range(matrix.shape[0]), _names(rows, matrix.shape[0], 'rows'))
    if written:
        for i, j in np.ndindex(*matrix.shape):
            if np.isfinite(matrix[i, j]):
                axis.text(
                    j,
                    i,
                    f'{np.round(matrix[i, j], digits) + 0.0:.{digits}f}',  # never -0.0
                    ha='center',
                    va='center',
                    fontsize=8,
                    color=_INK_ON_COLOUR,
                )
    if not written:
        figure.colorbar(image, ax=axis, shrink=0.8)
    return figure


def _colours(low, high):
    """A colour map for numbers from `low` to `high`, and the numbers at its ends."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgb

    both = min(-low, high) > 0.05 * max(-low, high)  # less is noise beside the other sign
    if both or low == high == 0:
        ends, top = [COLORS[0], _WHITE, COLORS[1]], max(-low, high) or 1.0
        return LinearSegmentedColormap.from_list('', ends), -top, top
    if low == high:  # one number: its colour is the full one
        low, high = min(low, 0.0), max(high, 0.0)
    full = np.array(to_rgb(COLORS[1] if high > 0 else COLORS[0]))
    pale = 0.1 * full + 0.9  # not white, which is what a missing cell has
    ends = [pale, full] if high > 0 else [full, pale]
    return LinearSegmentedColormap.from_list('', ends), low, high


def _names(names, count, what):
    names = [''] * count if names is None else [_text(name) for name in names]
    if len(names) != count:
        raise ValueError(f'{len(names)} names for {count} {what}: give one for each.')
    return names


def _apart(plane, labels, named):
    """{index: (left, below)} of the labels that cover no earlier one and no point, and their sides.

    Those of `named` come first and may cover points, as few as they can.
    """
    size = np.ptp(plane, axis=0)
    # About 54 characters fit across the figure, and 29 lines into its height.
    at = (plane - plane.min(axis=0)) / np.where(size > 0, size, 1) * (54, 29)
    taken, chosen = [], {}
    for i in sorted(range(len(labels)), key=lambda i: labels[i] not in named):
        (x, y), long, places = at[i], width(labels[i]), []
        others = np.delete(at, i, axis=0)
        for left, below in product((x > 27, x <= 27), (False, True)):
            start, low = x - 0.8 - long if left else x + 0.8, y - 1.15 if below else y + 0.15
            box = start, start + long, low, low + 0.9
            free = start > -1 and start + long < 55 and not any(_touch(box, one) for one in taken)
            if free and long:
                places.append((_inside(others, box), len(places), box, (bool(left), below)))
        best = min(places, default=None)
        if best and (not best[0] or labels[i] in named):
            taken.append(best[2])
            chosen[i] = best[3]
    return chosen


def _write(axis, plane, labels, named, away=4):
    """Writes beside the points of a plane the labels that `_apart` finds a place for."""
    for i, (left, below) in _apart(plane, labels, named).items():
        axis.annotate(
            labels[i],
            plane[i],
            xytext=(-away if left else away, -10 if below else 3),
            textcoords='offset points',
            ha='right' if left else 'left',
            fontsize=8,
        )


def _touch(one, two):
    """Whether two boxes (left, right, low, high) come within a character of each other."""
    across = one[0] < two[1] + 1 and two[0] < one[1] + 1
    return across and one[2] < two[3] + 0.2 and two[2] < one[3] + 0.2


def _inside(points, box):
    """How many points a box covers, or touches."""
    x, y = points.T
    across, up = (x > box[0] - 0.6) & (x < box[1] + 0.6), (y > box[2] - 0.2) & (y < box[3] + 0.2)
    return int((across & up).sum())


@_styled
def vectors(
    points: ArrayLike,
    labels: Optional[Sequence[str]] = None,
    groups: Optional[Sequence[Any]] = None,
    title: str = '',
    axes_names: Optional[Sequence[str]] = None,
    named: Sequence[str] = (),
) -> Figure:
    """A map of vectors in the plane of their two principal components.

    Parameters
    ----------
    points : array (N, K)
    labels : list of N str, optional
        Written beside the points, the first ones foremost, where they cover no point and no
        other label; `''` writes nothing.
    groups : list of N str, optional
        Colours the points, one colour a group.
    axes_names : two str, optional
        By default the components and their shares of the variance.
    named : list of str, optional
        Labels that are written before all others, even where they cover points.

    Raises
    ------
    ValueError
        For points of another shape or not finite, lists that have not one element for each point,
        or a name that is no label.

    Examples
    --------
    >>> figure = vectors([[0, 0, 1], [3, 4, 1], [6, 8, 1]], labels=['Kim', '', 'Lee'])
    >>> figure.axes[0].get_xlabel()
    'component 1 (100% of the variance)'
    """
    points = _finite(points, 'points')
    if points.ndim != 2 or min(points.shape) < 2:
        raise ValueError(
            f'points has shape {points.shape}: give (N, K), at least 2 vectors of 2 numbers.'
        )
    centred = points - points.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ directions[:2].T
    share = spread[:2] ** 2 / ((spread**2).sum() or 1.0)
    figure, (axis,) = _figure(1, width=4.8, height=5.2, least=4.8)
    labels = _names(labels, len(points), 'points')
    named = [_text(name) for name in named]
    unknown = sorted(set(named) - set(labels))
    if unknown:
        raise ValueError(f'named holds {unknown[0]!r}, which is no label.')
    groups = _names(groups, len(points), 'points')
    known, dots = list(dict.fromkeys(groups)), []
    for i, group in enumerate(known):
        dots.append(
            axis.scatter(
                *plane[[g == group for g in groups]].T,
                s=18,
                alpha=0.75,
                color=COLORS[i % len(COLORS)],
                linewidths=0,
            )
        )
    _write(axis, plane, labels, named)
    names = axes_names or [f'component {i + 1} ({share[i]:.0%} of the variance)' for i in (0, 1)]
    axis.set(title=_text(title), xlabel=_text(names[0]), ylabel=_text(names[1]))
    if len(known) > 1:
        _legend(figure, dots, known, loc='outside upper center', ncols=len(known), markerscale=1.5)
    return figure
