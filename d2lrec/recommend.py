"""From scores to lists: the best items that a user has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd
from mxnet import gluon
from mxnet import np as mxnp

from .arguments import shown as in_a_line
from .checks import check_ids
from .data.columns import Examples
from .data.encoder import ENOUGH, NEVER, Encoder
from .data.hashed import HashedField
from .data.ratings import RatingRows, Ratings
from .data.values import read_column, spelled
from .fitting import predict
from .models.fm import FM
from .models.lr import LR
from .models.mf import MF
from .origin import check_origin

__all__ = ['recommend']

PAIRS = 2**17  # pairs of a user and an item that are scored at once, which bounds the memory


def recommend(
    net: gluon.Block,
    users: Any,
    k: int = 10,
    *,
    seen: Any = None,
    items: Any = None,
    user: str = 'user',
    item: str = 'item',
    name: Optional[str] = None,
    encoder: Any = None,
    damping: float = 5.0,
) -> pd.DataFrame:
    """The k best items for each user, without those that the user has seen.

    **A model of clicks** (ids of fields: `LR`, `FM`, `DeepFM` and so on) scores each user, in
    the context given, with each item. Which fields are whose is said by name: `users` is a frame
    with a row for each list that is wanted and a column for each of the user's fields and the
    context's (the hour, the device), `items` is a frame with a row for each candidate and a
    column for each of the item's fields. A user or an item that training did not know has the id
    of unknown values, and is scored by its other fields.

    **A model of pairs** (`MF`, `NeuMF`) or of rows (`AutoRec`) knows users by their number, from
    0, or by name, where it was trained on ratings that `Table.ratings` made. Users it was not
    trained on are given by their ratings: `users` is then a `Ratings`, whose items are found by
    their names or else numbered as in training, and they are folded in:

    - MF: the bias and the vector of least Σ (r - μ - b_i - b_u - <p_u, q_i>)² + λ (b_u² + ‖p_u‖²)
      over the user's ratings (`definitions.fold_in`).
    - AutoRec by user: the ratings are the row that goes in.
    - AutoRec by item: the weights and the bias by which the decoder rates the items' hidden
      layers, as the average user's plus what least squares, damped by λ, adds to them.

    Where the score is an inner product between a user's side and an item's, as in MF, FM and LR,
    all scores of a batch of users are one product of two matrices. Of items of one score the one
    that stands first among the candidates comes first.

    Folding in by alternating least squares: Koren, Bell and Volinsky, Matrix Factorization
    Techniques for Recommender Systems, Computer 42(8), 2009.

    Parameters
    ----------
    net : a model
    users : DataFrame, or sequence of users, or `Ratings`
        A sequence will do for a model of clicks whose other fields are all the items'.
    k : int
    seen : `CTRDataset`, `Ratings` or DataFrame with the columns `user` and `item`; or False
        What each user has seen and is not shown again, usually the training data. False excludes
        nothing. With `Ratings` as `users` these are what the users have seen. `AutoRec` needs
        it in any case: what goes in.
    items : DataFrame, or sequence of I names
        The candidates of a model of clicks. Of the others, the items' names in the order of
        their numbers; by default the numbers.
    user, item : str
        Columns by which users and items are known.
    name : str, optional
        Column of `items` to show beside the item, such as its title.
    encoder : Encoder, or a data set that has one
        For a model of clicks; by default that of `seen`.
    damping : float
        λ of folding in.

    Returns
    -------
    DataFrame with the columns user, rank (from 1), item, score, and `name` where it is asked for.
    The score is a probability or a rating, as in `predict`. A user who has seen nearly all items
    has fewer than k rows.

    Raises
    ------
    ValueError
        For a field that is in neither frame or in both, users that the net does not know, and
        where `seen` is not said.

    Examples
    --------
    >>> import d2lrec as d2l
    >>> log = pd.DataFrame(
    ...     {
    ...         'click': [1, 0, 1, 0],
    ...         'user': ['ann', 'ann', 'bob', 'bob'],
    ...         'item': ['tea', 'jam', 'jam', 'nut'],
    ...     }
    ... )
    >>> train = d2l.CTRDataset(log, min_threshold=1)
    >>> net = d2l.LR(train.field_dims)
    >>> net.initialize()
    >>> recommend(net, ['ann', 'eve'], 2, seen=train, items=pd.DataFrame({'item': ['tea', 'nut']}))
      user  rank item  score
    0  ann     1  nut    0.5
    1  eve     1  tea    0.5
    2  eve     2  nut    0.5
    """
    if isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1:
        raise ValueError(
            f'k is {in_a_line(k)}: give the length of the lists, a whole number from 1 on.'
        )
    reads = getattr(net, 'inputs', None) or {}
    if 'ids' in reads:
        asked = _clicks(net, users, seen, items, user, item, encoder)
    elif 'rows' in reads or {'users', 'items'} <= set(reads):
        asked = _ratings(net, users, seen, items, item, damping)
    else:
        raise ValueError(
            f'{type(net).__name__} does not say that it reads ids, users and items, or rows: '
            'give a model of this library, or one derived from d2lrec.models.Model.'
        )
    return _lists(asked, int(k), items, name)


class _Asked(NamedTuple):
    """Lists that are wanted: for whom, of what, and how to get their scores."""

    users: Any  # (n,), as they are shown
    items: Any  # (I,), as they are shown
    scores: Callable  # of a slice of the users, numbers (slice, I)
    seen: Callable  # of a user's place, the places of the items seen


def _lists(asked, k, items, name):
    """The frame of all lists, a chunk of users at a time."""
    if name is not None and (
        not isinstance(items, pd.DataFrame) or name not in map(str, items.columns)
    ):
        raise ValueError(f'items has no column {name!r}: give a frame with it, or another name=.')
    count, step = len(asked.users), max(1, PAIRS // max(1, len(asked.items)))
    who, rank, what, score = [], [], [], []
    for start in range(0, count, step):
        stop = min(start + step, count)
        scores = np.array(asked.scores(slice(start, stop)), np.float64)
        for place, row in enumerate(scores, start):
            row[asked.seen(place)] = -np.inf
            best = _best(row, k)
            who.append(np.full(len(best), place))
            rank.append(np.arange(1, len(best) + 1))
            what.append(best)
            score.append(row[best])
    who, rank, what, score = (
        np.concatenate(parts) if parts else np.empty(0, np.int64)
        for parts in (who, rank, what, score)
    )
    columns = {
        'user': _taken(asked.users, who),
        'rank': rank,
        'item': _taken(asked.items, what),
        'score': np.asarray(score, np.float64),
    }
    if name is not None:
        columns[name] = _taken(items[name], what)
    return pd.DataFrame(columns)


def _taken(values, places):
    """Values by their places, in their own type."""
    return pd.Series(values).take(places).reset_index(drop=True)


def _best(scores, k):
    """The places of the k highest scores, highest first, equal ones in order; none of -inf."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        places = np.flatnonzero(scores >= least)
    else:
        places = np.arange(len(scores))
    places = places[np.argsort(-scores[places], kind='stable')][:k]
    return places[scores[places] > -np.inf]


