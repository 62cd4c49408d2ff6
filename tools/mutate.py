"""Small wrong changes of the library, one at a time: do the tests notice each of them?

    python tools/mutate.py cover --part 1/3    which tests run which line (needs coverage)
    python tools/mutate.py run --part 1/8      some of the changes; results go to _build/mutants
    python tools/mutate.py run --only ID ...   these again, after a test was added
    python tools/mutate.py run --seed 1 --count 60    another draw, over all modules
    python tools/mutate.py table               benchmarks/results/mutations.md of all results

A change is of the kind that a slip of the hand makes: another comparison, sign, constant or
axis, a term or a check left out, two arguments swapped. Which ones are tried is drawn with a
seed, so many from each module; the tests that concern the module then run on a copy of the tree.

Neither mutmut nor cosmic-ray is used: both start Python anew for each change or import what they
test once, and MXNet takes seconds to start and does not stand being imported twice. Here one
process imports MXNet, NumPy, pandas and pyarrow, and every change is tried in a fork of it.
"""

import argparse
import ast
import compileall
import hashlib
import importlib.util
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / '_build' / 'mutants'
TABLE = ROOT / 'benchmarks' / 'results' / 'mutations.md'
WORDS = ROOT / 'tools' / 'mutate_equivalent.json'
SEED = 0
ANOTHER = '## Another draw, seed '

