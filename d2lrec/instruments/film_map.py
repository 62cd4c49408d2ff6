"""A map of films: a picture in the plane, and the neighbours in the whole space lit in it."""

from __future__ import annotations

import numbers
from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np
from numpy.typing import ArrayLike

from .. import palette
from ..arguments import check_list, check_seed, check_whole, shown
from .instrument import Instrument, as_numbers, names_of, of_kind, rounded, years_of

__all__ = ['film_map', 'nearest', 'neighbours_kept', 'planes']


def _units(vectors):
    vectors = as_numbers(vectors, 'vectors')
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True) if vectors.ndim == 2 else None
    if lengths is None or len(vectors) < 3 or vectors.shape[1] < 2:
        raise ValueError(f'vectors has shape {vectors.shape}: give (N, K), 3 vectors or more.')
    if not np.isfinite(vectors).all() or not lengths.all():
        raise ValueError('a vector of zeros, NaN or infinity has no direction: leave it out.')
    return vectors / lengths


def nearest(vectors: ArrayLike, num: int = 10) -> tuple[np.ndarray, np.ndarray]:
    """The nearest others of each vector by cosine.

    Parameters
    ----------
    vectors : array (N, K)
    num : int
        How many, at most N - 1.

    Returns
    -------
    places : array (N, num) of int
        The nearest first.
    cosines : array (N, num)

    Raises
    ------
    ValueError
        For fewer than three vectors, or one without a direction.

    Examples
    --------
    >>> places, cosines = nearest([[1, 0], [2, 0.1], [0, 1]], num=1)
    >>> places[:, 0].tolist(), round(float(cosines[0, 0]), 3)
    ([1, 0, 1], 0.999)
    """
    units, num = _units(vectors), check_whole(num, 'num')
    cosine = units @ units.T
    np.fill_diagonal(cosine, -np.inf)
    places = np.argsort(-cosine, axis=1, kind='stable')[:, : min(num, len(units) - 1)]
    return places, np.take_along_axis(cosine, places, axis=1)


def planes(vectors: ArrayLike, seed: int = 0) -> dict[str, np.ndarray]:
    """Two pictures of directions in the plane: their principal components, and t-SNE.

    Principal components keep as much of the spread as a plane can; t-SNE (van der Maaten and
    Hinton, 2008) gives up distances to keep who is near whom.

    Parameters
    ----------
    vectors : array (N, K)
        Of which the directions count; the lengths do not.
    seed : int

    Returns
    -------
    dict
        'PCA' and 't-SNE' -> array (N, 2), of a spread of 1.

    Examples
    --------
    >>> pictures = planes(np.random.default_rng(0).normal(size=(20, 5)))
    >>> {name: plane.shape for name, plane in pictures.items()}
    {'PCA': (20, 2), 't-SNE': (20, 2)}
    """
    from sklearn.manifold import TSNE

    units, seed = _units(vectors), check_seed(seed)
    centred = units - units.mean(axis=0)
    found = {'PCA': centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T}
    made = TSNE(
        2, perplexity=min(15.0, (len(units) - 1) / 3), init=_spread(found['PCA']) * 1e-4,
        learning_rate=200.0, random_state=seed,
    )  # fmt: skip
    found['t-SNE'] = made.fit_transform(units.astype('float32')).astype('float64')
    return {name: _spread(plane) for name, plane in found.items()}


def _spread(plane):
    plane = plane - plane.mean(axis=0)
    return (plane / (plane.std() or 1.0)).astype('float32')


def neighbours_kept(vectors: ArrayLike, plane: ArrayLike, num: int = 10) -> float:
    """How many of the `num` nearest by cosine are among the `num` nearest in a picture; the mean.

    Parameters
    ----------
    vectors : array (N, K)
    plane : array (N, 2)
    num : int

    Examples
    --------
    >>> neighbours_kept([[1, 0], [2, 0.1], [0, 1]], [[0, 0], [0, 1], [0, 9]], num=1)
    1.0
    """
    places, plane = nearest(vectors, num)[0], as_numbers(plane, 'plane')
    if plane.shape != (len(places), 2):
        raise ValueError(f'plane has shape {plane.shape}: give ({len(places)}, 2), a place each.')
    away = np.square(plane[:, None] - plane[None]).sum(axis=2)
    np.fill_diagonal(away, np.inf)
    shown = np.argsort(away, axis=1, kind='stable')[:, : places.shape[1]]
    return float(np.mean([len(set(a) & set(b)) for a, b in zip(places.tolist(), shown.tolist())]))