def _not_said(net):
    return ValueError(
        f'seen is not given: pass what the users of this {type(net).__name__} have seen, such as '
        'the training data, or seen=False to exclude nothing.'
    )


# --- models of clicks ----------------------------------------------------------------------------


def _clicks(net, users, seen, items, user, item, encoder):
    if seen is None:
        raise _not_said(net)
    encoder = _encoder(net, encoder, seen)
    check_origin(net, encoder, 'what encodes')
    if not isinstance(items, pd.DataFrame):
        raise ValueError(
            f'items is a {type(items).__name__}: give a frame of the candidates, with a column '
            "for each of the items' fields."
        )
    if not isinstance(users, pd.DataFrame):
        users = pd.DataFrame({user: _sequence(users, 'users')})
    users, items = _named(users), _named(items)
    for frame, column, what in (users, user, 'user'), (items, item, 'item'):
        if column not in frame.columns:
            raise ValueError(
                f'{what}s has no column {column!r}: it has {", ".join(frame.columns)}; say which '
                f'one by {what}=.'
            )
    if not len(items):
        raise ValueError('items has no rows: give at least one candidate.')
    if items[item].duplicated().any():
        twice = items[item][items[item].duplicated()].iloc[0]
        raise ValueError(
            f'items has {in_a_line(twice)} twice: give each candidate one row, by '
            f'items.drop_duplicates({item!r}) say.'
        )
    sides = _sides(encoder, users, items)
    found = _seen_pairs(seen, users[user], items[item], user, item, encoder)
    if not len(users):
        return _Asked(users[user], items[item], lambda part: np.empty((0, len(items))), found)
    pairs = _Pairs(net, encoder, users, items, sides, (user, item))
    return _Asked(users[user], items[item], pairs.scores, found)


