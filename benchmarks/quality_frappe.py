"""Click models on Frappe_x1 beside the figures that BARS publishes for them.

Shapes: N rows, F fields.
"""

import csv
import math
import os
import sys

import d2lrec as d2l

import mxnet as mx
import numpy as np
from mxnet import gluon, init

BATCH, RATE, K, HIDDEN = 4096, 1e-3, 10, [400, 400, 400]
NORM, FLOOR = 10.0, 1e-6  # the gradient's largest norm and the smallest rate of the published runs
# What else the published runs do: the gradient's norm is held to 10, the rate to 1e-6 or more;
# first-order weights begin at N(0, 1e-4^2); beside an MLP they have no bias of their own; AFM's
# attention weights are dropped as its pooled vector is.
ALIKE = ('clip', 'floor', 'first', 'bias', 'attention')
# What they do not do, for comparison: Adam's epsilon where its paper and PyTorch from 1.3 on have
# it. The published runs had PyTorch 1.0, which adds it where MXNet does.
OTHERS = ('epsilon',)
MARGIN = 0.0005  # how far below the published AUC still counts as reached


def _deep(model, **kwargs):
    return lambda dims, drop: model(dims, K, HIDDEN, drop_rate=drop, batch_norm=True, **kwargs)


# name: (BARS' name, how it is built, λ of the embeddings' L2, dropout, settings in words). The
# settings are those of the published runs; what the words do not name is the same for all.
MODELS = {
    'LR': ('LR', lambda dims, drop: d2l.LR(dims), 1e-5, 0.0, ''),
    'FM': ('FM', lambda dims, drop: d2l.FM(dims, K), 5e-6, 0.0, ''),
    'DeepFM': ('DeepFM', _deep(d2l.DeepFM), 0.05, 0.2, 'BN'),
    'DCN': ('DCN', _deep(d2l.DCN), 0.05, 0.2, '3 cross layers, BN'),
    'WideDeep': ('Wide&Deep', _deep(d2l.WideDeep), 0.1, 0.6, 'BN'),
    'DLRM': (
        'DLRM',
        lambda dims, drop: d2l.DLRM(dims, K, HIDDEN, drop_rate=drop, batch_norm=True),
        0.1,
        0.4,
        'dot products, BN',
    ),
    'EmbeddingMLP': ('DLRM', _deep(d2l.EmbeddingMLP), 0.1, 0.4, 'BN'),
    'DCNv2': ('DCN-V2', _deep(d2l.DCN, version=2, num_layers=4), 0.05, 0.4, '4 cross layers, BN'),
    'NFM': (
        'NFM',
        lambda dims, drop: d2l.NFM(dims, K, HIDDEN, drop_rate=drop, pool_drop_rate=0.0),
        1e-4,
        0.4,
        'hidden layers only',
    ),
    'XDeepFM': ('xDeepFM', _deep(d2l.XDeepFM, cin_dims=[64]), 0.1, 0.2, 'CIN [64], BN'),
    'FFM': ('FFM', lambda dims, drop: d2l.FFM(dims, K), 1e-6, 0.0, ''),
    'AFM': (
        'AFM',
        lambda dims, drop, **kwargs: d2l.AFM(dims, K, attention_dim=128, drop_rate=drop, **kwargs),
        1e-5,
        0.1,
        'attention 128',
    ),
}

HEAD = (
    '| model | validation AUC | test AUC | log loss | published AUC | published log loss '
    '| difference in AUC | meets | best epoch | seconds | settings |\n'
    '|---|---|---|---|---|---|---|---|---|---|---|'
)


