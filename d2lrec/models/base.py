"""What every click model shares: its fields, and a check of what it is fed."""
from mxnet.gluon import HybridBlock

from ..layers import check_field_dims

__all__ = ['CTRModel']


class CTRModel(HybridBlock):
    """A model that takes ids (B, F) and returns logits (B, 1).

    Parameters
    ----------
    field_dims : sequence of int
        Number of ids of each of the F fields; V is their sum.

    Raises
    ------
    ValueError
        When called with anything but a (B, F) matrix of that many fields.
    """

    def __init__(self, field_dims, **kwargs):
        super().__init__(**kwargs)
        self.field_dims = check_field_dims(field_dims)

    def forward(self, x, *args):
        fields = len(self.field_dims)
        shape = getattr(x, 'shape', None)       # a symbol, while hybridizing, has none
        if shape is not None and (len(shape) != 2 or shape[1] != fields):
            raise ValueError(
                f'{type(self).__name__} was built for {fields} fields but got an input of shape '
                f'{tuple(shape)}: pass ids of shape (rows, {fields}), '
                'or build the model with the field_dims of this data.')
        return super().forward(x, *args)