def _encoder(net, encoder, seen):
    given = seen if encoder is None else encoder
    encoder = given if isinstance(given, Encoder) else getattr(given, 'encoder', None)
    if encoder is None:
        raise ValueError(
            f'{type(net).__name__} reads ids, and nothing says which value has which: pass '
            'encoder=train.encoder, or the one that load gives back with the net.'
        )
    return encoder


def _sequence(values, what):
    if isinstance(values, Mapping) or (
        isinstance(values, (list, tuple)) and any(isinstance(v, Mapping) for v in values)
    ):
        raise ValueError(
            f'{what} is {in_a_line(values)}: give a frame with a row for each, '
            f'pd.DataFrame([{{field: value}}]), or a list of {what}.'
        )
    if isinstance(values, (str, bytes)) or not hasattr(values, '__len__'):
        raise ValueError(f'{what} is {in_a_line(values)}: give a list of {what}.')
    return values


def _named(frame):
    """The frame with its columns' names as text, rows numbered."""
    return frame.set_axis([str(c) for c in frame.columns], axis=1).reset_index(drop=True)


def _needed(encoder):
    """The names of the columns that are encoded."""
    numbers = encoder.dense if encoder.plan is None else encoder.plan.schema.numbers
    return list(dict.fromkeys([*encoder.vocabulary.columns, *numbers]))


def _sides(encoder, users, items):
    """{name of a column that is encoded: whether it is the item's}."""
    needed = _needed(encoder)
    for column in needed:
        there = column in users.columns, column in items.columns
        if all(there):
            raise ValueError(
                f'{column!r} is a column of users and of items: leave it in the one whose it is.'
            )
        if not any(there):
            raise ValueError(
                f"the net reads {column!r}, and neither users nor items has it: give the users' "
                "fields and the context's in users, the items' in items."
            )
    return {column: column in items.columns for column in needed}