def film_map(
    vectors: ArrayLike,
    names: Sequence[str],
    start: int = 0,
    groups: Optional[Mapping[str, ArrayLike]] = None,
    num: int = 10,
    seed: int = 0,
    years: Optional[ArrayLike] = None,
) -> Instrument:
    """A map of vectors to search and to point at; the neighbours are those by cosine.

    Parameters
    ----------
    vectors : array (N, K)
    names : N str
    start : int
        The place of the one that is chosen at first.
    groups : dict {name: array (N,) of bool}, optional
        Such as films' genres: one can be coloured, and they find names, in every language that
        the instruments know.
    num : int
        Neighbours that are lit.
    seed : int
        Of t-SNE.
    years : N numbers, optional
        Stand beside the names, and find them; NaN for none.

    Raises
    ------
    ValueError
        For fewer than three vectors, one without a direction, other than N names or years, or a
        place beyond them.

    Examples
    --------
    >>> vectors = np.random.default_rng(0).normal(size=(12, 4))
    >>> made = film_map(vectors, [f'film {n}' for n in range(12)], num=3)
    >>> sorted(made.data['planes']), len(made.data['neighbours'][0])
    (['PCA', 't-SNE'], 3)
    """
    places, cosines = nearest(vectors, num)
    names = [str(name) for name in check_list(names, 'names', 'a name for each vector')]
    fits = isinstance(start, numbers.Integral) and 0 <= start < len(places)
    if len(names) != len(places) or not fits:
        raise ValueError(
            f'{len(names)} names and place {shown(start)} for {len(places)} vectors: give a name '
            'for each and a place among them.'
        )
    of_kind(groups or {}, Mapping, 'groups')
    for name, inside in (groups or {}).items():
        if np.shape(inside) != (len(names),):
            raise ValueError(f'groups[{name!r}] is {shown(inside)}: give True or False for each.')
    pictures = planes(vectors, seed)
    data = {
        'names': names,
        'planes': {name: rounded(plane, 3) for name, plane in pictures.items()},
        'neighbours': places,
        'cosines': rounded(cosines, 4),
        'groups': {
            str(name): np.flatnonzero(inside).tolist() for name, inside in (groups or {}).items()
        },
        'kinds': names_of(groups or {}),
        'years': years_of(years, len(names)),
        'start': int(start),
    }
    figure = _figure(pictures['t-SNE'], names, start, places[start])
    return Instrument(
        'film_map', data, figure, films=len(names), film=names[start], near=places.shape[1]
    )


def _figure(plane, names, start, near):
    """All points in grey, one and its neighbours with their names."""
    from ..plot import _figure, _styled, _text, _write

    @_styled
    def draw():
        figure, (axis,) = _figure(1, width=6.4, height=4.6)
        axis.scatter(*plane.T, s=9, color=palette.LINE, linewidths=0, alpha=0.7)
        for i in near:
            axis.plot(*plane[[start, i]].T, color=palette.A, linewidth=0.6, alpha=0.6)
        axis.scatter(*plane[near].T, s=26, color=palette.A, linewidths=0, zorder=3)
        axis.scatter(*plane[[start]].T, s=46, color=palette.B, linewidths=0, zorder=4)
        lit = [start, *near.tolist()]
        order = lit + np.setdiff1d(np.arange(len(plane)), lit).tolist()  # these have no label
        labels = [_text(names[i]) for i in lit] + [''] * (len(plane) - len(lit))
        _write(axis, plane[order], labels, labels[: len(lit)], away=5)
        axis.set(xticks=[], yticks=[], title='t-SNE')
        axis.grid(False)
        return figure

    return draw()
