"""What may enter a net: the sentence names the place, the value and a cure."""

from d2lrec.checks import check_finite, check_ids, check_labels

import numpy as np
import pytest

FIRST, END = np.array([0, 3]), np.array([3, 8])


@pytest.mark.parametrize('shape', [(0, 2), (1, 2), (1000, 2)])
def test_what_is_right_passes(shape):
    rng = np.random.default_rng(0)
    ids = FIRST + rng.integers(0, END - FIRST, shape)
    check_ids(ids.astype('int32'), FIRST, END)
    check_ids(ids.astype('float32'), FIRST, END)
    check_finite(rng.normal(size=shape).astype('float32'), 'dense')
    check_finite(np.full(shape, 3e38, 'float32'), 'dense')  # their squares overflow
    check_labels(ids[:, 0] % 2)


@pytest.mark.parametrize(
    'ids, words',
    [
        ([[0, 3], [3, 3]], r'ids\[1, 0\] \(user\) is 3, outside its range, 0 to 2: add the offset'),
        ([[0, 3], [0, 2]], r'ids\[1, 1\] \(item\) is 2, outside its range, 3 to 7'),
        ([[0, 8]], r'ids\[0, 1\] \(item\) is 8'),
        ([[-1, 3]], r'ids\[0, 0\] \(user\) is -1'),
        ([[2**40, 3]], r'is 1099511627776'),
        ([[0.5, 3]], r'is 0.5: ids are whole numbers'),
        ([[np.nan, 3]], r'ids\[0, 0\] \(user\) is nan'),
        ([[np.inf, 3]], r'is inf'),
    ],
)
def test_ids_out_of_their_own_field(ids, words):
    with pytest.raises(ValueError, match=words) as refusal:
        check_ids(np.array(ids), FIRST, END, 'ids', ['user', 'item'])
    assert '\n' not in str(refusal.value)


def test_ids_of_one_range():
    check_ids(np.array([0, 4]), 0, 5, 'users')
    with pytest.raises(ValueError, match=r'users\[1\] is 5, outside its range, 0 to 4: count from'):
        check_ids(np.array([0, 5]), 0, 5, 'users')


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize('dtype', ['float32', 'float64', 'float16'])
def test_one_number_that_is_none_among_many(value, dtype):
    dense = np.ones((500, 3), dtype)
    dense[321, 2] = value
    with pytest.raises(ValueError, match=r'dense\[321, 2\] \(c\) is .*: fill in what is missing'):
        check_finite(dense, 'dense', ['a', 'b', 'c'])


@pytest.mark.parametrize(
    'labels, words',
    [
        ([1, -1], r'labels\[1\] is -1: .*; use \(labels \+ 1\) / 2'),
        ([1, 0, 5], r'labels\[2\] is 5: a click label is 0 or 1; use ratings >= 4'),
        ([0.5], r'labels\[0\] is 0.5'),
        ([0, np.nan], r'labels\[1\] is nan'),
    ],
)
def test_labels_that_are_none(labels, words):
    with pytest.raises(ValueError, match=words):
        check_labels(np.array(labels, dtype='float32'))


def test_a_vector_has_no_columns_to_name():
    with pytest.raises(ValueError, match=r'^weights\[1\] is nan: give 0'):
        check_finite(np.array([0.5, np.nan]), 'weights', ['a', 'b'])