class _Pairs:
    """Scores of a model of clicks: each side is encoded once, and every pair put together of both.

    Where it is known which side a column of the encoded data belongs to, its numbers are copied;
    else, as for a cross of a user's field with an item's, the pairs' raw rows are encoded.
    """

    def __init__(self, net, encoder, users, items, sides, known_by):
        self.net, self.encoder, self.users, self.items = net, encoder, users, items
        self._user_part = self._encode(users, items.iloc[[0] * len(users)])
        self._item_part = self._encode(users.iloc[[0] * len(items)], items)
        for part, is_item in (self._user_part, False), (self._item_part, True):
            if len(part) >= ENOUGH:
                own = [n for n, s in sides.items() if s is is_item and n not in known_by]
                warn_unknown(part, own)
        self._is_item = self._columns_of_items(sides)

    def _encode(self, users, items):
        columns = {str(n): users[n].reset_index(drop=True) for n in users.columns}
        others = {n: items[n].reset_index(drop=True) for n in items.columns if n not in columns}
        frame = pd.DataFrame({**columns, **others})
        return self.encoder.encode(frame, label=False, too_many=NEVER)

    def _columns_of_items(self, sides):
        """{name: booleans, which columns of this matrix are the items'}; None if one is of both."""
        tables = self.encoder.tables()
        owner = {f.name: sides.get(f.column) for f in self.encoder.vocabulary.fields}
        owner = {**owner, **sides, **{f'{name} is missing': side for name, side in sides.items()}}
        for step in self.encoder.steps:
            for group, members in getattr(step, 'groups', {}).items():
                of = {sides.get(m) for m in members}
                owner[group] = of.pop() if len(of) == 1 else None
        slots = [name for name, _, _ in tables]  # of the ids: a bag has several
        sizes = self.encoder.bag_sizes
        if sizes:
            bags = [n for n, s in zip(slots[len(slots) - len(sizes) :], sizes) for _ in range(s)]
            slots = slots[: len(slots) - len(sizes)] + bags
        names = {
            'ids': slots,
            'weights': bags if sizes else [],
            'dense': self._item_part.column_names.get('dense', []),
        }
        found = {}
        for name, array in self._item_part.columns.items():
            own = [owner.get(n) for n in names.get(name, [])]
            if array.ndim != 2 or len(own) != array.shape[1] or None in own:
                return None
            found[name] = np.array(own, bool)
        return found

    def scores(self, part):
        """Of a slice of the users, with all items: (n, I)."""
        if self._is_item is not None and _is_inner_product(self.net, self._user_part):
            return self.inner_products(part)
        return self.plain(part)

    def plain(self, part):
        """Every pair through the net."""
        users = np.arange(len(self.users))[part]
        count = len(self.items)
        scores = np.empty((len(users), count))
        for start in range(0, count, PAIRS):
            stop = min(start + PAIRS, count)
            pairs = self._put_together(users, np.arange(start, stop))
            scores[:, start:stop] = predict(self.net, pairs).reshape(len(users), -1)
        return scores

    def _put_together(self, users, items):
        who, what = np.repeat(users, len(items)), np.tile(items, len(users))
        if self._is_item is None:
            return self._encode(self.users.iloc[who], self.items.iloc[what])
        pairs = self._user_part[who]
        columns = {
            name: np.where(is_item, self._item_part.columns[name][what], pairs.columns[name])
            for name, is_item in self._is_item.items()
        }
        return Examples(columns)

    def inner_products(self, part):
        """FM's and LR's scores as one product of a matrix of users and one of items.

        With s the sum of one side's vectors, the pairs within the sides are numbers of each side,
        and all those between them are <s_user, s_item>.
        """
        sides = []
        for data, mine in (self._user_part[part], False), (self._item_part, True):
            chosen = self._is_item['ids'] == mine
            fields = self.net.ranges['ids'][0][chosen]  # a bag's slots begin at the same id
            ids, weights = data.columns['ids'], np.ones(data.columns['ids'].shape)
            if 'weights' in data.columns:  # of the last slots; the fields before have one each
                weights[:, weights.shape[1] - data.columns['weights'].shape[1] :] = data.columns[
                    'weights'
                ]
            sides.append(_side(self.net, ids[:, chosen], weights[:, chosen], fields))
        (alone, vectors), (alone_2, vectors_2) = sides
        logits = alone[:, None] + alone_2[None, :] + float(self.net.linear.bias.data().asnumpy()[0])
        logits += vectors @ vectors_2.T
        return 1 / (1 + np.exp(-logits))


def _is_inner_product(net, data):
    return type(net) in (FM, LR) and set(net.inputs) == set(data.columns) <= {'ids', 'weights'}


