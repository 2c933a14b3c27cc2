from __future__ import annotations

import multiprocessing
import os
import sys
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from territory.errors import InputError, TravelError
from territory.travel.engines.asked import blocks, check_choice, check_most_moved, runs
from territory.travel.engines.kept import LIST, default_folder, extract_path, kept_graph, key_of, run_tool


class Builder:
    """Writes two files, and counts how often."""

    def __init__(self, text="graph"):
        self.text = text
        self.count = 0

    def __call__(self, to):
        self.count += 1
        (to / "inner").mkdir()
        (to / "a.bin").write_text(self.text)
        (to / "inner" / "b.bin").write_text(self.text * 2)


def test_a_graph_is_built_once(tmp_path):
    build = Builder()
    first = kept_graph(tmp_path / "new", "x", "key 1", build)
    assert kept_graph(tmp_path / "new", "x", "key 1", build) == first
    assert build.count == 1
    assert (first / "inner" / "b.bin").read_text() == "graphgraph"
    assert key_of(first) == "key 1"
    assert [path.name for path in (tmp_path / "new").iterdir()] == [first.name]


def test_another_key_is_another_graph(tmp_path):
    build = Builder()
    assert kept_graph(tmp_path, "x", "key 1", build) != kept_graph(tmp_path, "x", "key 2", build)
    assert build.count == 2


def torn(graph):
    (graph / "a.bin").write_text("gra")


def flipped(graph):
    (graph / "inner" / "b.bin").write_text("graphgrapg")


def gone(graph):
    (graph / "a.bin").unlink()


def unlisted(graph):
    (graph / LIST).unlink()


def garbled(graph):
    (graph / LIST).write_text('{"key": "key 1", "files": ')


def emptied(graph):
    (graph / LIST).write_text('{"key": "key 1", "files": {}}')


def odd(graph):
    (graph / LIST).write_text('{"key": "key 1", "files": {"a.bin": 5}}')


@pytest.mark.parametrize("damage", [torn, flipped, gone, unlisted, garbled, emptied, odd])
def test_a_damaged_graph_is_noticed_and_built_anew(tmp_path, damage):
    build = Builder()
    first = kept_graph(tmp_path, "x", "key 1", build)
    damage(first)
    again = kept_graph(tmp_path, "x", "key 1", build)
    assert build.count == 2
    assert (again / "a.bin").read_text() == "graph"
    assert [path.name for path in tmp_path.iterdir()] == [again.name]
    kept_graph(tmp_path, "x", "key 1", build)
    assert build.count == 2


def test_a_build_that_fails_leaves_nothing(tmp_path):
    def fail(to):
        (to / "a.bin").write_text("half")
        raise TravelError("the tool stopped")

    with pytest.raises(TravelError, match="the tool stopped"):
        kept_graph(tmp_path, "x", "key 1", fail)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_build_left_is_never_taken_and_goes_in_time(tmp_path):
    left = tmp_path / ".building-killed"
    left.mkdir()
    Builder()(left)
    kept_graph(tmp_path, "x", "key 1", Builder())
    assert left.is_dir(), "it may still run"
    old = time.time() - 30 * 86_400
    os.utime(left, (old, old))
    kept_graph(tmp_path, "x", "key 2", Builder())
    assert not left.exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(TravelError, match="no graph can be kept"):
        kept_graph(tmp_path / "file" / "below", "x", "key 1", Builder())


def test_a_full_disk_is_told(tmp_path):
    def full(to):
        raise OSError(28, "No space left on device")

    with pytest.raises(TravelError, match="No space left"):
        kept_graph(tmp_path, "x", "key 1", full)
    assert list(tmp_path.iterdir()) == []


def _build_at_once(folder, gate, told):
    def build(to):
        gate.wait(20)  # both have looked, and found nothing
        Builder()(to)

    told.put(str(kept_graph(folder, "x", "key 1", build)))


def test_two_processes_that_build_at_once_get_a_sound_graph(tmp_path):
    context = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
    gate, told = context.Barrier(2), context.Queue()
    both = [context.Process(target=_build_at_once, args=(tmp_path, gate, told)) for _ in range(2)]
    for each in both:
        each.start()
    graphs = {told.get(timeout=30) for _ in both}
    for each in both:
        each.join(30)
        assert each.exitcode == 0
    again = Builder()
    assert str(kept_graph(tmp_path, "x", "key 1", again)) in graphs
    assert again.count == 0
    assert all((tmp_path / path / "a.bin").read_text() == "graph" for path in graphs)
    assert not list(tmp_path.glob(".building-*"))


def test_graphs_are_kept_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path))
    assert default_folder().parts[-2:] == ("territory", "graphs")
    if sys.platform != "darwin":
        assert kept_graph(None, "x", "key 1", Builder()).is_relative_to(tmp_path)


def test_extracts_that_are_not_there_are_told(tmp_path):
    with pytest.raises(InputError) as error:
        extract_path(tmp_path / "nowhere.osm.pbf")
    assert error.value.codes == ("extract-missing",)
    (tmp_path / "empty.osm.pbf").touch()
    with pytest.raises(InputError) as error:
        extract_path(tmp_path / "empty.osm.pbf")
    assert error.value.codes == ("extract-empty",)


def test_a_tool_that_fails_is_quoted():
    run_tool([sys.executable, "-c", "pass"])
    with pytest.raises(TravelError, match=r"was not done after 0 s"):
        run_tool([sys.executable, "-c", "import time; time.sleep(60)"], time_limit_s=0.2)
    with pytest.raises(TravelError, match=r"failed \(3\).*out of roads"):
        run_tool([sys.executable, "-c", "import sys; print('out of roads', file=sys.stderr); sys.exit(3)"])
    with pytest.raises(TravelError, match="cannot be run"):
        run_tool(["/nowhere/osrm-extract"])
    with pytest.raises(TravelError, match=r"ended by signal 11: it said nothing; maybe the extract"):
        run_tool([sys.executable, "-c", "import os; os.kill(os.getpid(), 11)"])


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 400))
def test_blocks_cover_a_table_once(m, n, most):
    seen = np.zeros((m, n), dtype=int)
    for rows, columns in blocks(m, n, most):
        seen[rows, columns] += 1
        assert 0 < (rows.stop - rows.start) * (columns.stop - columns.start) <= most
    assert (seen == 1).all()


@given(st.lists(st.booleans(), max_size=30))
def test_runs_are_the_longest_ones(kept):
    found = runs(np.array(kept, dtype=bool))
    again = np.zeros(len(kept), dtype=bool)
    for first, last in found:
        assert first < last
        again[first:last] = True
    assert again.tolist() == kept
    assert all(left[1] < right[0] for left, right in pairwise(found))


def test_parameters_are_looked_at():
    check_choice("mode", "car", ("car", "foot"))
    with pytest.raises(InputError) as error:
        check_choice("mode", "boat", ("car", "foot"))
    assert error.value.codes == ("mode-unknown",)
    assert check_most_moved(np.inf) == np.inf
    for bad in (-1.0, np.nan):
        with pytest.raises(InputError) as error:
            check_most_moved(bad)
        assert error.value.codes == ("most-moved-out-of-range",)
