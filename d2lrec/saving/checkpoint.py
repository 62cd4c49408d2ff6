"""Checkpoints: all that training needs to go on, written after each epoch."""

from __future__ import annotations

import inspect
import numbers
import os
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Optional, Union

import mxnet as mx
import numpy as np
from mxnet import gluon

from ..arguments import check_path
from ..files import check_writable
from ..weights import weights_of
from .archive import check_weights, read_archive, same_shapes, write_archive

__all__ = ['Checkpoint']

ANEW = 'give another path, or remove the file to start anew'
# What an optimizer counts or is set to by each step, and no one chooses.
COUNTED = ('num_update', 'rescale_grad', 'lr')  # the rate has its own entry
HOW = ('aggregate_num', '_done')  # how its steps are taken, which changes none of them


class Checkpoint:
    """A file from which training goes on: `train_ch13(..., checkpoint=Checkpoint(path))`.

    It holds weights, the state of each optimizer, the history, the seed and the order of a
    `BatchLoader`, as arrays and JSON: opening it runs no code. A path in its place does the same.

    Parameters
    ----------
    path : path of the file, in a folder that exists

    Raises
    ------
    ValueError
        When training begins, for a path that cannot be written, and for a file of another model,
        optimizer, setting, data or seed than this training has.

    Examples
    --------
    >>> import os, tempfile
    >>> checkpoint = Checkpoint(os.path.join(tempfile.mkdtemp(), 'run.npz'))
    >>> os.path.basename(checkpoint.path)
    'run.npz'
    """

    def __init__(self, path: Union[str, os.PathLike]):
        self.path = check_path(path, 'checkpoint')
        self._began: list[dict] = []

    def resume(
        self,
        net: gluon.Block,
        trainers: Sequence[gluon.Trainer],
        loader: Any,
        seed: Optional[int],
        facts: Mapping = MappingProxyType({}),
    ) -> tuple[Optional[dict], Optional[dict]]:
        """Put net, trainers and loader where they stood; returns (state, best weights).

        (None, None) where there is no file yet.
        """
        check_writable(self.path)
        self._facts = dict(facts)
        self._began = [_trainer_facts(net, t) for t in trainers]
        if not os.path.exists(self.path):
            return None, None
        state, arrays = read_archive(self.path, 'checkpoint', 'a training with checkpoint=')
        try:
            self._check(state, net, loader, seed)
            return self._restore(state, arrays, net, trainers, loader)
        except (KeyError, TypeError, IndexError, AttributeError, ArithmeticError, AssertionError):
            raise ValueError(f'{self.path} is a damaged checkpoint: {ANEW}.') from None

    def write(
        self,
        net: gluon.Block,
        trainers: Sequence[gluon.Trainer],
        loader: Any,
        state: Mapping,
        best: Optional[Mapping],
    ) -> None:
        """Write where training stands: whole, or not at all.

        `state` is what JSON can hold; `best` is a dict of arrays, or None.
        """
        mx.nd.waitall()  # a static graph writes batch normalization's statistics unannounced
        arrays = {}
        for name, param in weights_of(net).items():
            # Replicas of a trained weight are equal; statistics of batch normalization are not.
            replicas = param.list_data() if param.grad_req == 'null' else param.list_data()[:1]
            arrays.update({f'weights/{name}/{i}': a.asnumpy() for i, a in enumerate(replicas)})
        arrays.update({f'best/{name}': a.asnumpy() for name, a in (best or {}).items()})
        for i, trainer in enumerate(trainers):
            arrays.update(_state_arrays(net, trainer, f'trainer/{i}'))
        facts = {
            **state,
            'kind': 'checkpoint',
            'version': 2,
            'class': type(net).__name__,
            'facts': self._facts,
            'trainers': self._began,
            'now': [_counts(net, t) for t in trainers],
            'loader': loader.get_state() if hasattr(loader, 'get_state') else None,
            'data': _fingerprint(loader),
        }
        write_archive(self.path, facts, arrays)

    def _check(self, state, net, loader, seed):
        """Refuse a file of another run than the one that is about to begin."""
        path = self.path
        if state.get('version') != 2:
            raise ValueError(
                f'{path} is a checkpoint of an older version, which had to be unpickled: {ANEW}.'
            )
        if not _is_state(state):
            raise ValueError(f'{path} is a damaged checkpoint: {ANEW}.')
        if state.get('class') != type(net).__name__:
            raise ValueError(
                f'{path} is a checkpoint of {state.get("class")} and the net is a '
                f'{type(net).__name__}: {ANEW}.'
            )
        if [t.get('weights') for t in state['trainers']] != [t['weights'] for t in self._began]:
            raise ValueError(
                f'{path} was written with trainers of other weights: build net and trainer as '
                f'then, in the same order, or {ANEW}.'
            )
        for then, now in zip(state['trainers'], self._began):
            for key in [*now, *then]:
                if then.get(key) != now.get(key):
                    raise ValueError(
                        f'{path} was written with {key} = {then.get(key)} and this trainer has '
                        f'{now.get(key)}: build the trainer as then, or {ANEW}.'
                    )
        if seed is not None and seed != state['seed']:
            raise ValueError(
                f'{path} was written with the seed {state["seed"]} and seed is {seed}: '
                f'pass the same seed or none; or {ANEW}.'
            )
        if hasattr(loader, 'get_state') and state['loader'] is not None:
            mine = loader.get_state()
            for key, what in (('rows', 'rows'), ('batch_size', 'rows a batch')):
                if state['loader'].get(key) != mine[key]:
                    raise ValueError(
                        f'{path} was written with a loader of {state["loader"].get(key)} {what} '
                        f'and this one has {mine[key]}: give the same data in the same batches, '
                        f'or {ANEW}.'
                    )
            if (mine.get('rng') is None) != (state['loader'].get('rng') is None):
                had, has = ('no', 'one') if mine.get('rng') is not None else ('a', 'none')
                raise ValueError(
                    f'{path} was written with a loader that has {had} seed of its own and this '
                    f'one has {has}: make the loader as then, or {ANEW}.'
                )
        for key, value in self._facts.items():
            if state['facts'].get(key) != value:
                raise ValueError(
                    f'{path} was written with {key} = {state["facts"].get(key)} and this run has '
                    f'{value}: pass the same, or {ANEW}.'
                )
        if state['data'] != _fingerprint(loader):
            raise ValueError(
                f'{path} was written with other training data of the same size: give the same '
                f'data, or {ANEW}.'
            )

    def _restore(self, state, arrays, net, trainers, loader):
        shapes = {
            name[len('weights/') : -len('/0')]: a.shape
            for name, a in arrays.items()
            if name.startswith('weights/') and name.endswith('/0')
        }
        mine = {name: p.shape for name, p in weights_of(net).items()}
        same_shapes(self.path, type(net).__name__, mine, shapes)
        kept = {n: a for n, a in arrays.items() if n.startswith(('weights/', 'best/'))}
        check_weights(self.path, kept)
        if state['loader'] is not None and hasattr(loader, 'set_state'):
            loader.set_state(state['loader'])
        for name, param in weights_of(net).items():
            first = arrays[f'weights/{name}/0']
            param._load_init(mx.np.array(first, dtype=first.dtype), None)
        for i, trainer in enumerate(trainers):  # after the weights, which reset a trainer
            _restore_trainer(net, trainer, state['now'][i], arrays, f'trainer/{i}')
        for name, param in weights_of(net).items():  # after trainers, which make replicas equal
            for i, replica in enumerate(param.list_data()):
                if f'weights/{name}/{i}' in arrays:
                    replica[:] = mx.np.array(arrays[f'weights/{name}/{i}'], ctx=replica.ctx)
        best = {
            name[len('best/') :]: mx.np.array(a, dtype=a.dtype)
            for name, a in arrays.items()
            if name.startswith('best/')
        }
        return state, best or None