def _side(net, ids, weights, fields):
    """What one side adds alone to the logit (N,), and the sum of its fields' vectors (N, K).

    The slots' ids (N, M) with their weights (N, M) are those of the fields that `fields` (M,)
    numbers: a field's vector is the weighted sum of its slots'.
    """
    linear = net.linear.weight.data().asnumpy()[:, 0].astype(np.float64)
    alone = (linear[ids] * weights).sum(axis=1)
    if not isinstance(net, FM):
        return alone, np.zeros((len(ids), 1))
    table = net.embedding.weight.data().asnumpy().astype(np.float64)
    total, squares = np.zeros((2, len(ids), table.shape[1]))
    for field in np.unique(fields):
        slots = np.flatnonzero(fields == field)
        vectors = sum(table[ids[:, s]] * weights[:, [s]] for s in slots)
        total += vectors
        squares += np.square(vectors)
    return alone + (np.square(total) - squares).sum(axis=1) / 2, total


def warn_unknown(data: Any, names: Optional[list] = None, most: float = 0.5) -> None:
    """Warn of fields of encoded data that are unknown in a larger share than `most` of the rows.

    With `names`, of these fields only. The warning is of whoever called what called this.
    """
    shares = getattr(data, 'unknown', None)
    if shares is None:
        return
    lost = [
        f'{n!r} ({share:.0%})'
        for n, share in zip(data.vocabulary.names, shares)
        if share > most and (names is None or n in names)
    ]
    if lost:
        warnings.warn(
            f'of {", ".join(lost[:10])}{" and others" if len(lost) > 10 else ""} most values are '
            'unknown to the net: see that these are the columns of the training data, spelled '
            'alike.',
            stacklevel=3,
        )


def _seen_pairs(seen, users, items, user, item, encoder):
    """A function of a user's place: the places of the items that this user has seen."""
    if seen is False:
        return _none
    frame = seen if isinstance(seen, pd.DataFrame) else getattr(seen, 'frame', None)
    if isinstance(frame, pd.DataFrame):
        frame, kinds = _named(frame), {f.name: f.kind for f in encoder.vocabulary.fields}
        theirs = {}
        for column in (user, item):
            if column not in frame.columns:
                raise ValueError(
                    f'seen has no column {column!r}: it has {", ".join(frame.columns)}.'
                )
            theirs[column] = spelled(read_column(column, frame[column]), kinds.get(column))
    elif hasattr(seen, 'vocabulary') and 'ids' in getattr(seen, 'columns', ()):
        theirs = {column: _decoded(seen, column) for column in (user, item)}
    else:
        raise ValueError(
            f'seen is a {type(seen).__name__}: give the training data, or a frame with the '
            f'columns {user!r} and {in_a_line(item)}, or False.'
        )
    (who, by), (what, of) = (
        _numbered_alike(read_column(column, values), *theirs[column])
        for column, values in ((user, users), (item, items))
    )
    place = np.full(max(what.max(), of.max(initial=0)) + 1, -1)
    place[what] = np.arange(len(what))
    there = np.where((by >= 0) & (of >= 0), place[of], -1)
    return _by_user(by[there >= 0], there[there >= 0], who)


def _decoded(data, name):
    """The kind of a field of encoded data, its values, each row's value; -1 for an unknown one."""
    if name not in data.vocabulary.names:
        raise ValueError(
            f'seen has no field {name!r}: it has {", ".join(data.vocabulary.names)}; say which '
            'one by user= and item=, or give a frame.'
        )
    f = data.vocabulary.names.index(name)
    one = data.vocabulary.fields[f]
    if isinstance(one, HashedField):
        raise ValueError(
            f'seen is encoded and its field {name!r} is hashed, so that its values are not known '
            'any more: give the frame of the training data.'
        )
    within = data.columns['ids'][:, f] - data.vocabulary.offsets[f]
    values = [one.value(i) for i in range(one.dim)]
    if one.unknown is not None:
        within = np.where(within == one.unknown, -1, within)
    return one.kind, ['' if v is None else v for v in values], within