def add_frappe_arguments(parser):
    parser.add_argument('path', help='frappe_x1.npz: arrays train, valid, test of label and ids')
    parser.add_argument('--published', help='bars_ctr.csv: the published figures')
    parser.add_argument(
        '--models',
        nargs='+',
        choices=MODELS,
        default=list(MODELS),
        metavar='MODEL',
        help=', '.join(MODELS),
    )
    parser.add_argument('--epochs', type=int, default=100, help='at most (%(default)s)')
    parser.add_argument('--rate', type=float, default=RATE, help='at the start (%(default)s)')
    parser.add_argument('--l2', type=float, help="instead of the published run's")
    parser.add_argument('--dropout', type=float, help="instead of the published run's")
    parser.add_argument(
        '--distinct',
        action='store_true',
        help='draw the items of the negatives of train anew: none twice for a user, over all parts',
    )
    parser.add_argument(
        '--alike',
        nargs='*',
        choices=ALIKE + OTHERS,
        metavar='PART',
        help=f'what else the published runs do, all of it or these parts: {", ".join(ALIKE)}; '
        f'or, beside them, what they do not: {", ".join(OTHERS)}',
    )
    parser.add_argument(
        '--patience',
        type=int,
        default=1,
        metavar='EPOCHS',
        help='without a gain until the rate is divided by 10; twice as many end the run. '
        'The published runs have 1 (%(default)s)',
    )
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--start',
        metavar='FILE',
        help="npz of first weights, by the net's own names for them, in place of drawn ones",
    )
    parser.add_argument(
        '--results',
        default=os.path.join(os.path.dirname(__file__), 'results', 'frappe_rows.md'),
        help='each row is appended here when it is there (%(default)s)',
    )
    parser.add_argument('--checkpoints', help='folder to resume from where a run was interrupted')
    parser.add_argument('--progress', action='store_true', help='show a progress bar')


def frappe(args):
    """Train click models on Frappe_x1; print test AUC and log loss beside those of BARS.

    As in the published runs: Adam, its rate divided by 10 after each epoch that does not raise
    the validation AUC, an end after two such epochs; L2 on the vectors and weights of ids alone.
    The test part is measured once, with the weights of the best epoch by validation AUC.
    """
    parts, field_dims = read_parts(args.path)
    if args.distinct:
        parts['train'] = distinct_negatives(parts)
    published = read_published(args.published) if args.published else {}
    print(HEAD, flush=True)
    for name in args.models:
        row = _line(name, published, args, *train(name, parts, field_dims, args))
        print(row, flush=True)
        _append(args.results, row)


def read_parts(path):
    """{'train', 'valid', 'test': (ids (N, F) int32, labels (N,) float32)} and field_dims.

    Raises
    ------
    FileNotFoundError, or ValueError for arrays that are not labels and ids offset by field.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} does not exist: give the path of frappe_x1.npz.')
    with np.load(path) as file:
        missing = {'train', 'valid', 'test'} - set(file)
        if missing:
            raise ValueError(f'{path} has no array {min(missing)}: it needs train, valid and test.')
        arrays = {name: file[name] for name in ('train', 'valid', 'test')}
    ids = np.concatenate([a[:, 1:] for a in arrays.values()]).astype('int64')
    first, last = ids.min(axis=0), ids.max(axis=0)
    if first[0] or (first[1:] <= last[:-1]).any():
        raise ValueError(
            f'{path} has fields whose ids overlap or do not begin at 0: give ids offset by field.'
        )
    field_dims = np.diff(np.append(first, last[-1] + 1))
    return {
        name: (a[:, 1:].astype('int32'), a[:, 0].astype('float32')) for name, a in arrays.items()
    }, field_dims


def distinct_negatives(parts, seed=0):
    """train (ids, labels) with other items in its negatives: none that its user has elsewhere.

    So are the negatives that are published, those of valid and test: drawn from the items that
    the user never used, and none twice for a user, over all parts. Fields 0 and 1 are user and
    item; everything else of the rows stays.
    """
    rng = np.random.default_rng(seed)
    ids, labels = parts['train']
    ids, negative = ids.copy(), labels == 0
    taken = np.concatenate([ids[~negative], parts['valid'][0], parts['test'][0]])
    items = np.unique(np.concatenate([part[:, 1] for part, _ in parts.values()]))
    for user in np.unique(ids[negative, 0]):
        rows = np.flatnonzero(negative & (ids[:, 0] == user))
        free = np.setdiff1d(items, taken[taken[:, 0] == user, 1])
        ids[rows, 1] = rng.choice(free, len(rows), replace=False)
    return ids, labels


def read_published(path):
    """BARS' name of a model -> (AUC, log loss) on Frappe_x1."""
    if not os.path.exists(path):
        raise FileNotFoundError(f'{path} does not exist: give the path of bars_ctr.csv.')
    with open(path, newline='') as file:
        return {
            row['model']: (float(row['frappe_x1_AUC']), float(row['frappe_x1_logloss']))
            for row in csv.DictReader(file)
            if row['frappe_x1_AUC']
        }