def _is_state(state) -> bool:
    """Whether facts have the form in which `write` writes them."""
    try:
        rows, best, loader = (state[key] for key in ('rows', 'best_epoch', 'loader'))
        return (
            _is_whole(state['seed'], 0, 2**32)
            and _is_number(state['best_score'])
            and [row['epoch'] for row in rows] == list(range(1, len(rows) + 1))
            and all(_is_number(value) for row in rows for value in row.values())
            and all(_is_whole(r['train_rows'], 1) and 0 <= r['seconds'] < np.inf for r in rows)
            and len({tuple(row) for row in rows}) <= 1
            and (best is None or _is_whole(best, 1, len(rows) + 1))
            and isinstance(state['facts'], dict)
            and (state['data'] is None or _is_whole(state['data'], 0))
            and all(isinstance(facts, dict) for facts in [*state['trainers'], *state['now']])
            and len(state['trainers']) == len(state['now'])
            and (
                loader is None
                or all(_is_whole(row, 0, loader['rows']) for row in loader.get('left', ()))
                and isinstance(loader.get('rng'), (dict, type(None)))
            )
        )
    except (KeyError, TypeError, AttributeError):
        return False


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_whole(value, first, end=2**63):
    return isinstance(value, int) and not isinstance(value, bool) and first <= value < end


