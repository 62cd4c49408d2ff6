"""Figures for the chapters: each function draws one figure and returns it.

Matplotlib is imported at the first call, for it is slow to import.
"""

import functools
import inspect
import io

import numpy as np

from . import palette

__all__ = ['as_svg', 'bars', 'calibration', 'heatmap', 'history', 'source', 'use_style', 'vectors']

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
}


def use_style():
    """Draw a notebook's own figures in the book's style too."""
    import matplotlib as mpl

    mpl.rcParams.update({**STYLE, 'axes.prop_cycle': mpl.cycler(color=COLORS)})


def _styled(draw):
    """Run a drawing function in the book's style, whatever style the reader has set."""

    @functools.wraps(draw)
    def styled(*args, **kwargs):
        import matplotlib as mpl

        with mpl.rc_context({**STYLE, 'axes.prop_cycle': mpl.cycler(color=COLORS)}):
            return draw(*args, **kwargs)

    return styled


def _figure(num=1, width=4.2, height=3.1):
    """A figure with `num` axes side by side.

    It is unknown to pyplot: a notebook shows it once, where it is the last line of a cell.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(width * num, 5.2), height), layout='constrained')
    return figure, figure.subplots(1, num, squeeze=False)[0]


@_styled
def as_svg(figure):
    """The figure as SVG text."""
    out = io.StringIO()
    figure.savefig(out, format='svg', metadata={'Date': None})
    return out.getvalue()


def source(*objects):
    """The source of classes or functions, for a notebook to show in colour."""
    from IPython.display import Markdown

    code = '\n\n'.join(inspect.getsource(o).rstrip() for o in objects)
    return Markdown(f'```python\n{code}\n```')


def _whole_numbers(axis):
    from matplotlib.ticker import MaxNLocator

    axis.xaxis.set_major_locator(MaxNLocator(integer=True))


@_styled
def history(runs, measures=None):
    """Curves of training, an axis a measure; marks the epoch whose weights were kept.

    Parameters
    ----------
    runs : History, or a dict of name -> History to compare
    measures : list of str, optional
        By default the loss (train, valid, test) and, where there is one, the held-out AUC.
        For several runs, the names of the measures to compare.
    """
    if not isinstance(runs, dict):
        table, best = runs.table(), runs.best_epoch
        groups = [
            [c for c in ('train_loss', 'valid_loss', 'test_loss') if c in table],
            [c for c in ('valid_auc', 'test_auc', 'test_rmse') if c in table],
        ]
        groups = [g for g in ([[m] for m in measures] if measures else groups) if g]
        figure, axes = _figure(len(groups))
        for axis, group in zip(axes, groups):
            for name in group:
                axis.plot(
                    table.index,
                    table[name],
                    marker='o',
                    markersize=3.5,
                    label=name.replace('_', ' '),
                )
            if best:
                axis.axvline(best, color=palette.LINE, linestyle='--', linewidth=1)
            axis.set(
                xlabel='epoch',
                title=group[0].split('_')[-1].replace('auc', 'AUC').replace('rmse', 'RMSE'),
            )
            axis.legend()
            _whole_numbers(axis)
        return figure
    measures = measures or ['valid_loss', 'valid_auc']
    figure, axes = _figure(len(measures))
    for axis, measure in zip(axes, measures):
        for name, run in runs.items():
            (line,) = axis.plot(
                range(1, len(run) + 1), run[measure], marker='o', markersize=3.5, label=name
            )
            if run.best_epoch:
                axis.plot(
                    run.best_epoch,
                    run[measure][run.best_epoch - 1],
                    marker='o',
                    markersize=9,
                    markerfacecolor='none',
                    color=line.get_color(),
                )
        axis.set(xlabel='epoch', title=measure.replace('_', ' ').replace('auc', 'AUC'))
        axis.legend()
        _whole_numbers(axis)
    return figure


@_styled
def calibration(tables):
    """Predicted against observed click rate, by bin.

    Parameters
    ----------
    tables : a `metrics.calibration_table`, or a dict of name -> table
    """
    tables = tables if isinstance(tables, dict) else {'model': tables}
    figure, (axis,) = _figure(1, width=4.6, height=4.2)
    top = max(max(t.predicted.max(), t.observed.max()) for t in tables.values()) * 1.05
    axis.plot([0, top], [0, top], color=palette.LINE, linestyle='--', linewidth=1, label='perfect')
    for name, table in tables.items():
        axis.plot(table.predicted, table.observed, marker='o', markersize=5, label=name)
    axis.set(
        xlabel='predicted click rate',
        ylabel='observed click rate',
        aspect='equal',
        xlim=(0, top),
        ylim=(0, top),
    )
    axis.legend(loc='upper left')
    return figure


@_styled
def bars(values, errors=None, title='', baseline=None):
    """Horizontal bars, the values written beside them; the axis begins near the smallest.

    Parameters
    ----------
    values : dict of name -> number
    errors : dict of name -> number, optional
    baseline : number, optional
        Drawn as a dashed line.
    """
    names, numbers = list(values), np.array(list(values.values()), dtype='float64')
    figure, (axis,) = _figure(1, width=5.6, height=0.8 + 0.36 * len(names))
    spread = np.array([0.0 if errors is None else errors[n] for n in names])
    every = np.concatenate(
        [numbers - spread, numbers + spread, [] if baseline is None else [baseline]]
    )
    margin = (every.max() - every.min()) or abs(every.max()) * 0.1 or 1.0
    left = every.min() - 0.6 * margin
    axis.barh(
        names,
        numbers - left,
        left=left,
        color=COLORS[0],
        height=0.62,
        xerr=None if errors is None else spread,
        error_kw={'ecolor': palette.QUIET, 'capsize': 3},
    )
    for i, number in enumerate(numbers):
        axis.text(
            left + 0.02 * margin, i, f'{number:.4f}', va='center', color='white', fontweight='bold'
        )
    if baseline is not None:
        axis.axvline(baseline, color=COLORS[1], linestyle='--', linewidth=1.5)
    axis.set(title=title, xlim=(left, every.max() + 0.15 * margin))
    axis.invert_yaxis()
    axis.grid(axis='y', visible=False)
    return figure


@_styled
def heatmap(matrix, rows=None, columns=None, title='', digits=2):
    """A matrix as colours around zero: blue negative, orange positive."""
    from matplotlib.colors import LinearSegmentedColormap

    matrix = np.asarray(matrix, dtype='float64')
    figure, (axis,) = _figure(
        1, width=1.6 + 0.55 * matrix.shape[1], height=1.2 + 0.42 * matrix.shape[0]
    )
    cmap = LinearSegmentedColormap.from_list('', [COLORS[0], palette.PAPER, COLORS[1]])
    top = np.nanmax(np.abs(matrix)) or 1.0
    image = axis.imshow(matrix, cmap=cmap, vmin=-top, vmax=top)
    axis.grid(False)
    axis.set(title=title)
    blank = [''] * max(matrix.shape)
    axis.set_xticks(
        range(matrix.shape[1]),
        blank[: matrix.shape[1]] if columns is None else columns,
        rotation=40,
        ha='right',
    )
    axis.set_yticks(range(matrix.shape[0]), blank[: matrix.shape[0]] if rows is None else rows)
    if digits is not None and matrix.size <= 150:
        for i, j in np.ndindex(*matrix.shape):
            if np.isfinite(matrix[i, j]):
                axis.text(j, i, f'{matrix[i, j]:.{digits}f}', ha='center', va='center', fontsize=8)
    figure.colorbar(image, ax=axis, shrink=0.8)
    return figure


def _apart(plane, labels):
    """Indices of the labels that fit without covering an earlier one."""
    labels = [] if labels is None else list(labels)
    size = np.ptp(plane, axis=0)
    chosen = []
    for i, label in enumerate(labels):
        # About 90 characters fit across the figure, and 28 lines into its height.
        right, up = (((plane[chosen] - plane[i]) / size) * (90, 28)).T
        widths = np.array([len(labels[j]) for j in chosen])
        if label and ((abs(up) > 1) | (right > len(label)) | (-right > widths)).all():
            chosen.append(i)
    return chosen


@_styled
def vectors(points, labels=None, groups=None, title='', axes_names=None):
    """A map of vectors in the plane of their two principal components.

    Parameters
    ----------
    points : array (N, K)
    labels : list of N str, optional
        Written beside the points, the first ones foremost, where they do not overlap; ''
        writes nothing.
    groups : list of N str, optional
        Colours the points, one colour a group.
    """
    points = np.asarray(points, dtype='float64')
    centred = points - points.mean(axis=0)
    _, spread, directions = np.linalg.svd(centred, full_matrices=False)
    plane = centred @ directions[:2].T
    share = spread[:2] ** 2 / (spread**2).sum()
    figure, (axis,) = _figure(1, width=6.4, height=4.8)
    groups = np.asarray(groups if groups is not None else [''] * len(points))
    for i, group in enumerate(dict.fromkeys(groups)):
        chosen = groups == group
        axis.scatter(
            *plane[chosen].T,
            s=18,
            alpha=0.75,
            color=COLORS[i % len(COLORS)],
            label=group,
            linewidths=0,
        )
    for i in _apart(plane, labels):
        axis.annotate(labels[i], plane[i], xytext=(4, 3), textcoords='offset points', fontsize=8)
    names = axes_names or [f'component {i + 1} ({share[i]:.0%} of the variance)' for i in (0, 1)]
    axis.set(title=title, xlabel=names[0], ylabel=names[1])
    if len(set(groups)) > 1:
        figure.legend(loc='outside upper center', ncols=len(set(groups)), markerscale=1.5)
    return figure
