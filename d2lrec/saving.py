"""Models with their vocabulary, and the state of training, each in one file.

A file is a zip archive of `facts.json` and arrays in NumPy's format; `numpy.load` opens it too.
"""

import json
import os
import tempfile
import zipfile
from collections import namedtuple

import mxnet as mx
import numpy as np
from mxnet import gluon

from .data.ctr import _check_vocab
from .data.features import Crosses, Quantiles
from .files import written_whole
from .models.base import Model

__all__ = ['Vocab', 'load', 'save']

Vocab = namedtuple('Vocab', 'feat_mapper defaults')
Vocab.__doc__ = 'A vocabulary as `CTRDataset(data, *vocab)` takes it.'


# What made further columns out of the data, kept beside the vocabulary.
MAKERS = {'crosses': Crosses, 'quantiles': Quantiles}


def save(net, path, vocab=None, crosses=None, quantiles=None):
    """Write a model whole, or not at all: what it was built from, its weights, its vocabulary.

    Parameters
    ----------
    net : a model of this library, or a subclass of `d2lrec.models.base.Model`
    path : path of the file
    vocab : the CTRDataset it was trained on, or a pair (feat_mapper, defaults), optional
    crosses : the Crosses that made its cross features, optional
    quantiles : the Quantiles that normalised its dense features, optional
        By default those the net was loaded with, if it was.

    Raises
    ------
    ValueError
        For a net without weights or whose constructor took what JSON cannot hold, and for a
        vocabulary of other fields than the net's, or crosses of other sizes.
    """
    name = type(net).__name__
    if not isinstance(net, Model) or net.arguments is None:
        raise ValueError(
            f'{name} does not know what it was built from: derive it from '
            'd2lrec.models.base.Model, without *args, or use save_parameters.'
        )
    for key, value in net.arguments.items():
        try:
            json.dumps(value)
        except (TypeError, ValueError):
            raise ValueError(
                f'{name} was built with {key} = {value!r}, which JSON cannot hold: '
                'build it from numbers, words, lists and dicts.'
            ) from None
    vocab = net.vocab if vocab is None else vocab
    if hasattr(vocab, 'feat_mapper'):
        vocab = vocab.feat_mapper, vocab.defaults
    fields = None if vocab is None else _fields(net, vocab)
    try:
        arrays = {name: p.data(p.list_ctx()[0]).asnumpy() for name, p in weights_of(net).items()}
    except (RuntimeError, gluon.parameter.DeferredInitializationError):
        raise ValueError(
            f'{name} has no weights yet: call net.initialize() and train it before saving.'
        ) from None
    facts = {
        'kind': 'model',
        'module': type(net).__module__,
        'class': name,
        'arguments': net.arguments,
        'fields': fields,
    }
    for made, given in (('crosses', crosses), ('quantiles', quantiles)):
        given = getattr(net, made) if given is None else given
        facts[made] = None if given is None else _made(net, made, given)
    _write(path, facts, arrays)


def load(path, devices=None):
    """Build the model that `save` wrote: with its weights, and its vocabulary as `net.vocab`.

    `CTRDataset(data, *net.vocab)` then encodes new data as the training data was;
    `net.crosses` and `net.quantiles`, where they were saved, `transform` it further. A model of a
    reader's own must be defined, or imported, before it can be loaded.

    Parameters
    ----------
    path : path of the file
    devices : mxnet.Context or list of them; by default the CPU

    Raises
    ------
    ValueError
        For a file that `save` did not write, or one of a model that is not defined here.
    """
    facts, arrays = _read(path, 'model', 'save')
    net = _class(path, facts)(**facts['arguments'])
    net.initialize(ctx=devices or mx.cpu())
    _check_weights(path, net, {name: a.shape for name, a in arrays.items()})
    for name, param in weights_of(net).items():
        param.set_data(mx.np.array(arrays[name], dtype=arrays[name].dtype))
    if facts['fields'] is not None:
        net.vocab = Vocab(
            {f: field['values'] for f, field in enumerate(facts['fields'], 1)},
            {f: field['default'] for f, field in enumerate(facts['fields'], 1)},
        )
    for made, cls in MAKERS.items():
        if facts.get(made) is not None:
            setattr(net, made, cls.from_json(facts[made]))
    return net