def _fingerprint(loader) -> Optional[int]:
    """A checksum of a `BatchLoader`'s arrays; None of another loader."""
    return loader.fingerprint() if hasattr(loader, 'fingerprint') else None


def _in_net_order(net, trainer) -> list[int]:
    """A trainer's indices of its weights, in the order that the net has them.

    A trainer sorts by name, and names count up while a process runs: dense10 before dense9.
    """
    place = {id(p): n for n, p in enumerate(weights_of(net).values())}
    weights = trainer._params
    return sorted(range(len(weights)), key=lambda i: place.get(id(weights[i]), len(place)))


def _trainer_facts(net, trainer) -> dict[str, Any]:
    """What someone chose: the optimizer, its settings, the weights it trains and their decay."""
    optimizer = trainer.optimizer
    names = {id(p): name for name, p in weights_of(net).items()}
    ordered = [trainer._params[i] for i in _in_net_order(net, trainer)]
    mine = [p for p in ordered if id(p) in names]
    return {
        'optimizer': type(optimizer).__name__,
        **{
            name: value
            for name, value in _plain_attributes(optimizer).items()
            if name not in COUNTED and name[0] != '_'
        },
        **_schedule_facts(optimizer.lr_scheduler),
        'learning_rate': optimizer.learning_rate,
        'weights': [names[id(p)] for p in mine],
        'decay of each weight': [float(p.wd_mult) for p in mine],
        'rate of each weight': [float(p.lr_mult) for p in mine],
    }


def _schedule_facts(schedule) -> dict[str, Any]:
    """What someone chose of a schedule of the learning rate, by the names that `fit` has."""
    falls = isinstance(schedule, mx.lr_scheduler.CosineScheduler)
    return {
        'final_lr': schedule.final_lr if falls else None,
        'steps until final_lr, which num_epochs makes': schedule.max_update if falls else None,
        'schedule': type(schedule).__name__ if schedule else None,
    }


def _plain_attributes(thing) -> dict[str, Any]:
    """What JSON can hold of an object's own attributes."""
    return {
        name: value
        for name, value in vars(thing).items()
        if name not in HOW
        and (
            value is None
            or isinstance(value, (bool, str, int, float))
            or isinstance(value, dict)
            and all(isinstance(k, str) and isinstance(v, float) for k, v in value.items())
        )
    }


def _set_attributes(thing, saved) -> None:
    """What an optimizer or a schedule counts, as it was; what someone chose has to be as it is."""
    mine, saved = _plain_attributes(thing), {k: v for k, v in saved.items() if k not in HOW}
    chosen = {
        name
        for cls in type(thing).__mro__
        for name in inspect.signature(cls.__init__).parameters
        if name not in COUNTED and name != 'base_lr'
    }
    # dicts that are empty before the first step, and not of floats later, come and go
    wanted = {name for name, value in mine.items() if not isinstance(value, dict)}
    if not wanted <= set(saved) <= set(mine):
        raise KeyError('attributes')
    for name, value in saved.items():
        own = mine[name]
        numbers_both = _is_number(value) and _is_number(own)
        alike = np.isfinite(value) if numbers_both else type(value) is type(own)
        if not alike or (name in chosen and value != own):
            raise KeyError(name)
    for name, value in saved.items():
        setattr(thing, name, value)