# Module -> how many changes of it, and the tests that concern it: quick ones first.
ADDED = ['tests/test_slips.py']
MODELS = ['tests/models/test_models.py', 'tests/models/test_contract.py']
DATA = ['tests/test_properties.py', 'tests/test_refusals.py']
PLAN = {
    'layers.py': (14, ['tests/test_layers.py', *MODELS]),
    'layers_sequence.py': (6, ['tests/test_layers_sequence.py', 'tests/models/test_din.py']),
    'metrics.py': (14, ['tests/test_metrics.py', *DATA]),
    'checks.py': (3, ['tests/test_checks.py', 'tests/data/test_batches.py']),
    'files.py': (3, ['tests/test_files.py', 'tests/saving']),
    'warm.py': (3, ['tests/test_warm.py']),
    'fitting.py': (6, ['tests/test_fitting.py', *DATA]),
    'recommend.py': (12, ['tests/test_recommend.py', *DATA]),
    'tuning.py': (4, ['tests/test_tuning.py', *DATA]),
    'models/base.py': (6, MODELS),
    'models/mf.py': (2, ['tests/models/test_rating_models.py', *MODELS]),
    'models/bias.py': (3, ['tests/models/test_rating_models.py']),
    'models/autorec.py': (3, ['tests/models/test_rating_models.py', *MODELS]),
    'models/dlrm.py': (3, ['tests/models/test_dlrm.py', *MODELS]),
    'models/dcn.py': (2, ['tests/models/test_dcn.py', *MODELS]),
    'models/wide_deep.py': (2, ['tests/models/test_wide_deep.py', *MODELS]),
    'models/din.py': (3, ['tests/models/test_din.py', *MODELS]),
    'models/deepfm.py': (2, ['tests/models/test_deepfm.py', *MODELS]),
    'data/batches.py': (4, ['tests/data/test_batches.py', *DATA]),
    'data/columns.py': (6, ['tests/data/test_columns.py', 'tests/data/test_batches.py', *DATA]),
    'data/ctr.py': (8, ['tests/data/test_ctr.py', 'tests/data/test_encoder.py', *DATA]),
    'data/rows.py': (8, ['tests/data/test_ctr.py', *DATA]),
    'data/values.py': (6, ['tests/data/test_values.py', 'tests/data/test_ctr.py', *DATA]),
    'data/vocabulary.py': (7, ['tests/data/test_vocabulary.py', 'tests/data/test_ctr.py', *DATA]),
    'data/encoder.py': (4, ['tests/data/test_encoder.py', 'tests/data/test_table.py', *DATA]),
    'data/features.py': (8, ['tests/data/test_features.py', *DATA]),
    'data/formats.py': (8, ['tests/data/test_table.py', 'tests/test_own_log.py', *DATA]),
    'data/table.py': (6, ['tests/data/test_table.py', 'tests/test_own_log.py', *DATA]),
    'data/schema.py': (4, ['tests/data/test_table.py', 'tests/test_own_log.py', *DATA]),
    'data/plan.py': (4, ['tests/data/test_table.py', 'tests/test_own_log.py', *DATA]),
    'data/rating_files.py': (3, ['tests/data/test_table.py', 'tests/data/test_ratings.py', *DATA]),
    'data/splits.py': (4, ['tests/data/test_table.py', 'tests/data/test_histories.py', *DATA]),
    'data/negatives.py': (6, ['tests/data/test_negatives.py', 'tests/train/test_ranking.py']),
    'data/histories.py': (4, ['tests/data/test_histories.py', *DATA]),
    'data/ratings.py': (4, ['tests/data/test_ratings.py', *DATA]),
    'data/movielens.py': (7, ['tests/data/test_movielens.py', *DATA]),
    'data/synthetic.py': (4, ['tests/data/test_synthetic.py']),
    'train/clicks.py': (8, ['tests/train/test_train_clicks.py', 'tests/train/test_loop.py']),
    'train/loop.py': (6, ['tests/train/test_loop.py', 'tests/train/test_train_clicks.py']),
    'train/ratings.py': (4, ['tests/train/test_train_ratings.py']),
    'train/ranking.py': (4, ['tests/train/test_ranking.py']),
    'train/optim.py': (3, ['tests/train/test_optim.py', 'tests/train/test_train_clicks.py']),
    'train/devices.py': (3, ['tests/train/test_train_clicks.py', 'tests/test_fitting.py']),
    'train/sources.py': (3, ['tests/train/test_train_clicks.py', 'tests/test_fitting.py']),
    'train/history.py': (2, ['tests/train/test_train_clicks.py', 'tests/test_fitting.py']),
    'train/requests.py': (2, ['tests/train/test_requests.py']),
    'saving/archive.py': (4, ['tests/saving/test_archive.py', 'tests/saving/test_model.py', *DATA]),
    'saving/checkpoint.py': (6, ['tests/saving/test_checkpoint.py']),
    'saving/model.py': (4, ['tests/saving/test_model.py', *DATA]),
    'saving/rows.py': (3, ['tests/saving/test_rows.py']),
    'touched.py': (6, ['tests/train/test_touched.py']),
    'kernels.py': (6, ['tests/train/test_optim.py', 'tests/train/test_touched.py']),
    'arguments.py': (4, ['tests/test_refusals.py', 'tests/test_inputs.py']),
    'data/encoded.py': (8, ['tests/data/test_encoded.py']),
    'data/blocks.py': (6, ['tests/data/test_encoded.py']),
    'data/archive_files.py': (4, ['tests/data/test_packed.py', 'tests/data/test_hub.py']),
    'train/distributed.py': (4, ['tests/train/test_distributed.py']),
    'instruments/logit.py': (3, ['tests/test_instruments.py']),
    'instruments/vectors.py': (2, ['tests/test_instruments.py']),
    'instruments/scores.py': (2, ['tests/test_instruments.py']),
    'instruments/machine.py': (3, ['tests/test_instruments.py']),
    'instruments/instrument.py': (3, ['tests/test_instruments.py']),
    'instruments/five_films.py': (3, ['tests/test_instruments_films.py']),
    'instruments/film_map.py': (3, ['tests/test_instruments_films.py']),
    'check/judge.py': (4, ['tests/test_check.py']),
    'check/histories.py': (2, ['tests/test_check.py']),
    'check/data.py': (2, ['tests/test_check.py']),
    'check/compare.py': (2, ['tests/test_check.py']),
    'check/dlrm.py': (2, ['tests/test_check.py']),
    'check/mf.py': (2, ['tests/test_check.py']),
}

COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.Pow: ast.Mult,
}
FUNCTIONS = {
    'min': 'max',
    'max': 'min',
    'any': 'all',
    'all': 'any',
    'sum': 'mean',
    'mean': 'sum',
    'argmax': 'argmin',
    'argmin': 'argmax',
    'floor': 'ceil',
    'ceil': 'floor',
    'zeros': 'ones',
    'ones': 'zeros',
    'minimum': 'maximum',
    'maximum': 'minimum',
    'cumsum': 'cumprod',
    'log': 'log1p',
    'sqrt': 'square',
}
LEFT_OUT = {'sorted': 'list', 'abs': '', 'set': 'list', 'unique': ''}


