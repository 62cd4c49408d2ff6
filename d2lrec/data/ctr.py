"""Click-through data: words in columns become one matrix of int32 ids."""

import json
import math
import os
import warnings
from collections import Counter, namedtuple
from itertools import islice

import numpy as np
import pandas as pd
from mxnet.gluon.data import Dataset

from ..files import atomic_write

NUM_FEAT = 34  # fields of the original chapters' file; left at this, num_feat follows the file
CHUNK = 50_000  # lines in memory as text at one time
LABELS = {'0': 0, '1': 1, '0.0': 0, '1.0': 1}

Dropped = namedtuple('Dropped', 'count first found')
Dropped.__doc__ = 'Rows left out for one reason: how many, the first one (from 1), what it held.'


class CTRDataset(Dataset):
    """Rows of a 0/1 label and F categorical fields, encoded once.

    Field f (from 1) owns the ids ``offsets[f-1]`` up to ``offsets[f-1] + field_dims[f-1]``, so
    that one embedding matrix of V = ``sum(field_dims)`` rows serves all fields.  Its values come
    first, the most frequent ones foremost and equally frequent ones in the order of their text,
    so that ids never depend on the run; its last id stands for every value that the vocabulary
    does not hold.

    Without ``feat_mapper`` the vocabulary is fitted on these rows (the training set); with it,
    these rows are transformed (the validation and test sets)::

        train = CTRDataset('train.csv')
        test = CTRDataset('test.csv', train.feat_mapper, train.defaults)

    Where every value of a field passes the threshold, no training row holds its last id: that
    row of the embedding keeps its initial value, and test rows with unknown values meet it
    untrained.  ``summary()`` names such fields.

    Parameters
    ----------
    data_path : path or pandas.DataFrame
        A tab-separated file without header, or a frame; the first column is the label.  Frame
        values are taken as text (5 and 5.0 as '5', a missing one as '').
    feat_mapper : dict {1..F: {value: id within the field}}, optional
    defaults : dict {1..F: id within the field of unknown values}, optional
        By default the number of the field's values.
    min_threshold : int
        Occurrences that a value needs to enter the vocabulary.
    num_feat : int
        F.  Left at 34, it follows the vocabulary given, else the data: the number of columns
        most common in the file's first lines.  Any other number is taken at its word.

    Attributes
    ----------
    features : numpy.ndarray (N, F) int32, offset by field
    labels : numpy.ndarray (N,) float32
    field_dims, offsets : numpy.ndarray (F,) int64
    field_names : list of F str
    unknown : numpy.ndarray (F,), share of the rows whose value the vocabulary does not hold
    dropped : dict {reason: Dropped(count, first, found)}; a warning says the same
    dense : numpy.ndarray (N, D) float32 or None, with ``dense_names``; a reader's to set

    Raises
    ------
    ValueError
        Where no row can be used, or the vocabulary does not fit the data.
    """

    def __init__(
        self, data_path, feat_mapper=None, defaults=None, min_threshold=4, num_feat=NUM_FEAT
    ):
        width = _width(num_feat, feat_mapper)
        if isinstance(data_path, pd.DataFrame):
            table = _read_frame(data_path, width)
        else:
            table = _read_file(data_path, width)
        self._encode(table, feat_mapper, defaults, min_threshold)

    @classmethod
    def from_criteo(cls, path, feat_mapper=None, defaults=None, min_threshold=4):
        """Read Criteo's display advertising format: label, I1-I13, C1-C26.

        With tabs or commas, with or without the header line; an empty cell is a value of its
        own.  The counts I1-I13 become categories by the log-square rule of the 3 Idiots' winning
        solution (Juan et al., 2014): v above 2 becomes floor(ln(v)^2), a smaller one stays.
        """
        names = [f'I{i}' for i in range(1, 14)] + [f'C{i}' for i in range(1, 27)]
        with open(path, encoding='utf-8-sig') as file:
            first = file.readline()
        separator = '\t' if '\t' in first else ','
        table = _read_file(
            path, len(names), separator, header=first.lower().startswith('label' + separator)
        )
        for f in range(13):
            binned = {}
            for code, word in enumerate(table.words[f]):
                try:
                    binned[code] = _log_square(word)
                except ValueError:
                    row = int(np.argmax(table.codes[f] == code)) + 1
                    raise ValueError(
                        f'{path}: {names[f]} of row {row} is {word!r}: give a number '
                        'or leave the cell empty.'
                    ) from None
            table.words[f], table.codes[f] = _merge(binned.values(), table.codes[f])
        dataset = cls.__new__(cls)
        dataset._encode(table._replace(names=names), feat_mapper, defaults, min_threshold)
        return dataset

    def _encode(self, table, feat_mapper, defaults, min_threshold):
        self._source, self.field_names, self.dropped = table.source, table.names, table.dropped
        self.labels, self.count = table.labels, len(table.labels)
        self.NUM_FEATS = len(table.words)
        self._fitted = feat_mapper is None
        self.feat_mapper = _fit(table, min_threshold) if self._fitted else feat_mapper
        self.defaults = (
            {f: len(values) for f, values in self.feat_mapper.items()}
            if defaults is None
            else defaults
        )
        if not self._fitted or defaults is not None:
            _check_vocab(self.feat_mapper, self.defaults, 'feat_mapper')
        self.field_dims = np.array([len(self.feat_mapper[f]) + 1 for f in self._fields()], np.int64)
        self.offsets = _offsets(self.field_dims)
        self.features = np.empty((self.count, self.NUM_FEATS), np.int32)
        self.unknown = np.empty(self.NUM_FEATS)
        for f, words, codes, offset in zip(self._fields(), table.words, table.codes, self.offsets):
            ids = self.feat_mapper[f]
            within = np.array([ids.get(w, -1) for w in words], np.int32)[codes]
            self.unknown[f - 1] = (within < 0).mean()
            within[within < 0] = self.defaults[f]
            self.features[:, f - 1] = within + np.int32(offset)
        self.dense, self.dense_names = None, []
        if self.dropped:
            warnings.warn(self._dropped_sentence(), stacklevel=3)

    def _fields(self):
        return range(1, self.NUM_FEATS + 1)

    def __len__(self):
        return self.count

    def __getitem__(self, i):
        """Row i: features (F,) int32, offset by field, and the label, float32."""
        return self.features[i], self.labels[i]

    def __repr__(self):
        return (
            f'CTRDataset({self._source}: {self.count:,} rows, {self.NUM_FEATS} fields, '
            f'{self.field_dims.sum():,} features, click rate {self.labels.mean():.3f}'
            + (
                f', {sum(d.count for d in self.dropped.values()):,} rows dropped'
                if self.dropped
                else ''
            )
            + ')'
        )

    def summary(self):
        """The data in words, as text to print: counts, what was dropped, unknown values."""
        lines = [repr(self)]
        if self.dropped:
            lines.append(self._dropped_sentence())
        width = max(len(str(name)) for name in self.field_names)
        for f, name, dim, unknown in zip(
            self._fields(), self.field_names, self.field_dims, self.unknown
        ):
            note = ', so its row is never trained' if self._fitted and unknown == 0 else ''
            lines.append(f'{f:>4} {name:<{width}} {dim:>9,} features, {unknown:.2%} unknown{note}')
        return '\n'.join(lines)

    def _dropped_sentence(self):
        reasons = ', '.join(
            f'{d.count:,} for its {reason} (first: {d.first}, {d.found})'
            for reason, d in self.dropped.items()
        )
        total = sum(d.count for d in self.dropped.values())
        return f'{self._source}: {total:,} of {total + self.count:,} rows dropped: {reasons}.'

    def _field(self, field):
        """Number (from 1) of a field given by name or number."""
        if field in self.field_names:
            return self.field_names.index(field) + 1
        if isinstance(field, (int, np.integer)) and 1 <= field <= self.NUM_FEATS:
            return int(field)
        raise ValueError(
            f'There is no field {field!r}: choose from {self.field_names} or 1 to {self.NUM_FEATS}.'
        )

    def rows_of(self, field):
        """The ids of a field (name or number) as a slice of the embedding's rows."""
        f = self._field(field)
        return slice(int(self.offsets[f - 1]), int(self.offsets[f - 1] + self.field_dims[f - 1]))

    def row_of(self, field, value):
        """The id of a field's value; the one of unknown values for None.

        Raises ValueError where the vocabulary does not hold the value.
        """
        f = self._field(field)
        word = None if value is None else _word(value)
        if word is not None and word not in self.feat_mapper[f]:
            raise ValueError(
                f'The vocabulary of {self.field_names[f - 1]!r} does not hold '
                f'{word!r}: ask for None to get the row of unknown values.'
            )
        within = self.defaults[f] if word is None else self.feat_mapper[f][word]
        return int(self.offsets[f - 1]) + within

    def word_of(self, row):
        """(field name, value) of an id; the value is None for the id of unknown values."""
        if not 0 <= row < self.field_dims.sum():
            raise ValueError(
                f'There is no id {row}: give one from 0 to {self.field_dims.sum() - 1}.'
            )
        f = int(np.searchsorted(self.offsets, row, side='right'))
        within = int(row) - int(self.offsets[f - 1])
        words = (w for w, i in self.feat_mapper[f].items() if i == within)
        return self.field_names[f - 1], next(words, None)

    def words(self, i):
        """Row i as {field name: value}; None stands for a value not in the vocabulary."""
        return dict(self.word_of(row) for row in self.features[i])

    def save_vocab(self, path):
        """Write the vocabulary as JSON: whole or not at all."""
        fields = [
            {
                'name': str(self.field_names[f - 1]),
                'values': self.feat_mapper[f],
                'default': self.defaults[f],
            }
            for f in self._fields()
        ]
        with atomic_write(path) as file:
            json.dump({'fields': fields}, file, ensure_ascii=False, indent=0)


