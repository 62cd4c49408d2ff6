"""All that turns a raw row into what a net reads: it goes wherever the net goes."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

import pandas as pd

from ..arguments import check_list, shown
from .columns import Examples
from .hashed import HashedField
from .json_files import built, read_json, save_json
from .plan import Plan
from .vocabulary import Field, Vocabulary

if TYPE_CHECKING:
    from .ctr import CTRDataset
    from .table import Table

__all__ = ['Encoder', 'Step']

FORMATS = ('table', 'criteo')
TOO_MANY = 0.5  # share of unknown values in a field from which a warning names it
NEVER = 2.0  # a share that no field reaches: the caller speaks of the unknown itself
ENOUGH = 10  # rows from which such a share says something


class Step:
    """What is done to encoded data before a net reads it: `Crosses`, `Quantiles` and so on.

    A step of one's own has `apply`, `to_json` and `from_json`, and `tables` where it adds ids.

    Examples
    --------
    >>> class Halved(Step):
    ...     def apply(self, data):
    ...         return data.with_columns(dense=data.columns['dense'] / 2)
    >>> data = Examples({'ids': [[0]], 'dense': [[3.0]]})
    >>> Halved().apply(data).columns['dense'].tolist()
    [[1.5]]
    """

    def apply(self, data: Examples) -> Examples:
        """The data with this done to it; its encoder has the step added."""
        raise NotImplementedError

    def tables(self, tables: list) -> list:
        """(name, number of ids, {value: id}) of each field in the ids, from those before it."""
        return tables

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, content: Any) -> Step:
        """Of what `to_json` gave; KeyError, TypeError or ValueError for anything else."""
        raise NotImplementedError

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Write as JSON: whole or not at all."""
        save_json(path, self.to_json())

    @classmethod
    def load(cls, path: Union[str, os.PathLike]) -> Step:
        """Read what `save` wrote; ValueError where the file holds something else."""
        return read_json(path, cls.from_json, cls.__name__.lower())

    def __eq__(self, other):
        return self is other or (type(self) is type(other) and self.to_json() == other.to_json())

    __hash__ = None