class Finder(ast.NodeVisitor):
    """All changes of one module: (kind, node, the node in its place)."""

    def __init__(self):
        self.found = []

    def offer(self, kind, node, new):
        self.found.append((kind, node, new))

    def generic_body(self, body):
        for statement in body:
            if isinstance(statement, ast.Raise):
                self.offer('a refusal left out', statement, ast.Pass())
            elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
                self.offer('a call left out', statement, ast.Pass())
                self.visit(statement)
            elif isinstance(statement, ast.AugAssign):
                self.offer('a step left out', statement, ast.Pass())
                if type(statement.op) in OPERATORS:
                    new = ast.AugAssign(
                        statement.target, OPERATORS[type(statement.op)](), statement.value
                    )
                    self.offer('another operator', statement, new)
                self.visit(statement.value)
            else:
                self.visit(statement)

    def visit_Module(self, node):
        for statement in node.body:  # tables of names and words at the top are left alone
            if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
                self.visit(statement)

    def visit_FunctionDef(self, node):
        if node.name in ('__repr__', 'summary', '_facts', 'hybrid_repr'):
            return  # sentences to read
        defaults = node.args.defaults + [d for d in node.args.kw_defaults if d is not None]
        for default in defaults:
            self.visit(default)
        self.generic_body(node.body)

    def visit_ClassDef(self, node):
        self.generic_body([s for s in node.body if not isinstance(s, ast.AnnAssign)])

    def visit_AnnAssign(self, node):
        if node.value:
            self.visit(node.value)

    def visit_If(self, node):
        self.visit(node.test)
        self.generic_body(node.body)
        self.generic_body(node.orelse)

    def visit_For(self, node):
        self.visit(node.iter)
        self.generic_body(node.body)
        self.generic_body(node.orelse)

    def visit_While(self, node):
        self.visit(node.test)
        self.generic_body(node.body)

    def visit_With(self, node):
        for item in node.items:
            self.visit(item)
        self.generic_body(node.body)

    def visit_Try(self, node):
        for body in (node.body, *(h.body for h in node.handlers), node.orelse, node.finalbody):
            self.generic_body(body)

    def visit_Raise(self, node):
        """What is said in a refusal is not a matter of these tests."""

    def visit_JoinedStr(self, node):
        """Nor any other sentence."""

    def visit_Compare(self, node):
        if len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            new = COMPARISONS[type(node.ops[0])]()
            self.offer('another comparison', node, ast.Compare(node.left, [new], node.comparators))
        self.generic_visit(node)

    def visit_BinOp(self, node):
        text = any(
            isinstance(s, (ast.JoinedStr, ast.Constant)) and not _is_number(s)
            for s in (node.left, node.right)
        )
        if type(node.op) in OPERATORS and not text:
            new = OPERATORS[type(node.op)]()
            self.offer('another operator', node, ast.BinOp(node.left, new, node.right))
            if not isinstance(node.op, (ast.Pow, ast.Mod, ast.FloorDiv)):
                self.offer('a term left out', node, node.left)
        self.generic_visit(node)

    def visit_BoolOp(self, node):
        new = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        self.offer('and for or', node, ast.BoolOp(new, node.values))
        self.offer('a condition left out', node, node.values[0])
        self.generic_visit(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.op, (ast.Not, ast.USub, ast.Invert)):
            self.offer('a sign left out', node, node.operand)
        if not (isinstance(node.op, ast.USub) and _is_number(node.operand)):
            self.generic_visit(node)

    def visit_Constant(self, node):
        if isinstance(node.value, bool):
            self.offer('another constant', node, ast.Constant(not node.value))
        elif isinstance(node.value, int):
            self.offer('another constant', node, ast.Constant(node.value + 1))
        elif isinstance(node.value, float):
            self.offer('another constant', node, ast.Constant(node.value * 2 or 1.0))

    def visit_Call(self, node):
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        if name in ('TypeVar', 'warn', 'doc', 'isinstance', 'getLogger'):
            return
        if name in FUNCTIONS:
            func = (
                ast.Attribute(node.func.value, FUNCTIONS[name])
                if isinstance(node.func, ast.Attribute)
                else ast.Name(FUNCTIONS[name])
            )
            if isinstance(node.func, ast.Attribute) or name in ('min', 'max', 'any', 'all'):
                self.offer('another function', node, ast.Call(func, node.args, node.keywords))
        if name in LEFT_OUT and len(node.args) == 1:
            if isinstance(node.func, ast.Name) or name in ('unique', 'abs'):
                plain = LEFT_OUT[name]
                new = ast.Call(ast.Name(plain), node.args, []) if plain else node.args[0]
                if not (name == 'unique' and node.keywords):
                    self.offer('order or set left out', node, new)
        plain = [a for a in node.args if isinstance(a, (ast.Name, ast.Attribute))]
        if len(node.args) >= 2 and node.args[:2] == plain[:2]:
            new = [node.args[1], node.args[0], *node.args[2:]]
            self.offer('swapped arguments', node, ast.Call(node.func, new, node.keywords))
        for keyword in node.keywords:
            if keyword.arg in ('kind', 'side', 'axis', 'keepdims', 'minlength', 'initial'):
                rest = [k for k in node.keywords if k is not keyword]
                self.offer('an option left out', node, ast.Call(node.func, node.args, rest))
        for part in (node.func, *node.args, *(k.value for k in node.keywords)):
            self.visit(part)

    def visit_Slice(self, node):
        if node.lower is not None and node.upper is None and node.step is None:
            self.offer('a bound left out', node, ast.Slice(None, None, None))
        self.generic_visit(node)

    def visit_IfExp(self, node):
        if any(
            isinstance(n, ast.JoinedStr) or isinstance(n, ast.Constant) and isinstance(n.value, str)
            for side in (node.body, node.orelse)
            for n in ast.walk(side)
        ):
            return  # wording
        self.offer('the other branch', node, ast.IfExp(node.test, node.orelse, node.body))
        self.generic_visit(node)

    def visit_Return(self, node):
        if node.value is not None:
            self.visit(node.value)