def _numbered_alike(mine, kind, words, codes):
    """Two columns' values by one numbering, so that equal values have one number."""
    my_kind, my_words, my_codes = spelled(mine, kind)
    numbers: dict = {}
    mine_to, theirs_to = (
        np.array([numbers.setdefault(w, len(numbers)) for w in some], np.int64)
        for some in (my_words, words)
    )
    theirs = np.append(theirs_to, -1)[codes]  # -1 stays -1
    return mine_to[my_codes], theirs


def _by_user(users, items, asked):
    """A function of a place in `asked`: the items of the pairs (users, items) of that user."""
    order = np.argsort(users, kind='stable')
    users, items = users[order], items[order]
    first, end = (np.searchsorted(users, asked, side) for side in ('left', 'right'))
    return lambda place: items[first[place] : end[place]]


def _none(place):
    return np.empty(0, np.int64)


# --- models of ratings and of pairs --------------------------------------------------------------


def _ratings(net, users, seen, items, item, damping):
    new = isinstance(users, Ratings)
    if seen is None and not new:
        raise _not_said(net)
    if seen is not None and seen is not False and not isinstance(seen, (Ratings, RatingRows)):
        raise ValueError(
            f'seen is a {type(seen).__name__}: give the Ratings that {type(net).__name__} was '
            'trained on, or False.'
        )
    number = isinstance(damping, (int, float)) and not isinstance(damping, bool)
    if not number or not 0 <= damping < np.inf:
        raise ValueError(f'damping is {in_a_line(damping)}: give a number, 0 or more.')
    rows = 'rows' in net.inputs
    if (
        rows
        and not isinstance(seen, (Ratings, RatingRows))
        and not (new and _is_by_user(net, users))
    ):
        raise ValueError(
            f'{type(net).__name__} reads the rows of the ratings: pass the training part as seen=.'
        )
    if isinstance(seen, Ratings):
        check_origin(net, seen, 'what was seen')
    known = getattr(net, '_origin', None)  # of the training ratings: names of users, of items
    known = known if known is not None and len(known) == 2 else (None, None)
    user_names = _either(getattr(seen, 'user_names', None), known[0])
    item_names = _either(getattr(seen, 'item_names', None), known[1])
    if new and item_names is not None and users.item_names is not None:
        users = _renumbered(users, item_names)
    scores, count, num_users = _scorer(net, seen, users if new else None, damping)
    if new:
        check_ids(users.items, 0, count, 'items')
        numbers = np.unique(users.users)
        shown = _shown(numbers, getattr(users, 'user_names', None))
        found = _by_user(users.users, users.items, numbers)
    else:
        numbers, shown = _numbers_of(net, users, num_users, user_names)
        found = _none if seen is False else _by_user(*_pairs_of(seen), numbers)
    names = _item_names(items, item, count, item_names, getattr(users, 'item_names', None))
    return _Asked(shown, names, lambda part: scores(numbers[part]), found)


def _either(one, other):
    return other if one is None else one


def _renumbered(new, names):
    """New users' ratings with the items' numbers of training, found by name."""
    if list(new.item_names) == list(names):
        return new
    items = pd.Index(names).get_indexer(pd.Index(new.item_names))[new.items]
    there = items >= 0
    if not there.any():
        raise ValueError(
            'no item of the new ratings is among those of training: see that they are spelled '
            'alike.'
        )
    if not there.all():
        warnings.warn(
            f'{(~there).sum():,} of the {len(there):,} new ratings are of items that the net does '
            'not know, and are left out.',
            stacklevel=4,
        )
    made = Ratings(new.users[there], items[there], new.ratings[there], new.num_users, len(names))
    made.user_names, made.item_names = new.user_names, list(names)
    return made


