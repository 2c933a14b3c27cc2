"""Faults of the file of a cache: killed writers, crowds, wrong bytes, no room, no rights."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from territory.errors import InputError
from territory.travel.cache import CachedTravel

#: What writers in processes of their own run; the tests run it as well.
SOURCE = '''
import os, sys
import numpy as np
from territory.model.places import PlaceKind, Places
from territory.travel import RawTravel, TravelBase
from territory.travel.cache import CachedTravel

class Plain(TravelBase):
    """Legs that anybody can work out: of whole tenths, without a way, and of any number."""
    fingerprint = "plain"
    requests = 0
    def raw_matrix(self, origins, destinations):
        self.requests += 1
        a = np.rint(1e6 * (origins.lon + 1000 * origins.lat))[:, None]
        b = np.rint(1e6 * (destinations.lon + 1000 * destinations.lat))
        seconds = np.rint((3 * a + 5 * b) % 90_001) / 10
        metres = (7 * a + 11 * b) % 1_000_003 / 7
        return RawTravel(np.where((a + b) % 17 == 0, np.inf, seconds), metres)

def town(seed, n=60):
    rng = np.random.default_rng(seed)
    lon, lat = (np.rint(1e6 * rng.uniform(low, low + 1, n)) / 1e6 for low in (9, 47))
    return Places.of(PlaceKind.CUSTOMER, [str(i) for i in range(n)], lon, lat)
'''
_names: dict = {}
exec(textwrap.dedent(SOURCE), _names)  # noqa: S102 - the same for all processes
Plain, town = _names["Plain"], _names["town"]


def right(travel, seeds):
    for seed in seeds:
        found, truth = (each.raw_matrix(town(seed), town(seed)) for each in (travel, Plain()))
        assert found.seconds.tobytes() == truth.seconds.tobytes()
        assert found.metres.tobytes() == truth.metres.tobytes()


def python(code, *arguments, **options):
    return subprocess.Popen(
        [sys.executable, "-c", SOURCE + textwrap.dedent(code), *map(str, arguments)],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "OPENBLAS_NUM_THREADS": "1"}, **options,
    )  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "legs.sqlite"


def sound(path):
    connection = sqlite3.connect(path)
    try:
        return connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()


def codes(travel):
    return [each.code for each in travel.diagnostics]


def test_a_killed_writer_leaves_a_sound_cache(path):
    if not hasattr(os, "fork"):
        pytest.skip("no fork here")
    # each round a writer is killed at some moment after it has begun; what is there by then is right
    worker = python(
        """
        import random, signal, time, warnings
        warnings.simplefilter("ignore")
        random.seed(4)
        for round in range(10):
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                os.write(write, b".")
                with CachedTravel(Plain(), sys.argv[1]) as travel:
                    for seed in range(100):
                        travel.matrix(town(seed), town(seed))
                os._exit(0)
            os.read(read, 1)
            time.sleep(random.uniform(0.0, 0.15))
            os.kill(child, signal.SIGKILL)
            _, status = os.waitpid(child, 0)
            source = Plain()
            with CachedTravel(source, sys.argv[1]) as travel:
                done = 0
                for seed in range(100):
                    before = travel.counts.hits
                    found, truth = (each.raw_matrix(town(seed), town(seed)) for each in (travel, Plain()))
                    assert found.seconds.tobytes() == truth.seconds.tobytes()
                    assert found.metres.tobytes() == truth.metres.tobytes()
                    done += travel.counts.hits > before
                    if travel.counts.hits == before:
                        break
                assert not travel.diagnostics, travel.diagnostics
            print(os.WIFSIGNALED(status), done, flush=True)
        """,
        path,
    )
    out, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    rounds = [line.split() for line in out.splitlines()]
    assert len(rounds) == 10
    assert sum(killed == "True" for killed, _ in rounds) >= 5
    assert int(rounds[-1][1]) >= 3
    assert sound(path)


def test_four_writers_at_once(path):
    # all four begin the file, and half of what each asks the others ask as well
    code = """
        travel = CachedTravel(Plain(), sys.argv[1])
        print("ready", flush=True)
        sys.stdin.readline()
        me = int(sys.argv[2])
        for seed in [*range(10), *range(10 + 10 * me, 20 + 10 * me)]:
            found, truth = (each.raw_matrix(town(seed), town(seed)) for each in (travel, Plain()))
            assert found.seconds.tobytes() == truth.seconds.tobytes()
            assert found.metres.tobytes() == truth.metres.tobytes()
        print(len(travel.diagnostics), flush=True)
    """
    crowd = [python(code, path, me, stdin=subprocess.PIPE) for me in range(4)]
    for each in crowd:
        assert each.stdout.readline() == "ready\n"
    for each in crowd:
        each.stdin.write("go\n")
        each.stdin.flush()
    for each in crowd:
        assert each.communicate(timeout=60)[0] == "0\n"
        assert each.returncode == 0
    with CachedTravel(Plain(), path) as travel:
        right(travel, range(50))
        assert travel.counts.requests == 0
    assert sound(path)


def test_a_wrong_row_is_dropped_and_fetched_again(path):
    with CachedTravel(Plain(), path) as travel:
        right(travel, range(2))
        travel.snap(town(0))
    connection = sqlite3.connect(path, isolation_level=None)
    (key, page) = connection.execute("SELECT key, data FROM pages LIMIT 1 OFFSET 7").fetchone()
    connection.execute("UPDATE pages SET data = ? WHERE key = ?", (page[:-1] + bytes([page[-1] ^ 4]), key))
    (other,) = connection.execute("SELECT data FROM pages LIMIT 1 OFFSET 8").fetchone()
    (third,) = connection.execute("SELECT key FROM pages LIMIT 1 OFFSET 9").fetchone()
    connection.execute("UPDATE pages SET data = ? WHERE key = ?", (other, third))  # sound, in the wrong place
    connection.execute("UPDATE pages SET data = 'text' WHERE key = (SELECT max(key) FROM pages)")
    # two places swap their numbers: index and table agree, and both are wrong
    connection.execute("UPDATE spots SET lon = -1 WHERE id = 3")
    (lon,) = connection.execute("SELECT lon FROM spots WHERE id = 4").fetchone()
    connection.execute("UPDATE spots SET lon = ?, lat = (SELECT lat FROM spots WHERE id = 5) WHERE id = 3", (lon,))
    connection.execute("UPDATE spots SET snap = x'00' WHERE id = 6")
    connection.close()
    for first in (True, False):
        with CachedTravel(Plain(), path) as travel:
            right(travel, range(2))
            moved = travel.snap(town(0)).moved_m
            assert moved.tolist() == [0.0] * len(moved)
            assert bool(travel.counts.requests) == first
            assert codes(travel) == (["cache-row-corrupt"] if first else [])


def test_a_place_under_the_key_of_another_is_dropped(path):
    places = town(1)
    with CachedTravel(Plain(), path) as travel:
        right(travel, [1])
    connection = sqlite3.connect(path, isolation_level=None)
    (a, b) = connection.execute("SELECT lon, lat FROM spots WHERE id IN (1, 2) ORDER BY id").fetchall()
    connection.execute("UPDATE spots SET lon = -1 WHERE id = 1")
    connection.execute("UPDATE spots SET lon = ?, lat = ? WHERE id = 2", a)
    connection.execute("UPDATE spots SET lon = ?, lat = ? WHERE id = 1", b)
    connection.close()
    with CachedTravel(Plain(), path) as travel:
        right(travel, [1])
        assert travel.diagnostics[0].count >= 2
        assert len(places) == 60


def test_wrong_bytes_anywhere_never_give_wrong_answers(path, tmp_path):
    with CachedTravel(Plain(), path) as travel:
        right(travel, range(4))
    whole = path.read_bytes()
    rng = np.random.default_rng(11)
    noticed = set()
    for turn in range(24):
        torn = bytearray(whole)
        # a few bits; a run of zeros, as a lost sector leaves; the first page, where the layout is; a lost end
        if turn % 4 == 0:
            for at in rng.integers(0, len(torn), 20).tolist():
                torn[at] ^= 1 << int(rng.integers(0, 8))
        elif turn % 4 == 1:
            at = int(rng.integers(0, len(torn) - 4096))
            torn[at : at + 4096] = bytes(4096)
        elif turn % 4 == 2:
            for at in rng.integers(0, 600, 3).tolist():
                torn[at] ^= 1 << int(rng.integers(0, 8))
        else:
            del torn[int(rng.integers(1, len(torn))) :]
        here = tmp_path / f"torn{turn}" / "legs.sqlite"
        here.parent.mkdir()
        here.write_bytes(torn)
        try:
            with CachedTravel(Plain(), here) as travel:
                right(travel, range(4))
                right(travel, range(6))
                noticed |= set(codes(travel))
        except InputError as error:
            assert error.codes == ("not-a-cache",)  # noqa: PT017 - the very bytes that name the application
            assert turn % 4 == 2
    assert {"cache-set-aside", "cache-row-corrupt"} <= noticed
    assert noticed <= {"cache-set-aside", "cache-row-corrupt", "cache-not-writable"}


@pytest.mark.parametrize("content", [b"id,lon,lat\n1,9.5,47.1\n" * 500, "name\nCafé\n".encode()])
def test_a_table_is_not_taken_for_a_torn_cache(path, content):
    path.write_bytes(content)
    with pytest.raises(InputError, match="is a text file, not a cache"), CachedTravel(Plain(), path) as travel:
        right(travel, range(2))
    assert path.read_bytes() == content
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("content", [b"SQLite format 3\x00" + b"\xff" * 40_000, b"xy", b"\x00" * 9_000])
def test_a_file_that_is_no_database_is_set_aside(path, content):
    path.write_bytes(content)
    (path.parent / "legs.sqlite.corrupt-1").write_bytes(b"of an earlier day")
    for requests in (2, 0):
        with CachedTravel(Plain(), path) as travel:
            right(travel, range(2))
            assert travel.counts.requests == requests
            assert codes(travel) == (["cache-set-aside"] if requests else [])
    assert (path.parent / "legs.sqlite.corrupt-2").read_bytes() == content
    assert (path.parent / "legs.sqlite.corrupt-1").read_bytes() == b"of an earlier day"


def test_a_database_of_another_application_is_not_touched(path):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE customers (id)")
    connection.close()
    before = path.read_bytes()
    with CachedTravel(Plain(), path) as travel, pytest.raises(InputError) as error:
        right(travel, [0])
    assert error.value.codes == ("not-a-cache",)
    assert path.read_bytes() == before


def test_a_cache_of_another_version_is_set_aside(path):
    with CachedTravel(Plain(), path) as travel:
        right(travel, [0])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with CachedTravel(Plain(), path) as travel:
        right(travel, [0])
        assert codes(travel) == ["cache-set-aside"]


def test_a_file_that_is_taken_away_is_begun_anew(path):
    with CachedTravel(Plain(), path) as travel, CachedTravel(Plain(), path) as other:
        right(travel, range(3))
        right(other, range(3))
        for suffix in ("", "-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        right(travel, range(3))
        right(other, range(4))
        assert (travel.counts.requests, other.counts.requests) == (6, 1)
        assert travel.diagnostics == other.diagnostics == ()
    assert sound(path)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for path in (tmp_path / "file" / "legs.sqlite", tmp_path):
        with CachedTravel(Plain(), path) as travel:
            right(travel, range(2))
            right(travel, range(2))
            assert travel.counts.requests == 4
            assert set(codes(travel)) == {"cache-not-writable"}


def test_a_full_disk(path):
    if sys.platform == "win32":
        pytest.skip("no limits of files here")
    worker = python(
        """
        import resource, signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        with CachedTravel(Plain(), sys.argv[1]) as travel:
            travel.matrix(town(0), town(0))
            resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
            for seed in [*range(1, 9), 0]:
                before = travel.counts.requests
                found, truth = (each.raw_matrix(town(seed), town(seed)) for each in (travel, Plain()))
                assert found.seconds.tobytes() == truth.seconds.tobytes()
            assert travel.counts.requests == before
            print([each.code for each in travel.diagnostics])
        """,
        path,
    )
    out, _ = worker.communicate(timeout=60)
    assert worker.returncode == 0
    assert "cache-not-writable" in out
    with CachedTravel(Plain(), path) as travel:
        right(travel, [0])
        assert travel.counts.requests == 0
        right(travel, range(9))
    assert sound(path)


@pytest.mark.parametrize("only", ["file", "folder"])
def test_a_cache_that_may_only_be_read(only):
    if not hasattr(os, "getuid"):
        pytest.skip("no such rights here")
    # not pytest's folder, which others than its owner cannot even see
    with TemporaryDirectory() as folder:
        may_only_be_read(Path(folder) / "legs.sqlite", only)


def may_only_be_read(path, only):
    with CachedTravel(Plain(), path) as travel:
        right(travel, [0])
    path.chmod(0o444)
    path.parent.chmod(0o555 if only == "folder" else 0o777)
    worker = python(
        """
        Plain().raw_matrix(town(0), town(0))  # loads what it needs
        if os.getuid() == 0:
            os.setuid(65_534)
        travel = CachedTravel(Plain(), sys.argv[1])
        for seed in (0, 1, 1, 0):
            found, truth = (each.raw_matrix(town(seed), town(seed)) for each in (travel, Plain()))
            assert found.seconds.tobytes() == truth.seconds.tobytes()
        print(travel.counts.requests, *(each.code for each in travel.diagnostics))
        """,
        path,
    )
    out, _ = worker.communicate(timeout=60)
    path.parent.chmod(0o755)
    assert worker.returncode == 0
    assert out.split() == ["2", "cache-not-writable"]


def test_a_lock_that_is_never_let_go_is_not_waited_for_in_vain(path, monkeypatch):
    monkeypatch.setattr("territory.travel.cache_file._PATIENCE_S", 0.2)
    with CachedTravel(Plain(), path) as travel:
        right(travel, [0])
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        right(travel, [0, 1])
        assert codes(travel) == ["cache-busy"]
        other.execute("ROLLBACK")
        other.close()
        right(travel, [1])
        before = travel.counts.requests
        right(travel, [0, 1])
        assert travel.counts.requests == before