def _setting(name, args):
    """The model's line of MODELS, with the L2 and the dropout that the caller asked for."""
    bars, build, l2, drop, words = MODELS[name]
    return (
        bars,
        build,
        l2 if args.l2 is None else args.l2,
        drop if args.dropout is None else args.dropout,
        words,
    )


def train(name, parts, field_dims, args):
    """One model, to its best epoch: (measures on the test part, History)."""
    _, build, l2, drop, _ = _setting(name, args)
    d2l.set_seed(args.seed)
    alike = _alike(args)
    kwargs = {'attention_drop_rate': drop} if 'attention' in alike and name == 'AFM' else {}
    net = d2l.decay_embeddings_only(build(field_dims, drop, **kwargs))
    # The published runs' first weights: N(0, 2 / (inputs + outputs)), and small vectors.
    net.initialize(init.Xavier('gaussian', 'avg', 1))
    for part in ('embedding', 'linear') if 'first' in alike else ('embedding',):
        if hasattr(net, part):
            getattr(net, part).weight.initialize(init.Normal(1e-4), force_reinit=True)
    if 'bias' in alike and hasattr(net, 'linear') and hasattr(net, 'mlp'):
        net.linear.bias.grad_req = 'null'  # it stays 0; the MLP has one
    if args.start:
        begin_with(net, args.start)
    trainer = None
    if alike or args.patience > 1:
        steps = math.ceil(len(parts['train'][1]) / BATCH)
        trainer = AlikeTrainer(net, args.rate, l2, alike, args.patience, steps)
    checkpoint = None
    if args.checkpoints:
        os.makedirs(args.checkpoints, exist_ok=True)
        checkpoint = os.path.join(
            args.checkpoints,
            '-'.join([f'{name}-{l2:g}-{drop:g}-{args.rate:g}-{args.seed}', *alike])
            + f'-{args.patience}' * (args.patience > 1)
            + '-distinct' * args.distinct
            + '-start' * bool(args.start),
        )
    history = d2l.fit(
        net,
        parts['train'],
        parts['valid'],
        lr=args.rate,
        wd=l2,
        batch_size=BATCH,
        num_epochs=args.epochs,
        monitor='auc',
        patience=2 * args.patience,
        lr_factor=0.1,
        seed=args.seed,
        verbose=args.progress,
        checkpoint=checkpoint,
        trainer=trainer,
    )
    if alike:
        print(
            f'norms above {NORM:g}: {trainer.above} of {trainer.steps} steps, '
            f'at most {trainer.largest:.3g}',
            file=sys.stderr,
        )
    return d2l.evaluate(net, parts['test']), history


def begin_with(net, path):
    """Give a net the weights of an npz file, by the net's own names for them."""
    params = net._collect_params_with_prefix()
    with np.load(path) as first:
        for name in first:
            params[name].set_data(mx.np.array(first[name]))


def _alike(args):
    """The parts of `--alike` that were asked for: all of them where none is named."""
    return () if args.alike is None else tuple(args.alike) or ALIKE