def _scorer(net, seen, new, damping):
    """A function of users' numbers (n,), which gives (n, I); the numbers of items and of users."""
    if 'rows' in net.inputs:
        return _autorec(net, seen, new, damping)
    if new is not None and type(net) is not MF:
        raise ValueError(
            f'{type(net).__name__} cannot take in users by their ratings, as MF and AutoRec can: '
            'train it with them, or give users that it knows.'
        )
    if type(net) is MF:
        (p, q), (b_u, b_i) = (
            [_array(w) for w in pair]
            for pair in ((net.P.weight, net.Q.weight), (net.user_bias, net.item_bias))
        )
        base = net.mean + b_i[:, 0]
        if new is not None:
            q1 = np.column_stack([q, np.ones(len(q))])

            def folded(users):
                sides = [
                    _ridge(q1[i], r - base[i], damping)
                    for i, r in (_of_user(new, u) for u in users)
                ]
                return base + np.array(sides) @ q1.T

            return folded, net.num_items, None
        return lambda u: b_u[u] + base + p[u] @ q.T, net.num_items, net.num_users

    def plain(users):
        items = np.arange(net.num_items)
        pairs = {'users': np.repeat(users, len(items)), 'items': np.tile(items, len(users))}
        return predict(net, Examples(pairs)).reshape(len(users), -1)

    return plain, net.num_items, net.num_users


def _autorec(net, seen, new, damping):
    if new is not None and _is_by_user(net, new):
        known = new
    else:
        known = seen
    if _is_by_user(net, known):
        rows, mask = _rows_of(known, 'user')
        count = rows.shape[1]
        return (lambda u: predict(net, rows[u] * mask[u])), count, len(rows)
    rows, mask = _rows_of(known, 'item')
    if not hasattr(net, 'encoder') or not isinstance(getattr(net, 'decoder', None), gluon.nn.Dense):
        whole = predict(net, rows * mask)
        if new is not None:
            raise ValueError(
                f'{type(net).__name__} has no encoder and decoder as AutoRec has, so that users '
                'cannot be folded in: give users that it knows.'
            )
        return (lambda u: whole[:, u].T), len(rows), rows.shape[1]
    hidden = _hidden(net, rows * mask)  # (I, H), once
    weight, bias = _array(net.decoder.weight), _array(net.decoder.bias)
    act = net.decoder.act

    def rated(weight, bias):
        out = weight @ hidden.T + bias[:, None]
        return out if act is None else act(mxnp.array(out, dtype='float32')).asnumpy()

    if new is None:
        return (lambda u: rated(weight[u], bias[u])), len(rows), rows.shape[1]
    if act is not None:
        raise ValueError(
            f"folding users into an AutoRec by item needs a linear decoder, and this one's has "
            f'{act._act_type!r}: train one without, or one by user.'
        )
    mean, level = weight.mean(axis=0), bias.mean()
    average = hidden @ mean + level
    h1 = np.column_stack([hidden, np.ones(len(hidden))])

    def folded(users):
        sides = [
            _ridge(h1[i], r - average[i], damping) for i, r in (_of_user(new, u) for u in users)
        ]
        return average + np.array(sides) @ h1.T

    return folded, len(rows), None


def _is_by_user(net, ratings):
    """Whether the rows that the net rebuilds are the users', so that their length is I."""
    length = net.inputs['rows']
    if isinstance(ratings, RatingRows):
        return ratings.by == 'user'
    if not isinstance(ratings, Ratings):
        return False
    by_user, by_item = ratings.num_items == length, ratings.num_users == length
    if by_user and by_item:
        raise ValueError(
            f'{type(net).__name__} rebuilds rows of {length} ratings, and there are as many users '
            'as items: pass seen=ratings.rows(by="item") or ratings.rows(by="user").'
        )
    return by_user


