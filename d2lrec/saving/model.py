"""A model in one file: what it was built from, its weights, and what encodes its inputs."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Optional, Union

import mxnet as mx
import numpy as np
import pandas as pd
from mxnet import gluon

from ..arguments import check_real, shown
from ..data.encoder import ENOUGH, Encoder
from ..data.ratings import Ratings
from ..files import check_writable
from ..fitting import predict
from ..models.base import Model
from ..origin import check_origin, remember
from ..recommend import recommend, warn_unknown
from ..weights import weights_of
from .archive import check_weights, read_archive, same_shapes, write_archive
from .rows import encode_rows

__all__ = ['Saved', 'load', 'save']


class Saved(NamedTuple):
    """What `load` gives back: the net, and the encoder that turns raw rows into its inputs.

    It unpacks: `net, encoder = d2l.load(path)`.

    Attributes
    ----------
    net : a model with its weights
    encoder : Encoder, or None where none was saved

    Examples
    --------
    >>> import d2lrec as d2l
    >>> Saved(d2l.LR([3, 2]), None).encoder is None
    True
    """

    net: Model
    encoder: Optional[Encoder]

    def predict(
        self, source: Any, devices: Optional[Sequence[mx.Context]] = None, max_unknown: float = 0.5
    ) -> np.ndarray:
        """What `d2lrec.predict` gives for raw rows, read by column names.

        Values that the vocabulary does not hold are 'unknown', and predicted as such. A label
        column is neither needed nor looked at.

        Parameters
        ----------
        source : a frame, a file, a row as a dict {name: value}, a list of rows, or encoded data
            Rows as dicts are the quickest way for a single one.
        devices : as in `d2lrec.predict`
        max_unknown : float
            A warning names the fields of which a larger share of the rows is unknown, and the
            share, where there are 10 rows or more. `unknown` gives all shares.

        Raises
        ------
        ValueError
            For a field that is lacking, and where the model was saved without an encoder.
        """
        check_real(max_unknown, 'max_unknown')
        encoded = self._encoded(source)
        if len(encoded) >= ENOUGH:
            warn_unknown(encoded, None, max_unknown)
        return predict(self.net, encoded, devices)

    def answer(self, body: Union[bytes, str], largest: int = 1_000_000) -> tuple[int, bytes]:
        """What a server answers to a request: rows as JSON in, probabilities as JSON out.

        Parameters
        ----------
        body : bytes or str
            A row, `{"field": value}`, or a list of rows.
        largest : int
            The most bytes that are looked at.

        Returns
        -------
        status : int
            Of HTTP: 200; 400 where the client can mend it; 500, and an entry in the log of
            'd2lrec', where it cannot.
        body : bytes
            `{"probabilities": [...]}`, one for each row, or `{"error": one sentence}`.

        Examples
        --------
        >>> import d2lrec as d2l
        >>> frame = pd.DataFrame({'click': [1, 0], 'town': ['Oslo', 'Rome']})
        >>> train = d2l.CTRDataset(frame, min_threshold=1)
        >>> net = d2l.LR(train.field_dims)
        >>> net.initialize()
        >>> Saved(net, train.encoder).answer(b'{"town": "Rome"}')
        (200, b'{"probabilities": [0.5]}')
        >>> Saved(net, train.encoder).answer(b'{"city": "Rome"}')[0]
        400
        """
        try:
            rows = json.loads(body) if 0 < len(body) <= largest else None
            if not isinstance(rows, (dict, list)):  # text would be taken for the path of a file
                raise ValueError(
                    'send a row, {"field": value}, or a list of rows, as JSON of at most '
                    f'{largest:,} bytes.'
                )
            status, told = 200, {'probabilities': self.predict(rows).tolist()}
        except (ValueError, RecursionError) as error:
            status, told = 400, {'error': ' '.join(str(error).split())}
        except Exception:  # which a client cannot mend, and need not see
            logging.getLogger('d2lrec').exception('a request failed')
            status, told = 500, {'error': 'the server failed.'}
        return status, json.dumps(told).encode()

    def unknown(self, source: Any) -> pd.Series:
        """The share of the rows of raw data whose value training did not know, by field.

        Parameters
        ----------
        source : as in `predict`
        """
        encoded = self._encoded(source)
        if getattr(encoded, 'unknown', None) is None:
            raise ValueError(
                f'the source is a {type(encoded).__name__}, whose values are numbers already: give '
                'raw rows.'
            )
        return pd.Series(encoded.unknown, encoded.vocabulary.names, name='unknown')

    def recommend(
        self,
        users: Any,
        k: int = 10,
        *,
        seen: Any = None,
        items: Any = None,
        user: str = 'user',
        item: str = 'item',
        name: Optional[str] = None,
        damping: float = 5.0,
    ) -> pd.DataFrame:
        """`d2lrec.recommend` by this net and its encoder."""
        return recommend(
            self.net,
            users,
            k,
            seen=seen,
            items=items,
            user=user,
            item=item,
            name=name,
            encoder=self.encoder,
            damping=damping,
        )

    def _encoded(self, source):
        """Raw rows as the net reads them; what is encoded already as it is."""
        if hasattr(source, 'columns') and not hasattr(source, 'iloc'):
            return source
        if self.encoder is None and not {'users', 'rows'}.isdisjoint(self.net.inputs):
            raise ValueError(
                f'{type(self.net).__name__} reads no raw rows: give ratings of its table, or ask '
                'recommend(users) by name.'
            )
        if self.encoder is None:
            raise ValueError(
                f'this {type(self.net).__name__} was saved without an encoder: save it with its '
                'training data, save(net, path, train), or pass encoded data.'
            )
        return encode_rows(self.encoder, source)


def save(net: Model, path: Union[str, os.PathLike], data: Any = None) -> None:
    """Write a model whole, or not at all: what it was built from, its weights, its encoder.

    Parameters
    ----------
    net : a model of this library, or a subclass of `d2lrec.models.Model`
    path : path of the file
    data : the data set it was trained on, or its `Encoder`, optional
        What turns a raw row into the net's inputs goes with it: the vocabulary with the fields'
        names, crosses, quantiles, the layout of bags. Of `Ratings` that `Table.ratings` made these
        are the names of users and items.

    Raises
    ------
    ValueError
        For a net without weights or with weights that are not finite, one whose constructor took
        what JSON cannot hold, an encoder of other fields than the net's or another than that of
        its training, and a path that cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> import d2lrec as d2l
    >>> net = d2l.FM([3, 2], num_factors=4)
    >>> net.initialize()
    >>> path = os.path.join(tempfile.mkdtemp(), 'fm.d2l')
    >>> save(net, path)
    >>> net, encoder = load(path)
    >>> net.config
    {'field_dims': [3, 2], 'num_factors': 4}
    """
    name = type(net).__name__
    if not isinstance(net, Model) or net.config is None:
        raise ValueError(
            f'{name} does not know what it was built from: derive it from d2lrec.models.Model, '
            'without *args, or use save_parameters.'
        )
    for key, value in net.config.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise ValueError(
                f'{name} was built with {key} = {shown(value)}, which JSON cannot hold: '
                'build it from numbers, words, lists and dicts.'
            ) from None
    check_writable(path)
    names = _names_of(net, data)
    encoder = None if names is not None else _encoder_of(net, data)
    try:
        arrays = {n: p.data(p.list_ctx()[0]).asnumpy() for n, p in weights_of(net).items()}
    except (RuntimeError, gluon.parameter.DeferredInitializationError):
        raise ValueError(
            f'{name} has no weights yet: call net.initialize() and train it before saving.'
        ) from None
    for weight, array in arrays.items():
        if not np.isfinite(array).all():
            raise ValueError(
                f'{weight} of this {name} is not finite throughout: train it anew, at a lower '
                'learning rate.'
            )
    facts = {
        'kind': 'model',
        'version': 2,
        'module': type(net).__module__,
        'class': name,
        'config': net.config,
        'encoder': None if encoder is None else encoder.to_json(),
        **({} if names is None else {'names': names}),
    }
    write_archive(path, facts, arrays)


def load(
    path: Union[str, os.PathLike], devices: Union[mx.Context, Sequence[mx.Context], None] = None
) -> Saved:
    """Build the model that `save` wrote, with its weights; give it back with its encoder.

    `encoder.encode(frame)` then encodes new data as the training data was, and
    `load(path).predict(frame)` does both. A model of a reader's own must be defined, or imported,
    before it can be loaded.

    Parameters
    ----------
    path : path of the file
    devices : mxnet.Context or list of them; by default the CPU

    Raises
    ------
    ValueError
        For a file that `save` did not write, or one of a model that is not defined here.

    Examples
    --------
    See `save`.

    >>> import d2lrec as d2l
    >>> d2l.load('no such file')
    Traceback (most recent call last):
    ...
    FileNotFoundError: no such file does not exist: give a file that save wrote.
    """
    facts, arrays = read_archive(path, 'model', 'save')
    if facts.get('version') != 2:
        raise ValueError(
            f'{path} is a model of an older version, without the names of its fields: train and '
            'save it anew.'
        )
    cls = _class(path, facts)
    try:
        net = cls(**facts['config'])
        encoder = None if facts['encoder'] is None else Encoder.from_json(facts['encoder'])
    except Exception as error:  # whatever a constructor says to what is not of it
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise ValueError(f'{path} holds no {cls.__name__} that can be built: {reason[0]}') from None
    # Shapes first: memory is taken only for weights that the file holds.
    mine = {name: p.shape for name, p in weights_of(net).items()}
    same_shapes(path, cls.__name__, mine, {name: a.shape for name, a in arrays.items()})
    check_weights(path, arrays)
    net.initialize(ctx=devices or mx.cpu())
    for name, param in weights_of(net).items():
        param.set_data(mx.np.array(arrays[name], dtype=arrays[name].dtype))
    net.hybridize(static_alloc=True, static_shape=True)
    remember(net, encoder)
    if facts.get('names') is not None:
        remember(net, _Names(path, net, facts['names']))
    return Saved(net, encoder)


class _Names:
    """The names of users and items of a file, held against the net."""

    def __init__(self, path, net, names):
        for what in ('user', 'item'):
            found = names.get(f'{what}s') if isinstance(names, dict) else None
            count = getattr(net, f'num_{what}s', None)
            texts = isinstance(found, list) and all(isinstance(n, str) for n in found)
            if not texts or ('rows' not in net.inputs and len(found) != count):
                raise ValueError(f'{path} is damaged: its names of {what}s are not those of a net.')
            setattr(self, f'{what}_names', found)


def _names_of(net, data) -> Optional[dict]:
    """The names of users and items of ratings that have them."""
    if not isinstance(data, Ratings):
        return None
    if data.user_names is None:
        raise ValueError(
            'the ratings have numbers only, no names of users and items: leave data out.'
        )
    if not {'users', 'items', 'rows'} & set(net.inputs):
        raise ValueError(
            f'{type(net).__name__} reads {", ".join(net.inputs)} and data are ratings: give the '
            'data set that it was trained on.'
        )
    counts = getattr(net, 'num_users', None), getattr(net, 'num_items', None)
    if 'rows' not in net.inputs and counts != (data.num_users, data.num_items):
        raise ValueError(
            f'the ratings have {data.num_users} users and {data.num_items} items, and '
            f'{type(net).__name__} was built for {counts[0]} and {counts[1]}: give those that it '
            'was trained on.'
        )
    check_origin(net, data)
    return {'users': list(data.user_names), 'items': list(data.item_names)}


def _encoder_of(net, data) -> Optional[Encoder]:
    """The encoder of a data set, held against the net."""
    if data is None:
        return None
    encoder = data if isinstance(data, Encoder) else getattr(data, 'encoder', None)
    if encoder is None:
        raise ValueError(
            f'data is a {type(data).__name__}, which holds no encoder: give the CTRDataset that '
            'the model was trained on, or its encoder.'
        )
    _check_fits(net, encoder)
    check_origin(net, data)
    return encoder


def _check_fits(net, encoder):
    """Refuse an encoder that gives other inputs than the net was built for."""
    name = type(net).__name__
    if 'ids' not in net.ranges:
        raise ValueError(f'{name} reads {", ".join(net.inputs)} and no ids: save it without data.')
    # A bag's slots share one range of ids.
    ranges = dict.fromkeys(zip(*(np.asarray(bound).tolist() for bound in net.ranges['ids'])))
    counts = {
        'numbers of ids': (
            [dim for _, dim, _ in encoder.tables()],
            [end - first for first, end in ranges],
        ),
        'dense columns': (len(encoder.dense), net.inputs.get('dense', len(encoder.dense))),
        'slots of bags': (sum(encoder.bag_sizes), net.inputs.get('weights', 0)),
    }
    for what, (theirs, mine) in counts.items():
        if theirs != mine:
            raise ValueError(
                f'the {what} that the encoder gives are {theirs} and {name} was built for {mine}: '
                'give the data set that the model was trained on, with its crosses and bags.'
            )


def _subclasses(cls) -> Iterator[type]:
    for sub in cls.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def _class(path, facts):
    """The model's class among all that are defined, the newest of its name and module first."""
    names = facts.get('module'), facts.get('class')
    for cls in reversed(list(_subclasses(Model))):
        if (cls.__module__, cls.__name__) == names:
            return cls
    raise ValueError(
        f'{path} holds a {names[1]} of the module {names[0]}, which is not defined here: import '
        'or define it, then load again.'
    )