def _is_number(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, (int, float))


def mutants(module):
    """All changes of a module: dicts with id, kind, line, what stood there and what stands now."""
    source = (ROOT / 'd2lrec' / module).read_text(encoding='utf-8')
    finder = Finder()
    finder.visit(ast.parse(source))
    lines = source.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found, seen = [], set()
    for kind, node, new in finder.found:
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = source.encode()[start:end].decode()
        after = ast.unparse(ast.fix_missing_locations(new))
        if not isinstance(new, (ast.stmt, ast.Slice, ast.Constant, ast.Name, ast.Call)):
            after = f'({after})'
        if (start, end, after) in seen or before == after:
            continue
        seen.add((start, end, after))
        # The line's text, not its number, makes the name: it holds while other lines change.
        line = source.splitlines()[node.lineno - 1].strip()
        mark = hashlib.sha256(f'{module}|{kind}|{line}|{before}|{after}'.encode()).hexdigest()[:8]
        found.append(
            dict(
                id=mark,
                module=module,
                kind=kind,
                line=node.lineno,
                before=before,
                after=after,
                text=line,
                place=(start, end),
            )
        )
    return found


def changed(mutant):
    """The module's text with the change in it."""
    source, (start, end) = (ROOT / 'd2lrec' / mutant['module']).read_bytes(), mutant['place']
    return (source[:start] + mutant['after'].encode() + source[end:]).decode()


def compiles(mutant):
    try:
        ast.parse(changed(mutant))
    except SyntaxError:
        return False  # a part of an f-string in older Python
    return True


def chosen(seed=SEED, total=None):
    """The changes that are tried: so many of each module, drawn with the seed.

    With `total`, so many in all, in the plan's proportions, one of a module at least.
    """
    plan, whole = [], sum(count for count, _ in PLAN.values())
    for module, (count, tests) in PLAN.items():
        if total:
            count = max(1, int(count * total / whole))
        found = mutants(module)
        rng = random.Random(f'{seed} {module}')
        rng.shuffle(found)
        lines, first, others = set(), [], []
        for mutant in found:  # spread over the lines before a line comes twice
            (others if mutant['line'] in lines else first).append(mutant)
            lines.add(mutant['line'])
        good = itertools.islice(filter(compiles, first + others), count)
        plan += [{**m, 'tests': tests} for m in good]
    return plan


# ------------------------------------------------------------------------------------- running