def _rows_of(ratings, by):
    """Rows and mask of ratings, held against what was asked for."""
    if isinstance(ratings, Ratings):
        ratings = ratings.rows(by=by)
    return ratings.columns['rows'], ratings.columns['mask']


def _hidden(net, rows):
    """The hidden layer of each row, (N, H)."""
    parts = []
    for start in range(0, len(rows), 4096):
        out = net.encoder(mxnp.array(rows[start : start + 4096], dtype='float32'))
        parts.append(out.asnumpy().astype(np.float64))
    return np.concatenate(parts)


def _array(parameter):
    return parameter.data(parameter.list_ctx()[0]).asnumpy().astype(np.float64)


def _of_user(ratings, user):
    """A user's items (n,) and ratings of them (n,)."""
    chosen = ratings.users == user
    return ratings.items[chosen], ratings.ratings[chosen].astype(np.float64)


def _ridge(features, rest, damping):
    """`definitions.fold_in`, by whichever of the two systems is smaller."""
    rows, width = features.shape
    if not damping:
        return np.linalg.lstsq(features, rest, rcond=None)[0]
    if rows < width:
        return features.T @ np.linalg.solve(features @ features.T + damping * np.eye(rows), rest)
    return np.linalg.solve(features.T @ features + damping * np.eye(width), features.T @ rest)


def _pairs_of(seen):
    """The users and items of the ratings seen."""
    if isinstance(seen, Ratings):
        return seen.users, seen.items
    first, second = np.nonzero(seen.columns['mask'])
    return (first, second) if seen.by == 'user' else (second, first)


def _numbers_of(net, users, count, names):
    """Users' numbers, checked, and what they are called."""
    users = pd.Series(_sequence(users, 'users'))
    if names is not None:
        index = pd.Index(names)
        numbers = index.get_indexer(pd.Index(users))
        if (numbers < 0).any():  # 7 finds '7', as in a model of clicks
            _, words, codes = spelled(read_column('users', users))
            numbers = np.where(numbers < 0, index.get_indexer(pd.Index(words))[codes], numbers)
        if (numbers < 0).any():
            raise ValueError(
                f'the net does not know the user {in_a_line(users.iloc[int(np.argmin(numbers))])}: '
                f'{_cure(net)}.'
            )
        return numbers, users
    numbers = users.to_numpy()
    if len(numbers) and (numbers.dtype.kind not in 'iu' or numbers.dtype.kind == 'b'):
        raise ValueError(f'users are {users.dtype}: give their numbers, from 0 to {count - 1}.')
    numbers = numbers.astype(np.int64)
    out = (numbers < 0) | (numbers >= count)
    if out.any():
        raise ValueError(
            f'the net has no user {numbers[np.argmax(out)]}, only those from 0 to {count - 1}: '
            f'{_cure(net)}.'
        )
    return numbers, users


def _cure(net):
    if type(net) is MF or 'rows' in net.inputs:
        return 'fold a new one in by its ratings, users=Ratings(...)'
    return 'train it with them'


def _shown(numbers, names):
    return pd.Series(numbers) if names is None else pd.Series(names).take(numbers)


def _item_names(items, item, count, *known):
    """What the items are called: as given, or as the ratings have it, or their numbers."""
    if isinstance(items, pd.DataFrame):
        if item not in map(str, items.columns):
            raise ValueError(
                f'items has no column {item!r}: it has {", ".join(map(str, items.columns))}; say '
                'which one by item=.'
            )
        names = _named(items)[item]
    elif items is not None:
        names = pd.Series(_sequence(items, 'items'))
    else:
        names = next((n for n in known if n is not None), None)
        names = pd.Series(np.arange(count)) if names is None else pd.Series(names)
    if len(names) != count:
        raise ValueError(
            f'items has {len(names)} rows and the net {count} items: give one for each, in the '
            'order of their numbers.'
        )
    return names.reset_index(drop=True)
