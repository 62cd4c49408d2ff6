"""Rate a few films: what a user-based AutoRec recommends then, and which rating had what effect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

import numpy as np
from mxnet.gluon import nn
from numpy.typing import ArrayLike

from ..arguments import check_flag, check_list, check_whole, is_number, shown
from ..fitting import predict
from ..models.autorec import AutoRec
from ..models.bias import BiasBaseline
from ..train.devices import devices_of
from .instrument import Instrument, as_numbers, names_of, of_kind, packed, whole_numbers, years_of

__all__ = ['five_films', 'rating_effects', 'stars_for']

LENGTH = 10  # of the list


def stars_for(
    net: AutoRec, biases: BiasBaseline, items: ArrayLike, stars: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """What someone with a few ratings would give every item, and how much of it is taste.

    The person's bias comes from these ratings, damped as everyone's; what the biases leave over
    goes into the net, and what comes out is added to the biases again.

    Parameters
    ----------
    net : AutoRec
        User-based, trained from residuals of `biases` to residuals.
    biases : BiasBaseline
        Fitted.
    items, stars : arrays (n,)
        The ratings; none at all is allowed.

    Returns
    -------
    predicted : array (I,)
    taste : array (I,)
        What the net adds, less what it adds for a person without ratings.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> biases = d2l.BiasBaseline(damping=1).fit([0, 1], [0, 1], [5.0, 3.0], 2, 2)
    >>> net = d2l.AutoRec(3, num_users=2)
    >>> net.initialize()
    >>> predicted, taste = stars_for(net, biases, [0], [5])
    >>> predicted.shape, float(abs(stars_for(net, biases, [], [])[1]).max())
    ((2,), 0.0)
    """
    _check(net, biases)
    items, stars = whole_numbers(items, 'items', len(biases.item_bias)), as_numbers(stars, 'stars')
    if items.shape != stars.shape or items.ndim != 1 or not np.isfinite(stars).all():
        raise ValueError(f'items is {items} and stars {stars}: give one number for each item.')
    beyond = stars - biases.mean - biases.item_bias[items]
    bias = beyond.sum() / (len(beyond) + biases.damping) if len(beyond) else 0.0
    rows = np.zeros((2, len(biases.item_bias)), 'float32')  # the second one stays empty
    rows[0, items] = beyond - bias
    given, nobody = predict(net, rows).astype('float64')
    return biases.mean + bias + biases.item_bias + given, given - nobody


def rating_effects(
    net: AutoRec,
    biases: BiasBaseline,
    items: ArrayLike,
    stars: ArrayLike,
    item: int,
    taste: bool = False,
) -> np.ndarray:
    """What each rating did to the prediction for one item: with all, less without this one.

    Parameters
    ----------
    net, biases, items, stars
        As `stars_for` has them.
    item : int
        The item that is predicted.
    taste : bool
        The part of taste alone, in place of the predicted stars.

    Returns
    -------
    array (n,)
        They need not add up: a rating does more beside some ratings than beside others.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> biases = d2l.BiasBaseline(damping=1).fit([0, 1], [0, 1], [5.0, 3.0], 2, 2)
    >>> net = d2l.AutoRec(3, num_users=2)
    >>> net.initialize()
    >>> rating_effects(net, biases, [0, 1], [5, 1], item=1).shape
    (2,)
    """
    _check(net, biases)
    count, part = len(biases.item_bias), int(check_flag(taste, 'taste'))
    item = check_whole(item, 'item', 0, count - 1)
    items, stars = whole_numbers(items, 'items', count), as_numbers(stars, 'stars')
    whole = stars_for(net, biases, items, stars)[part][item]
    others = [np.arange(len(items)) != n for n in range(len(items))]
    return np.array(
        [whole - stars_for(net, biases, items[o], stars[o])[part][item] for o in others]
    )


def five_films(
    net: AutoRec,
    biases: BiasBaseline,
    titles: Sequence[str],
    mine: Mapping[int, float],
    rated: Optional[ArrayLike] = None,
    listed: Optional[ArrayLike] = None,
    years: Optional[ArrayLike] = None,
    groups: Optional[Mapping[str, ArrayLike]] = None,
) -> Instrument:
    """Rate films and see ten recommendations at once, and which rating did what to each.

    Parameters
    ----------
    net : AutoRec
        User-based, with one hidden layer of sigmoids and a linear output, as trained from
        residuals of `biases` to residuals.
    biases : BiasBaseline
        Fitted.
    titles : I str
    mine : dict {item: stars}
        The ratings to begin with, one or more.
    rated, listed : arrays of items, optional
        Which films can be rated, and which recommended; by default all. The films of `mine` can
        be rated in any case.
    years : I numbers, optional
        Stand beside the titles, and find them; NaN for none.
    groups : dict {name: array (I,) of bool}, optional
        Such as films' genres. They, too, stand beside the titles and find them, in the page's
        language where the instruments know the name.

    Raises
    ------
    ValueError
        For a net of another form, ratings that are none or no whole stars from 1 to 5, or years or
        groups that are not one for each item.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> biases = d2l.BiasBaseline(damping=1).fit([0, 1], [0, 1], [5.0, 3.0], 2, 2)
    >>> net = d2l.AutoRec(3, num_users=2)
    >>> net.initialize()
    >>> five_films(net, biases, ['Alien', 'Twister'], {0: 5}).data['titles']
    ['Alien', 'Twister']
    """
    _check(net, biases)
    of_kind(mine, Mapping, 'mine')
    titles = check_list(titles, 'titles', 'the title of each item')
    hidden = [layer for layer in net.encoder if isinstance(layer, nn.Dense)]
    if len(hidden) != 1 or hidden[0].act is None or net.decoder.act is not None:
        raise ValueError('the net needs one hidden layer of sigmoids and a linear output.')
    if hidden[0].act._act_type != 'sigmoid':
        raise ValueError(f'the hidden layer has {hidden[0].act._act_type}: give one of sigmoids.')
    num_items = len(biases.item_bias)
    if net.num_users != num_items or len(titles) != num_items:
        raise ValueError(
            f'the net reads lines of {net.num_users}, there are {num_items} items and '
            f'{len(titles)} titles: give a user-based net and a title for each item.'
        )
    fit = all(
        is_number(i) and is_number(s) and i == int(i) and s == int(s) and 0 <= i < num_items
        and 1 <= s <= 5 for i, s in mine.items()
    )  # fmt: skip
    if not mine or not fit:
        raise ValueError(
            f'cannot begin with {shown(mine)}: give items with whole stars from 1 to 5.'
        )
    mine = {int(item): int(stars) for item, stars in mine.items()}
    everything = np.arange(num_items)
    rated, listed = (
        everything if a is None else np.atleast_1d(whole_numbers(a, name, num_items))
        for name, a in (('rated', rated), ('listed', listed))
    )
    films = np.unique(np.concatenate([rated, listed, list(mine)])).astype('int64')
    place = {int(item): n for n, item in enumerate(films)}
    listed = np.unique(listed)
    years = years_of(years, num_items)
    groups = {str(name): np.asarray(inside, dtype=bool) for name, inside in (groups or {}).items()}
    for name, given in groups.items():
        if given.shape != (num_items,):
            raise ValueError(f'{name} have shape {given.shape}: give one for each of {num_items}.')
    encoder, decoder = hidden[0], net.decoder
    data = {
        'ids': films,
        'titles': [str(titles[i]) for i in films],
        'years': [years[i] for i in films],
        'groups': {name: np.flatnonzero(inside[films]) for name, inside in groups.items()},
        'kinds': names_of(groups),
        'listed': [place[int(i)] for i in listed],
        'encoder': packed(encoder.weight.data().asnumpy().T[films]),
        'encoder_bias': packed(encoder.bias.data().asnumpy()),
        'decoder': packed(decoder.weight.data().asnumpy()[listed]),
        'decoder_bias': packed(decoder.bias.data().asnumpy()[listed]),
        'item_bias': packed(biases.item_bias[films]),
        'mean': float(biases.mean),
        'damping': float(biases.damping),
        'start': [[place[item], stars] for item, stars in mine.items()],
    }
    items, stars = list(mine), list(mine.values())
    predicted = stars_for(net, biases, items, stars)[0]
    left = np.setdiff1d(listed, items)
    best = left[np.argsort(-predicted[left], kind='stable')[:LENGTH]]
    figure = _figure(net, biases, [str(title) for title in titles], items, stars, best)
    return Instrument('five_films', data, figure, ratings=len(mine), films=len(best))


def _check(net, biases):
    """Refuse what is no AutoRec with weights, or no fitted baseline."""
    of_kind(net, AutoRec, 'net')
    of_kind(biases, BiasBaseline, 'biases')
    if not hasattr(biases, 'item_bias'):
        raise ValueError('biases is not fitted: call biases.fit(users, items, ratings) first.')
    devices_of(net)  # refuses one without weights


def _figure(net, biases, titles, items, stars, best):
    """The recommendations, and what each rating did to each of them, as a heat map."""
    from .. import plot

    if not len(best):
        return None

    def short(title):
        return title if len(title) <= 30 else title[:29] + '…'

    effects = [rating_effects(net, biases, items, stars, item) for item in best]
    return plot.heatmap(
        effects,
        rows=[short(titles[item]) for item in best],
        columns=[f'{short(titles[item])}: {n}' for item, n in zip(items, stars)],
        title='stars that each rating adds',
    )