def copy_of_the_tree(folder):
    """The tree as Git knows it, with what is not committed yet."""
    names = subprocess.run(
        [
            'git',
            'ls-files',
            '-co',
            '--exclude-standard',
            'd2lrec',
            'tests',
            'tools',
            '_ext',
            'chapters',
            'benchmarks',
            'pyproject.toml',
            'book.yml',
            'img',
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy2(ROOT / name, target)
    compileall.compile_dir(folder / 'd2lrec', quiet=1)


def start():
    """Import what takes long, and nothing of the library."""
    sys.path[:0] = [str(ROOT / 'd2lrec')]
    import compat  # noqa: F401  serves a copy of itself as well

    sys.path.pop(0)
    import matplotlib.pyplot  # noqa: F401
    import mxnet.gluon  # noqa: F401
    import numpy  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.csv
    import pyarrow.parquet  # noqa: F401
    import pytest  # noqa: F401
    import sklearn.metrics  # noqa: F401


def tried(folder, tests, limit):
    """Run tests in a fork: (exit code, seconds, what was said); code None where time was up."""
    log = folder / 'log'
    begun = time.time()
    child = os.fork()
    if child == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_AS, (12 << 30,) * 2)
        out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        os.chdir(folder)
        os.environ['PYTHONPATH'] = str(folder)
        sys.path[:0] = [str(folder), str(folder / 'tests')]
        os.environ['PYTEST_DISABLE_PLUGIN_AUTOLOAD'] = '1'
        import pytest

        code = pytest.main(
            [
                *tests,
                '-x',
                '-q',
                '-p',
                'no:cacheprovider',
                '--no-header',
                '--tb=line',
                '-m',
                'not slow and not site',
            ]
        )
        sys.stdout.flush()
        os._exit(int(code))
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        if time.time() - begun > limit:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return None, time.time() - begun, 'it took too long'
        time.sleep(0.02)
    code = os.waitstatus_to_exitcode(status)
    said = log.read_text(errors='replace')
    failed = [li for li in said.splitlines() if li.startswith(('FAILED', 'ERROR'))]
    return code, time.time() - begun, (failed or said.splitlines() or [''])[-1]


def results_of(seed):
    """Where the results of a draw are."""
    return RESULTS if seed == SEED else RESULTS / f'seed-{seed}'


def run(part, only, seconds, seed=SEED, total=None, given=None):
    plan, results = chosen(seed, total), results_of(seed)
    print(f'{len(plan)} changes in {len(PLAN)} modules', flush=True)
    if only:
        plan = [
            {**m, 'tests': tests}
            for module, (_, tests) in PLAN.items()
            for m in mutants(module)
            if m['id'] in only
        ]
    else:
        plan.sort(key=lambda m: m['module'].startswith('models/'))  # whose tests take long
        number, of = map(int, part.split('/'))
        plan = [m for i, m in enumerate(plan) if i % of == number - 1]
    results.mkdir(parents=True, exist_ok=True)
    begun, baseline = time.time(), {}
    start()
    with tempfile.TemporaryDirectory(prefix='mutate-') as name:
        folder = Path(name)
        copy_of_the_tree(folder)
        for mutant in plan:
            if time.time() - begun > seconds:
                print('time is up: run the same again to go on')
                break
            record = results / f'{mutant["id"]}.json'
            if record.exists() and not only:
                continue
            tests = tests_of(mutant['module'], mutant['line'], mutant['text'], mutant['tests'])
            if only:  # what was added since comes first
                tests = [*ADDED, *(given or ())]
            elif total:  # the module's own tests; a survivor is tried again with `--tests`
                tests = [t for t in tests if t not in DATA]
            tests = [t for t in tests if (folder / t.split('::')[0]).exists()]
            key = tuple(tests)
            target = folder / 'd2lrec' / mutant['module']
            kept = target.read_text(encoding='utf-8')
            compiled = Path(importlib.util.cache_from_source(str(target)))
            compiled.unlink(missing_ok=True)
            target.write_text(changed(mutant), encoding='utf-8')
            try:
                code, spent, said = tried(folder, tests, baseline.get(key, 60) * 3 + 60)
            finally:
                target.write_text(kept, encoding='utf-8')
                compiled.unlink(missing_ok=True)
            # 1: a test failed; 2 and 4: it cannot be imported; below 0: the process died.
            noticed = code is None or code in (1, 2, 4) or code < 0
            if not noticed and code != 0:
                raise SystemExit(f'{mutant["id"]}: pytest ended with {code}: {said}')
            if (
                key not in baseline and tests == mutant['tests'] and not total
            ):  # else known from `cover`
                good = tried(folder, tests, 600) if noticed else (0, spent, '')
                if good[0] != 0:
                    raise SystemExit(f'{tests} fail without any change: {good[2]}')
                baseline[key] = good[1]
            facts = {k: v for k, v in mutant.items() if k not in ('place', 'tests')}
            facts.update(noticed=noticed, by=said if noticed else '', seconds=round(spent, 1))
            if only:
                record = results / f'again-{mutant["id"]}.json'
            record.write_text(json.dumps(facts, indent=1), encoding='utf-8')
            mark = 'noticed ' if noticed else 'SURVIVES'
            print(
                f'{mark} {spent:5.1f} s {mutant["id"]} {mutant["module"]}:{mutant["line"]} '
                f'{mutant["kind"]}: {mutant["before"][:60]!r} -> {mutant["after"][:60]!r}'
                f'{"  by " + said[:90] if noticed else ""}',
                flush=True,
            )


# ------------------------------------------------------------------------------ which tests run it


class Watch:
    """A pytest plugin: which lines of the library each test runs, and how long it takes."""

    def __init__(self, coverage):
        self.coverage, self.seconds = coverage, {}

    def pytest_runtest_logstart(self, nodeid, location):
        self.coverage.switch_context(nodeid.split('::')[0])  # fixtures may serve a whole file

    def pytest_runtest_call(self, item):
        self.coverage.switch_context(item.nodeid.split('[')[0])

    def pytest_runtest_teardown(self, item):
        self.coverage.switch_context(item.nodeid.split('::')[0])

    def pytest_runtest_logreport(self, report):
        name = report.nodeid.split('[')[0]
        self.seconds[name] = self.seconds.get(name, 0) + report.duration


def cover(part):
    """Run a part of the tests and write down which lines each of them runs."""
    number, of = map(int, part.split('/'))
    RESULTS.mkdir(parents=True, exist_ok=True)
    files = sorted(
        {
            str(f.relative_to(ROOT))
            for _, tests in PLAN.values()
            for t in tests
            for f in ([ROOT / t] if t.endswith('.py') else (ROOT / t).glob('test_*.py'))
            if f.exists()
        }
    )
    files = [f for f in files if not f.endswith(('test_properties.py', 'test_refusals.py'))]
    import coverage

    held = coverage.Coverage(data_file=None, source=[str(ROOT / 'd2lrec')], messages=False)
    held.start()
    os.chdir(ROOT)
    sys.path[:0] = [str(ROOT)]
    import pytest

    watch = Watch(held)
    code = pytest.main(
        [*files[number - 1 :: of], '-q', '-p', 'no:cacheprovider', '-m', 'not slow and not site'],
        [watch],
    )
    held.stop()
    data, lines = held.get_data(), {}
    for path in data.measured_files():
        module = str(Path(path).relative_to(ROOT / 'd2lrec'))
        text = Path(path).read_text(encoding='utf-8').splitlines()
        lines[module] = [
            (line, text[line - 1].strip(), [c for c in found if c])
            for line, found in data.contexts_by_lineno(path).items()
            if any(found)
        ]
    facts = {'code': int(code), 'lines': lines, 'seconds': watch.seconds}
    (RESULTS / f'cover-{number}.json').write_text(json.dumps(facts))


def tests_of(module, line, text, fallback):
    """The tests that run a line, the quickest first; those of the module where none is known.

    A line that has moved since is known by its text.
    """
    found, seconds = set(), {}
    for record in RESULTS.glob('cover-*.json'):
        facts = json.loads(record.read_text())
        seconds.update(facts['seconds'])
        alike = [
            (abs(at - line), tests)
            for at, words, tests in facts['lines'].get(module, ())
            if words == text
        ]
        found.update(min(alike)[1] if alike else ())
    whole = {f for f in found if '::' not in f}
    one = sorted(f for f in found if f.split('::')[0] not in whole)
    one.sort(key=lambda name: seconds.get(name, 1))
    return [*one, *sorted(whole)] or fallback


def check():
    """Run the tests that noticed a change without any: they have to pass."""
    names = set()
    for path in RESULTS.rglob('*.json'):
        facts = json.loads(path.read_text(encoding='utf-8')) if 'cover-' not in path.name else {}
        names.update(re.findall(r'^(?:FAILED|ERROR) ([^ \[]+)', facts.get('by', '')))
    start()
    with tempfile.TemporaryDirectory(prefix='mutate-') as name:
        copy_of_the_tree(Path(name))
        code, spent, said = tried(Path(name), sorted(names), 600)
    print(f'{len(names)} tests without a change: exit code {code}, {spent:.0f} s, {said}')


# --------------------------------------------------------------------------------------- table


def table(seed=SEED):
    """Write the table of what was tried and noticed in a draw, and of each survivor.

    What the file holds of other draws stays.
    """
    records = [
        json.loads(p.read_text(encoding='utf-8'))
        for p in sorted(results_of(seed).glob('*.json'))
        if not p.name.startswith(('cover-', 'again-'))
    ]
    equivalent = json.loads(WORDS.read_text(encoding='utf-8'))
    rows, told = [], []
    for module in PLAN:
        mine = [r for r in records if r['module'] == module]
        left = [r for r in mine if not r['noticed']]
        same = [r for r in left if r['id'] in equivalent]
        for r in left:
            again = RESULTS / f'again-{r["id"]}.json'
            now = json.loads(again.read_text(encoding='utf-8')) if again.exists() else r
            if r['id'] in equivalent:
                what = f'changes nothing: {equivalent[r["id"]]}'
            elif now['noticed']:
                what = 'now by ' + re.sub(r'^(FAILED|ERROR) |(\[| - ).*', '', now['by'])
            else:
                what = '**not noticed** when last tried'
            change = f'`{_short(r["before"])}` → `{_short(r["after"])}`'
            told.append(f'| {module}:{r["line"]} | {change} | {what} |')
        if mine:
            rows.append(
                (module, len(mine), len(mine) - len(left), len(left) - len(same), len(same))
            )
    total = [sum(column) for column in zip(*(r[1:] for r in rows))]
    level = '' if seed == SEED else '#'
    title = '# Small wrong changes of the library, and whether the tests notice them'
    lines = [
        title if seed == SEED else f'{ANOTHER}{seed}',
        '',
        f'`tools/mutate.py`, seed {seed}: {total[0]} changes drawn from {len(rows)} modules',
        '(another comparison, operator, sign, constant, bound or axis; a term, condition, call or',
        'refusal left out; two arguments swapped). Each is tried alone, with the tests that run',
        f'its line. **{total[1]} were noticed** at first; of the other {total[2] + total[3]},',
        f'{total[3]} change nothing that can be seen. The rest stands below with what notices it.',
        '',
        '| module | tried | noticed | not at first | equivalent |',
        '|---|---:|---:|---:|---:|',
        *(f'| {m} | {a} | {b} | {c} | {d} |' for m, a, b, c, d in rows),
        f'| **all** | **{total[0]}** | **{total[1]}** | **{total[2]}** | **{total[3]}** |',
        '',
        f'{level}## Those that no test noticed at first',
        '',
        '| place | change | noticed now, or why not |',
        '|---|---|---|',
        *told,
    ]
    first, *others = TABLE.read_text(encoding='utf-8').split(f'\n{ANOTHER}')
    made = '\n'.join(lines) + '\n'
    if seed == SEED:
        first = made
    else:
        others = [o for o in others if not o.startswith(f'{seed}\n')]
        others = sorted([*others, made[len(ANOTHER) :]])
    TABLE.write_text(f'\n{ANOTHER}'.join([first, *others]), encoding='utf-8')


def _short(text):
    text = ' '.join(text.split()).replace('|', '\\|')
    return text if len(text) <= 70 else text[:67] + '...'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest='command', required=True)
    command = commands.add_parser('run')
    command.add_argument('--part', default='1/1')
    command.add_argument('--only', nargs='*')
    command.add_argument('--seconds', type=float, default=1e9)
    command.add_argument('--seed', type=int, default=SEED)
    command.add_argument('--count', type=int, help='so many in all, in the proportions of the plan')
    command.add_argument('--tests', nargs='*', help='with --only: other tests than the added ones')
    command = commands.add_parser('list')
    command.add_argument('--seed', type=int, default=SEED)
    command.add_argument('--count', type=int)
    commands.add_parser('check')
    command = commands.add_parser('cover')
    command.add_argument('--part', default='1/1')
    command = commands.add_parser('table')
    command.add_argument('--seed', type=int, default=SEED)
    given = parser.parse_args()
    if given.command == 'run':
        run(given.part, given.only, given.seconds, given.seed, given.count, given.tests)
    elif given.command == 'check':
        check()
    elif given.command == 'list':
        for m in chosen(given.seed, given.count):
            print(
                m['id'],
                f'{m["module"]}:{m["line"]}',
                m['kind'],
                repr(m['before'][:70]),
                '->',
                repr(m['after'][:70]),
            )
    elif given.command == 'cover':
        cover(given.part)
    else:
        table(given.seed)


if __name__ == '__main__':
    main()