class Encoder:
    """The way from a raw row to a net's inputs, as fitted to the training data.

    Parameters
    ----------
    vocabulary : Vocabulary
    label : str, optional
        Name of the column of labels; by default the vocabulary's.
    dense : sequence of str
        Names of the columns of numbers.
    steps : sequence of Step
        What is applied then, in order.
    format : 'table' or 'criteo'
        Whether the columns are taken as they are, or by the rules of `CTRDataset.from_criteo`.
    plan : Plan, optional
        What becomes of each column of a table that `d2lrec.read` made, instead of `format`.

    Examples
    --------
    >>> import pandas as pd
    >>> from d2lrec import CTRDataset
    >>> frame = pd.DataFrame({'click': [1, 0], 'town': ['Oslo', 'Rome'], 'age': [30, 40]})
    >>> encoder = CTRDataset(frame, min_threshold=1, dense=['age']).encoder
    >>> request = pd.DataFrame({'age': [50], 'town': ['Rome']})
    >>> {name: a.tolist() for name, a in encoder.encode(request).columns.items()}
    {'ids': [[1]], 'dense': [[50.0]]}
    """

    def __init__(
        self,
        vocabulary: Vocabulary,
        label: Optional[str] = None,
        dense: Sequence[str] = (),
        steps: Sequence[Step] = (),
        format: str = 'table',
        plan: Optional[Plan] = None,
    ):
        if not isinstance(vocabulary, Vocabulary):
            raise ValueError(f'vocabulary is a {type(vocabulary).__name__}: give a Vocabulary.')
        if label is not None and not isinstance(label, str):
            raise ValueError(f'label is {shown(label)}: give the name of a column.')
        dense = check_list(dense, 'dense', 'a list of names of columns')
        steps = check_list(steps, 'steps', 'a list of steps, such as Quantiles')
        if not all(isinstance(n, str) for n in dense):
            raise ValueError(f'dense is {shown(dense)}: give a list of names of columns.')
        if not isinstance(format, str) or format not in FORMATS:
            raise ValueError(f"format is {shown(format)}: choose 'table' or 'criteo'.")
        self.vocabulary, self.format, self.plan = vocabulary, format, plan
        self.label = vocabulary.label if label is None else label
        self.dense, self.steps = tuple(dense), tuple(steps)

    @property
    def bag_sizes(self) -> list[int]:
        """Number of slots of each multi-valued field, which stand last."""
        own = [] if self.plan is None else self.plan.bag_sizes
        return own + [size for step in self.steps for size in getattr(step, 'bag_sizes', ())]

    def encode(
        self,
        data: Union[pd.DataFrame, str, os.PathLike, Table],
        label: Union[str, bool, None] = None,
        too_many: float = TOO_MANY,
    ) -> CTRDataset:
        """Raw rows as the net reads them.

        Parameters
        ----------
        data : pandas.DataFrame, path of a file, or Table
            With the columns of the training data, in any order; others are passed over. A file
            that `CTRDataset` read has them in the order of training, with the label in front or
            without.
        label : str, optional
            Name of the column of labels; by default the training data's, where the frame has it.
            Without it, or for `label=False`, the result has no labels (None). Rows whose label
            is not 0 or 1 are dropped: to keep every row say `label=False`. By a plan they are
            refused.
        too_many : float, by default .5
            Warn of fields in which at least this share of the rows has a value that the training
            data does not hold, of ten rows or more; of fewer, where it is nearly all of them.
            `unknown` of the result has the share of each field.

        Raises
        ------
        ValueError
            For a column that is lacking, or a dense number that is not finite.
        """
        from .ctr import CTRDataset  # which makes encoders

        if self.plan is not None:
            from .table import as_table

            table = as_table(data, self.plan.schema, label)
            encoded = CTRDataset._of_table(table, self.plan, self.vocabulary, too_many=too_many)
            encoded._label = self.label
        else:
            encoded = CTRDataset._encoded(data, self, label, too_many)
        for step in self.steps:
            encoded = step.apply(encoded)
        return encoded

    def extend(self, data: Any, min_threshold: float = 4) -> Encoder:
        """An encoder for newer data, in which every old value keeps its order in its field.

        Values that are new in `data` and occur `min_threshold` times or more get an id, behind the
        old ones; all else that was fitted to the training data, such as the intervals of numbers,
        stays. `warm_start` carries the weights over.

        Parameters
        ----------
        data : as for `encode`; the newer training data
        """
        if self.plan is None:
            if not isinstance(data, pd.DataFrame) or self.format != 'table':
                raise ValueError(
                    'the encoder was not fitted to a table of d2lrec.read: give a frame, or extend '
                    'its vocabulary, encoder.vocabulary.extend(data).'
                )
            vocabulary = self.vocabulary.extend(data, min_threshold)
        else:
            from .table import as_table

            table = as_table(data, self.plan.schema, False)
            vocabulary = self.plan.extend(self.vocabulary, table, min_threshold)
        if self.steps:
            raise ValueError(
                f'the encoder has steps that were fitted to the old ids ({self.steps[0]!r}): '
                'extend it without them, then fit them anew.'
            )
        return Encoder(vocabulary, self.label, self.dense, (), self.format, self.plan)

    def tables(self) -> list[tuple[Any, int, Mapping]]:
        """(name, number of ids, {value: id}) of each field in the ids; None for unknown values."""
        tables = [table_of(f) for f in self.vocabulary.fields]
        for step in self.steps:
            tables = step.tables(tables)
        return tables

    def __eq__(self, other):
        return self is other or (
            isinstance(other, Encoder)
            and (self.dense, self.format) == (other.dense, other.format)
            and self.plan == other.plan
            and self.vocabulary == other.vocabulary
            and self.steps == other.steps
        )

    __hash__ = None

    def __repr__(self):
        parts = [repr(self.vocabulary)]
        parts += [f'dense {", ".join(self.dense)}'] if self.dense else []
        parts += [f'bags of {self.bag_sizes}'] if self.plan and self.bag_sizes else []
        parts += [repr(step) for step in self.steps]
        return f'Encoder({"; ".join(parts)})'

    def to_json(self) -> dict:
        """What JSON can hold of it; `from_json` makes it again."""
        return {
            'version': 1,
            'format': self.format,
            'label': self.label,
            'dense': list(self.dense),
            'vocabulary': self.vocabulary.to_json(),
            'steps': [{'kind': type(s).__name__, **s.to_json()} for s in self.steps],
            **({} if self.plan is None else {'plan': self.plan.to_json()}),
        }

    @classmethod
    def from_json(cls, content: Any) -> Encoder:
        """Of what `to_json` gave, every entry checked.

        Raises
        ------
        ValueError
            For anything else.
        """
        return built(content, cls._from_json, 'encoder')

    @classmethod
    def _from_json(cls, content):
        from .features import STEPS  # which makes encoders, too

        if content['version'] != 1:
            raise ValueError(f'it is of version {content["version"]!r}, and this library knows 1')
        steps = []
        if not isinstance(content['steps'], list) or not isinstance(content['dense'], list):
            raise ValueError('its steps, or its dense columns, are no list')
        for step in content['steps']:
            if step['kind'] not in STEPS:
                raise ValueError(f'it has a step {step["kind"]!r}, which is unknown here')
            steps.append(STEPS[step['kind']].from_json(step))
        vocabulary, plan = Vocabulary.from_json(content['vocabulary']), content.get('plan')
        if plan is not None:
            plan = Plan.from_json(plan)
            if plan.field_names != vocabulary.names:
                raise ValueError('its fields are not those of its plan')
        return cls(vocabulary, content['label'], content['dense'], steps, content['format'], plan)

    def save(self, path: Union[str, os.PathLike]) -> None:
        """Write as JSON: whole or not at all."""
        save_json(path, self.to_json())

    @classmethod
    def load(cls, path: Union[str, os.PathLike]) -> Encoder:
        """Read what `save` wrote; ValueError where the file holds something else."""
        return read_json(path, cls._from_json, 'encoder')


def table_of(field: Union[Field, HashedField]) -> tuple[str, int, dict]:
    """(name, number of ids, {value: id}) of a field; None for unknown values."""
    ids: dict = dict(field.ids)
    if field.unknown is not None:
        ids[None] = field.unknown
    return field.name, field.dim, ids
