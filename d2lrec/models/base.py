"""What the models share: they know what they were built from, and check what they are fed."""

import inspect

import numpy as np
from mxnet.gluon import HybridBlock

from ..describe import table
from ..layers import check_field_dims

__all__ = ['Model', 'CTRModel', 'PairModel']


class Model(HybridBlock):
    """A model that can be saved whole and describes itself.

    Attributes
    ----------
    arguments : dict or None
        What the constructor was given, by name, as far as JSON can hold it: `d2lrec.load` builds
        the model from it. None where the constructor takes `*args`.
    vocab : tuple (feat_mapper, defaults) or None
        The vocabulary that the model was saved with: `CTRDataset(data, *net.vocab)`.
    crosses, quantiles : Crosses, Quantiles, or None
        What made its cross features and normalised its dense ones, if it was saved with them.
    """

    vocab = crosses = quantiles = None

    def __new__(cls, *args, **kwargs):
        net = super().__new__(cls)
        object.__setattr__(net, 'arguments', _arguments(cls, args, kwargs))
        return net

    def input_shapes(self, rows):
        """The shapes of the inputs for so many rows; `describe` follows them through the net."""
        raise NotImplementedError(
            f'{type(self).__name__} does not say what it takes: define input_shapes(rows).'
        )

    def describe(self):
        """Parameters and multiply-adds per row, by part, as a DataFrame.

        Only trained parameters count. A multiply-add is a term of an inner product (those that
        a constant's zeros remove are left out) or one element of a sum, product or square;
        look-ups, activations and moves of data cost none.
        """
        return table(self, self.input_shapes)

    def summary(self, *inputs):
        """`describe()`; with inputs, Gluon's printed summary of the layers they pass."""
        return super().summary(*inputs) if inputs else self.describe()


class CTRModel(Model):
    """A model that takes ids (B, F), and what else it names in `inputs`; returns logits (B, 1).

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields; V is their sum.

    Attributes
    ----------
    inputs : dict {name: number of columns}, in the order of the call: ids, then dense features,
        then weights of bags, as far as the model was built for them: `net(ids, dense)`

    Raises
    ------
    ValueError
        When called with anything but a (B, F) matrix of that many fields, and one of the right
        width for each other input.
    """

    def __init__(self, field_dims, **kwargs):
        super().__init__(**kwargs)
        self.field_dims = check_field_dims(field_dims)
        self.inputs = {'ids': len(self.field_dims)}

    def input_shapes(self, rows):
        return [(rows, columns) for columns in self.inputs.values()]

    def forward(self, x, *args):
        fields = len(self.field_dims)
        shapes = [getattr(a, 'shape', None) for a in (x, *args)]
        if None not in shapes:  # symbols, while hybridizing, have none
            shape, columns = shapes[0], list(self.inputs.values())
            if columns == [fields] and (len(shape) != 2 or shape[1] != fields):
                raise ValueError(
                    f'{type(self).__name__} was built for {fields} fields but got an input of '
                    f'shape {tuple(shape)}: pass ids of shape (rows, {fields}), '
                    'or build the model with the field_dims of this data.'
                )
            rows = shape[0] if shape else 0
            if [tuple(s) for s in shapes] != [(rows, c) for c in columns]:
                wanted = ', '.join(f'{name} (rows, {c})' for name, c in self.inputs.items())
                raise ValueError(
                    f'{type(self).__name__} was built for {wanted} but got inputs of shape '
                    f'{", ".join(str(tuple(s)) for s in shapes)}: pass these, in this order, '
                    'or build the model for this data.'
                )
        return super().forward(x, *args)


class PairModel(Model):
    """A model that takes users (B,) and items (B,), ids from 0.

    MXNet clips an id out of range silently: check them where the data comes in.

    Parameters
    ----------
    num_users, num_items : int
        U and I.

    Raises
    ------
    ValueError
        When called with anything but two vectors of one length.
    """

    def __init__(self, num_users, num_items, **kwargs):
        super().__init__(**kwargs)
        self.num_users, self.num_items = int(num_users), int(num_items)
        if min(self.num_users, self.num_items) < 1:
            raise ValueError(
                f'{type(self).__name__} got {num_users} users and {num_items} items: '
                'both need to be at least 1.'
            )

    def input_shapes(self, rows):
        return [(rows,), (rows,)]

    def forward(self, users, items):
        shapes = [getattr(x, 'shape', None) for x in (users, items)]
        if shapes[0] is not None and (len(shapes[0]) != 1 or shapes[0] != shapes[1]):
            raise ValueError(
                f'{type(self).__name__} got users of shape {shapes[0]} and items of '
                f'shape {shapes[1]}: pass two vectors of the same length.'
            )
        return super().forward(users, items)


def _arguments(cls, args, kwargs):
    """The arguments of `cls(*args, **kwargs)` by name, without those of every Block."""
    try:
        bound = inspect.signature(cls.__init__).bind(None, *args, **kwargs)
    except TypeError:  # the constructor is about to say so itself
        return None
    arguments, kinds = {}, bound.signature.parameters
    for name, value in list(bound.arguments.items())[1:]:
        if kinds[name].kind is inspect.Parameter.VAR_POSITIONAL:
            return None
        if kinds[name].kind is inspect.Parameter.VAR_KEYWORD:
            arguments.update(value)
        else:
            arguments[name] = value
    return {
        name: _plain(value) for name, value in arguments.items() if name not in ('prefix', 'params')
    }


def _plain(value):
    """Arrays and tuples as lists, NumPy's numbers as Python's; all else as it is."""
    if hasattr(value, 'asnumpy'):
        value = value.asnumpy()
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value