def _counts(net, trainer) -> dict[str, Any]:
    """What moves while an optimizer works, beside its arrays."""
    optimizer = trainer.optimizer
    place = {index: n for n, index in enumerate(_in_net_order(net, trainer))}
    schedule = optimizer.lr_scheduler
    return {
        'optimizer': _plain_attributes(optimizer),
        'schedule': None if schedule is None else _plain_attributes(schedule),
        'updates': {
            str(device): {str(place[i]): n for i, n in counts.items()}
            for device, counts in optimizer._all_index_update_counts.items()
        },
    }


def _updater(trainer):
    """Where the optimizer's states are: MXNet keeps them in the store of several devices."""
    if not trainer._kv_initialized:
        trainer._init_kvstore()
    if trainer._params_to_init:
        trainer._init_params()
    return trainer._kvstore._updater if trainer._update_on_kvstore else trainer._updaters[0]


def _leaves(state) -> list:
    """The arrays of an optimizer's state, in order."""
    if state is None or isinstance(state, numbers.Number):
        return []
    if isinstance(state, (tuple, list)):
        return [leaf for part in state for leaf in _leaves(part)]
    return [state]


def _state_arrays(net, trainer, prefix) -> dict[str, np.ndarray]:
    states = _updater(trainer).states
    return {
        f'{prefix}/{place}/{i}': leaf.asnumpy()
        for place, index in enumerate(_in_net_order(net, trainer))
        for i, leaf in enumerate(_leaves(states.get(index)))
    }


def _restore_trainer(net, trainer, now, arrays, prefix):
    optimizer, order = trainer.optimizer, _in_net_order(net, trainer)
    updaters = [_updater(trainer)]
    if not trainer._update_on_kvstore:
        updaters = trainer._updaters
    saved: dict[int, dict[int, np.ndarray]] = {}
    for name, array in arrays.items():
        if name.startswith(prefix + '/'):
            place, leaf = name[len(prefix) + 1 :].split('/')
            saved.setdefault(order[int(place)], {})[int(leaf)] = array
    for device, updater in enumerate(updaters):
        for index, leaves in saved.items():
            weight = trainer._params[index].list_data()[device].as_nd_ndarray()
            state = optimizer.create_state_multi_precision(index, weight)
            mine = _leaves(state)
            if [leaf.shape for leaf in mine] != [leaves[i].shape for i in sorted(leaves)]:
                raise KeyError(index)
            for i, leaf in enumerate(mine):
                leaf[:] = mx.nd.array(leaves[i], ctx=leaf.ctx, dtype=leaves[i].dtype)
            updater.states[index], updater.states_synced[index] = state, False
    places = list(now['updates']) + [p for of in now['updates'].values() for p in of]
    if not all(place.isdecimal() for place in places):
        raise KeyError('updates')
    if not all(_is_whole(n, 0) for of in now['updates'].values() for n in of.values()):
        raise KeyError('updates')
    counts = {
        int(device): {order[int(place)]: n for place, n in of.items()}
        for device, of in now['updates'].items()
    }
    if not 0 < len(counts) <= len(updaters) or any(set(of) - set(order) for of in counts.values()):
        raise KeyError('updates')
    if not set(counts) <= {0, *(device.device_id for device in trainer._contexts)}:
        raise KeyError('updates')
    _set_attributes(optimizer, now['optimizer'])
    if optimizer.lr_scheduler is not None:
        _set_attributes(optimizer.lr_scheduler, now['schedule'])
    optimizer._all_index_update_counts.clear()
    optimizer._all_index_update_counts.update(counts)
    optimizer._index_update_count = optimizer._all_index_update_counts.setdefault(0, {})