def weights_of(net):
    """{name within the net: Parameter}, without constants.

    The names follow the attributes, as in `save_parameters`: unlike Gluon's own they are the
    same for every net of a kind.
    """
    return {
        name: p
        for name, p in net._collect_params_with_prefix().items()
        if not isinstance(p, gluon.Constant)
    }


def write_checkpoint(path, net, trainers, loader, state, best):
    """Write all that training needs to go on: weights, optimizers, the loader, `state`, `best`.

    `state` is what JSON can hold; `best` is a dict of arrays, or None.
    """
    mx.nd.waitall()  # a static graph writes batch normalisation's statistics unannounced
    arrays = {}
    for name, param in weights_of(net).items():
        # Replicas of a trained weight are equal; statistics of batch normalisation are not.
        replicas = param.list_data() if param.grad_req == 'null' else param.list_data()[:1]
        arrays.update({f'weights/{name}/{i}': a.asnumpy() for i, a in enumerate(replicas)})
    arrays.update({f'best/{name}': a.asnumpy() for name, a in (best or {}).items()})
    with tempfile.TemporaryDirectory() as folder:
        for i, trainer in enumerate(trainers):
            trainer.save_states(os.path.join(folder, 'states'))
            with open(os.path.join(folder, 'states'), 'rb') as file:
                arrays[f'trainer/{i}'] = np.frombuffer(file.read(), dtype='uint8')
    _write(
        path,
        {
            'kind': 'checkpoint',
            'class': type(net).__name__,
            **state,
            'trainers': [_of_trainer(net, t) for t in trainers],
            'loader': loader.get_state() if hasattr(loader, 'get_state') else None,
        },
        arrays,
    )


def read_checkpoint(path, net, trainers, loader, seed=None):
    """Put net, trainers and loader where they stood; returns the `state` and `best` of then."""
    facts, arrays = _read(path, 'checkpoint', 'a training with checkpoint=')
    anew = 'give another path, or remove the file to start anew'
    if facts['class'] != type(net).__name__:
        raise ValueError(
            f'{path} is a checkpoint of {facts["class"]} and the net is a '
            f'{type(net).__name__}: {anew}.'
        )
    shapes = {
        name[8:-2]: a.shape
        for name, a in arrays.items()
        if name.startswith('weights/') and name.endswith('/0')
    }
    _check_weights(path, net, shapes)
    mine = [_of_trainer(net, t) for t in trainers]
    for key, what in ('optimizer', 'other optimizers'), ('weights', 'trainers of other weights'):
        if [t[key] for t in facts['trainers']] != [t[key] for t in mine]:
            raise ValueError(
                f'{path} was written with {what}: build net and trainer as then, in '
                f'the same order, or {anew}.'
            )
    if seed is not None and seed != facts['seed']:
        raise ValueError(
            f'{path} was written with the seed {facts["seed"]} and seed is {seed}: '
            f'pass the same seed or none; or {anew}.'
        )
    if facts['loader'] is not None and hasattr(loader, 'set_state'):
        loader.set_state(facts['loader'])
    for name, param in weights_of(net).items():
        first = arrays[f'weights/{name}/0']
        param._load_init(mx.np.array(first, dtype=first.dtype), None)
    with tempfile.TemporaryDirectory() as folder:  # after the weights, which reset a trainer
        for i, trainer in enumerate(trainers):
            with open(os.path.join(folder, 'states'), 'wb') as file:
                file.write(arrays[f'trainer/{i}'].tobytes())
            trainer.load_states(os.path.join(folder, 'states'))
    for name, param in weights_of(net).items():  # after the trainers, which make replicas equal
        for i, replica in enumerate(param.list_data()):
            if f'weights/{name}/{i}' in arrays:
                replica[:] = mx.np.array(arrays[f'weights/{name}/{i}'], ctx=replica.ctx)
    best = {
        name[5:]: mx.np.array(a, dtype=a.dtype)
        for name, a in arrays.items()
        if name.startswith('best/')
    }
    return facts, best or None


def _of_trainer(net, trainer):
    """The kind of optimizer, and the weights it trains, which number its states."""
    names = {id(p): name for name, p in weights_of(net).items()}
    return {
        'optimizer': type(trainer.optimizer).__name__,
        'weights': [names[id(p)] for p in trainer._params if id(p) in names],
    }