def load_vocab(path):
    """Read what ``save_vocab`` wrote.

    Returns ``feat_mapper, defaults``, so that ``CTRDataset(data, *load_vocab(path))`` encodes as
    the training set did.  Raises ValueError where the file holds something else.
    """
    with open(path, encoding='utf-8') as file:
        try:
            fields = json.load(file)['fields']
            feat_mapper = {f: dict(field['values']) for f, field in enumerate(fields, 1)}
            defaults = {f: field['default'] for f, field in enumerate(fields, 1)}
        except (ValueError, KeyError, TypeError):
            raise ValueError(
                f'{path} is not a vocabulary: give a file that save_vocab wrote.'
            ) from None
    _check_vocab(feat_mapper, defaults, path)
    return feat_mapper, defaults


# A table holds labels (N,) and, for each field, its distinct words and a code (N,) for each row.
_Table = namedtuple('_Table', 'source names labels words codes dropped')


def _width(num_feat, feat_mapper):
    """Number of fields to expect; None where the data says."""
    if num_feat != NUM_FEAT and (
        isinstance(num_feat, bool) or int(num_feat) != num_feat or num_feat < 1
    ):
        raise ValueError(f'num_feat is {num_feat!r}: give the number of fields, 1 or more.')
    if feat_mapper is None:
        return None if num_feat == NUM_FEAT else int(num_feat)
    if num_feat not in (NUM_FEAT, len(feat_mapper)):
        raise ValueError(
            f'num_feat is {num_feat} and feat_mapper has {len(feat_mapper)} fields: '
            'give the same number, or leave num_feat out.'
        )
    return len(feat_mapper)


