"""What every click model shares: its fields, and a check of what it is fed."""
from mxnet.gluon import HybridBlock

from ..layers import check_field_dims

__all__ = ['CTRModel']


class CTRModel(HybridBlock):
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

    def forward(self, x, *args):
        fields = len(self.field_dims)
        shapes = [getattr(a, 'shape', None) for a in (x, *args)]
        if None not in shapes:                  # symbols, while hybridizing, have none
            shape, columns = shapes[0], list(self.inputs.values())
            if columns == [fields] and (len(shape) != 2 or shape[1] != fields):
                raise ValueError(
                    f'{type(self).__name__} was built for {fields} fields but got an input of '
                    f'shape {tuple(shape)}: pass ids of shape (rows, {fields}), '
                    'or build the model with the field_dims of this data.')
            rows = shape[0] if shape else 0
            if [tuple(s) for s in shapes] != [(rows, c) for c in columns]:
                wanted = ', '.join(f'{name} (rows, {c})' for name, c in self.inputs.items())
                raise ValueError(
                    f'{type(self).__name__} was built for {wanted} but got inputs of shape '
                    f'{", ".join(str(tuple(s)) for s in shapes)}: pass these, in this order, '
                    'or build the model for this data.')
        return super().forward(x, *args)