def _fields(net, vocab):
    """The vocabulary, a dict for each field in order; refuse one of other fields."""
    if not isinstance(vocab, tuple) or len(vocab) != 2:
        raise ValueError(
            f'vocab is a {type(vocab).__name__}: give the CTRDataset that the model '
            'was trained on, or its (feat_mapper, defaults).'
        )
    feat_mapper, defaults = vocab
    _check_vocab(feat_mapper, defaults, 'vocab')
    dims = [len(feat_mapper[f]) + 1 for f in sorted(feat_mapper)]
    mine = getattr(net, 'field_dims', None)
    if dims != mine:
        raise ValueError(
            f'the vocabulary has field_dims {dims} and {type(net).__name__} was '
            f'built with {mine}: give the dataset that the model was trained on.'
        )
    return [
        {'values': {str(v): int(i) for v, i in feat_mapper[f].items()}, 'default': int(defaults[f])}
        for f in sorted(feat_mapper)
    ]


def _made(net, made, given):
    """Crosses or quantiles as JSON; refuse those of another model."""
    if not isinstance(given, MAKERS[made]):
        raise ValueError(
            f'{made} is a {type(given).__name__}: give the {MAKERS[made].__name__} '
            "of the model's training data."
        )
    if made == 'crosses':
        mine = list(net.arguments.get('cross_dims') or ())
        if given.dims.tolist() != mine:
            raise ValueError(
                f'the crosses have {given.dims.tolist()} ids and '
                f'{type(net).__name__} was built with cross_dims {mine}: give those '
                'of its training data.'
            )
    elif len(given.names) != net.arguments.get('num_dense', len(given.names)):
        raise ValueError(
            f'the quantiles are of {len(given.names)} features and '
            f'{type(net).__name__} takes {net.arguments["num_dense"]}: give those '
            'of its training data.'
        )
    return given.to_json()


def _class(path, facts):
    """The model's class among all that are defined, the newest of its name and module first."""
    found, names = [Model], (facts['module'], facts['class'])
    for cls in found:
        found.extend(cls.__subclasses__())
    for cls in reversed(found):
        if (cls.__module__, cls.__name__) == names:
            return cls
    raise ValueError(
        f'{path} holds a {facts["class"]} of the module {facts["module"]}, which is '
        'not defined here: import or define it, then load again.'
    )


def _check_weights(path, net, shapes):
    """Refuse weights of other names or shapes; a size still to be inferred fits any."""
    mine = {name: p.shape for name, p in weights_of(net).items()}
    for name in [*mine, *shapes]:
        ours, theirs = mine.get(name, 'no such weight'), shapes.get(name, 'no such weight')
        fits = (
            name in mine
            and name in shapes
            and (
                ours is None
                or len(ours) == len(theirs)
                and all(a in (b, 0, -1) for a, b in zip(ours, theirs))
            )
        )
        if not fits:
            raise ValueError(
                f'{path} does not fit this {type(net).__name__}: for {name} it has '
                f'{theirs}, the net {ours}; build the net with the arguments of '
                'then, or give another path.'
            )


def _write(path, facts, arrays):
    """Write an archive, whole or not at all."""
    with written_whole(path, 'wb') as file, zipfile.ZipFile(file, 'w') as archive:
        archive.writestr('facts.json', json.dumps(facts, ensure_ascii=False))
        for name, array in arrays.items():
            with archive.open(f'{name}.npy', 'w', force_zip64=True) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def _read(path, kind, writer):
    """The facts and the arrays of an archive of this kind."""
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} does not exist: give a file that {writer} wrote.')
    try:
        with zipfile.ZipFile(path) as archive:
            facts = json.loads(archive.read('facts.json'))
            arrays = {}
            for name in archive.namelist():
                if name.endswith('.npy'):
                    with archive.open(name) as member:
                        arrays[name[:-4]] = np.lib.format.read_array(member, allow_pickle=False)
    except (zipfile.BadZipFile, KeyError, ValueError, EOFError, OSError):
        facts = {}
    if not isinstance(facts, dict) or facts.get('kind') != kind:
        raise ValueError(f'{path} is not a {kind}, or is damaged: give a file that {writer} wrote.')
    return facts, arrays