def _read_file(path, width, separator='\t', header=False):
    """Read lines of label and ``width`` fields; None stands for the most common number."""
    labels, codes, dropped, seen = [], [], {}, 0
    kind = 'tabs' if separator == '\t' else 'commas'
    try:
        with open(path, encoding='utf-8-sig') as file:
            if header:
                next(file)
                seen = 1
            while lines := list(islice(file, CHUNK)):
                if width is None:
                    width = Counter(line.count(separator) for line in lines).most_common(1)[0][0]
                    if width == 0:
                        raise ValueError(
                            f'{path}, line 1: there are no tabs: give lines of a '
                            'label and at least one field, separated by tabs.'
                        )
                if not codes:
                    tables = [{} for _ in range(width)]
                    codes = [[] for _ in range(width)]
                cells = []
                for line in lines:
                    seen += 1
                    line = line.rstrip('\n')
                    columns = line.count(separator) + 1
                    label, _, rest = line.partition(separator)
                    if columns != width + 1:
                        _drop(
                            dropped,
                            'number of columns',
                            f'line {seen}',
                            f'{columns} where {width + 1} are expected',
                        )
                    elif label not in LABELS:
                        _drop(dropped, 'label', f'line {seen}', f'{label[:40]!r}, not 0 or 1')
                    else:
                        labels.append(LABELS[label])
                        cells.append(rest)
                if cells:
                    cells = np.array(separator.join(cells).split(separator), dtype=object)
                    cells = cells.reshape(-1, width)
                    for f in range(width):
                        numbers, words = pd.factorize(cells[:, f])
                        numbers = _number(tables[f], words)[numbers]
                        codes[f].append(numbers)
    except UnicodeDecodeError:
        raise ValueError(f'{path} is not text in UTF-8: save it in UTF-8.') from None
    if not labels:
        what = '; '.join(
            f'{d.first} was dropped for its {reason}: {d.found}' for reason, d in dropped.items()
        )
        raise ValueError(
            f'{path} has no line that can be used ({what or "it is empty"}): give '
            f'lines of a label, 0 or 1, and {width or "some"} fields, separated by '
            f'{kind}.'
        )
    return _Table(
        os.path.basename(os.fspath(path)),
        [f'field {f + 1}' for f in range(width)],
        np.array(labels, np.float32),
        [list(t) for t in tables],
        [np.concatenate(c) for c in codes],
        dropped,
    )