class AlikeAdam(d2l.Adam):
    """Adam with its epsilon where the paper and PyTorch have it.

    MXNet adds it to the root of the uncorrected second moment, which for the first steps makes it
    up to 32 times larger: products of vectors of 1e-4 have gradients that are smaller still.
    """

    def update(self, index, weight, grad, state):
        asked = self.epsilon
        step = self._index_update_count.get(index, 0) + 1
        self.epsilon = asked * math.sqrt(1 - self.beta2**step)
        super().update(index, weight, grad, state)
        self.epsilon = asked


class AlikeTrainer(gluon.Trainer):
    """A trainer that holds the gradient's norm to 10, of the L2 term too, and the rate to 1e-6.

    The rate is asked to fall after each epoch without a gain. It does where `patience` of them, of
    `epoch` steps each, came in a row. What is counted stays in the optimizer, for a checkpoint.
    """

    def __init__(self, net, rate, l2, parts, patience=1, epoch=1):
        adam = AlikeAdam if 'epsilon' in parts else d2l.Adam
        super().__init__(net.collect_params(), adam(learning_rate=rate, wd=l2))
        self.parts, self.steps, self.above, self.largest = parts, 0, 0, 0.0
        self.patience, self.epoch = patience, epoch
        self.optimizer._failed, self.optimizer._failed_at = 0, 0

    def step(self, count, ignore_stale_grad=False):
        total = 0.0
        for param in self._params:
            if param.grad_req != 'null':
                decay = self.optimizer.wd * param.wd_mult
                slope = param.grad() / count + decay * param.data()
                total += float((slope * slope).sum())
        norm = math.sqrt(total)
        self.largest = max(self.largest, norm)
        self.steps, self.above = self.steps + 1, self.above + (norm > NORM)
        # The L2 term is not cut with the loss's: where the norm is large, it is not what makes it.
        by = max(1.0, norm / NORM) if 'clip' in self.parts else 1.0
        super().step(count * by, ignore_stale_grad)

    def set_learning_rate(self, rate):
        adam = self.optimizer
        again = adam.num_update - adam._failed_at == self.epoch
        adam._failed, adam._failed_at = 1 + again * adam._failed, adam.num_update
        if adam._failed % self.patience == 0:
            super().set_learning_rate(max(rate, FLOOR) if 'floor' in self.parts else rate)


def _line(name, published, args, report, history):
    bars, _, l2, drop, words = _setting(name, args)
    auc, log_loss = published.get(bars, (None, None))
    beside = (
        ['–'] * 4
        if auc is None
        else [
            f'{auc:.4f}',
            f'{log_loss:.4f}',
            f'{report["auc"] - auc:+.5f}',
            'yes' if report['auc'] >= auc - MARGIN else 'no',
        ]
    )
    seconds = sum(history['seconds']) + sum(history['eval_seconds'])
    settings = ', '.join(
        filter(
            None,
            [
                f'L2 {l2:g}',
                words,
                f'dropout {drop:g}' if drop else '',
                f'rate {args.rate:g}',
                _words(_alike(args)),
                f'patience {args.patience}' * (args.patience > 1),
                'distinct negatives' * args.distinct,
                f'seed {args.seed}',
                'first weights from a file' * bool(args.start),
            ],
        )
    )
    best = max(history['valid_auc'])
    cells = [
        name,
        f'{best:.5f}',
        f'{report["auc"]:.5f}',
        f'{report["log_loss"]:.4f}',
        *beside,
        f'{history.best_epoch} of {len(history)}',
        f'{seconds:.0f}',
        settings,
    ]
    return '| ' + ' | '.join(cells) + ' |'


def _words(alike):
    others = [part for part in alike if part in OTHERS]
    if set(alike) - set(OTHERS) == set(ALIKE):
        return ', '.join(['all alike', *others])
    return 'alike: ' * bool(alike) + ' and '.join(alike)


def _append(path, row):
    new = not os.path.exists(path)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, 'a') as file:
        file.write((HEAD + '\n' if new else '') + row + '\n')