def _read_frame(frame, width):
    """Read a frame's columns: the label and the fields."""
    if len(frame) == 0 or frame.shape[1] < 2 or width not in (None, frame.shape[1] - 1):
        raise ValueError(
            f'The frame has {len(frame)} rows and {frame.shape[1]} columns: give at '
            f'least one row, with the label and {width or "at least one"} fields as '
            'columns.'
        )
    dropped = {}
    numbers, values = pd.factorize(np.asarray(frame.iloc[:, 0]), use_na_sentinel=False)
    words = [_word(v) for v in values]
    labels = np.array([LABELS.get(w, -1) for w in words], np.float32)[numbers]
    kept = labels >= 0
    for row in np.flatnonzero(~kept):
        _drop(dropped, 'label', f'row {row + 1}', f'{words[numbers[row]][:40]!r}, not 0 or 1')
    if not kept.any():
        raise ValueError(
            f'The frame has no row that can be used (row 1 has the label '
            f'{words[numbers[0]][:40]!r}): give the label, 0 or 1, as the first '
            'column.'
        )
    fields = []
    for f in range(1, frame.shape[1]):
        numbers, values = pd.factorize(np.asarray(frame.iloc[:, f])[kept], use_na_sentinel=False)
        fields.append(_merge(map(_word, values), numbers))
    return _Table(
        'frame',
        list(frame.columns[1:]),
        labels[kept],
        [w for w, _ in fields],
        [c for _, c in fields],
        dropped,
    )


def _drop(dropped, reason, first, found):
    before = dropped.get(reason)
    dropped[reason] = (
        before._replace(count=before.count + 1) if before else Dropped(1, first, found)
    )


def _number(table, words):
    """Codes (int32) of words in ``table`` {word: code}, which grows by the new ones."""
    return np.array([table.setdefault(w, len(table)) for w in words], np.int32)


def _merge(words, codes):
    """Distinct words and each row's code, where several of the words may have become equal."""
    table = {}
    codes = _number(table, words)[codes]
    return list(table), codes


def _word(value):
    """A frame's value as text: 5, 5.0 and '5' are one word, and so are all missing ones."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return ''
    if isinstance(value, (bool, np.bool_)) or (
        isinstance(value, (float, np.floating)) and float(value).is_integer()
    ):
        value = int(value)
    return str(value)


def _log_square(word):
    """The log-square rule on one cell; ValueError where it is no number."""
    if word == '':
        return word
    value = float(word)
    if not math.isfinite(value):
        raise ValueError(word)
    return f'bin {math.floor(math.log(value) ** 2)}' if value > 2 else _word(value)


def _fit(table, min_threshold):
    """{1..F: {word: id}}: the words that occur often enough, by falling count, then text."""
    if isinstance(min_threshold, bool) or not min_threshold >= 1:
        raise ValueError(f'min_threshold is {min_threshold!r}: give a number, 1 or more.')
    feat_mapper = {}
    for f, (words, codes) in enumerate(zip(table.words, table.codes), 1):
        counts = np.bincount(codes, minlength=len(words)).tolist()
        kept = sorted([(-c, w) for c, w in zip(counts, words) if c >= min_threshold])
        feat_mapper[f] = {w: i for i, (_, w) in enumerate(kept)}
    return feat_mapper


def _check_vocab(feat_mapper, defaults, where):
    """Refuse a vocabulary that could send an id outside its field."""
    wanted = set(range(1, len(feat_mapper) + 1))
    if not wanted or set(feat_mapper) != wanted or set(defaults) != wanted:
        raise ValueError(
            f'{where}: the vocabulary has the fields {sorted(feat_mapper)[:5]} and '
            f'the defaults {sorted(defaults)[:5]}: number both from 1 to F.'
        )
    for f, values in feat_mapper.items():
        for value, i in [*values.items(), ('unknown values', defaults[f])]:
            if (
                isinstance(i, bool)
                or not isinstance(i, (int, np.integer))
                or not 0 <= i <= len(values)
            ):
                raise ValueError(
                    f'{where}: field {f} gives {value!r} the id {i!r}: give ids '
                    f'from 0 to {len(values)}.'
                )


def _offsets(field_dims):
    """First id of each field (F,) int64; ValueError where the ids do not fit int32."""
    if sum(map(int, field_dims)) >= 2**31:
        raise ValueError(
            f'The fields have {sum(map(int, field_dims)):,} features, more than '
            'int32 ids can number: raise min_threshold.'
        )
    return np.concatenate([[0], np.cumsum(field_dims[:-1])]).astype(np.int64)
