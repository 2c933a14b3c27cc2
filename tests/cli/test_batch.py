"""``territory batch`` as a scheduler meets it: in a process of its own, by its exit codes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "batch"))
from nights import stops, threads, write_config, write_tables

from territory import cli
from territory.batch.lock import FolderLock
from territory.batch.operations import ExitCode, run_night

MONDAY = "2026-01-05"


def command(*args):
    return [sys.executable, "-m", "territory.cli", "batch", *map(str, args)]


def run(*args):
    return subprocess.run(command(*args), capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture
def folder(tmp_path):
    write_tables(tmp_path, n_reps=1)
    return tmp_path


def test_done_exits_with_0_and_a_table(folder):
    done = run("--config", write_config(folder, "[run]\njobs = 1"), "--since", MONDAY)
    assert done.returncode == 0, done.stderr
    assert re.search(r"tasks +1 done", done.stdout)
    assert len(stops(folder / "nights" / MONDAY)) > 0
    again = run("--config", folder / "nightly.toml", "--since", MONDAY, "--json")
    assert again.returncode == 0
    events = [json.loads(line) for line in again.stdout.splitlines()]
    assert events[-1]["event"] == "end"
    assert (events[-1]["ran"], events[-1]["skipped"]) == (0, 1)


def test_bad_input_exits_with_3_and_all_that_is_wrong(folder):
    done = run("--config", write_config(folder, "weaks = 3\n[runs]\njobs = 1"), "--since", MONDAY)
    assert done.returncode == 3
    assert "Maybe plan.weeks?" in done.stderr
    assert "Maybe [run]?" in done.stderr
    assert not (folder / "nights").exists()


def test_partly_failed_exits_with_5_and_says_who(folder):
    # no plan is made in a microsecond
    done = run("--config", write_config(folder, "[run]\njobs = 1\ntask_time_limit_s = 1e-6"), "--since", MONDAY)
    assert done.returncode == 5, done.stderr
    assert "timed-out: rep R0" in done.stdout
    mended = run_night(write_config(folder), since=MONDAY, executor=threads)[0]
    assert mended is ExitCode.DONE


def test_an_unwritable_folder_exits_with_7(folder):
    (folder / "nights").write_text("a file")
    done = run("--config", write_config(folder), "--since", MONDAY)
    assert done.returncode == 7
    assert "nights" in done.stderr


def test_an_exhausted_budget_exits_with_8_and_the_rest_is_done_later(folder):
    config = write_config(folder, "[run]\ntime_budget_s = 1e-6\n[output]\nmetrics = 'm.prom'")
    done = run("--config", config, "--since", MONDAY)
    assert done.returncode == 8
    assert re.search(r"tasks +1 left", done.stdout)
    assert 'outcome="budget"} 1' in (folder / "m.prom").read_text()
    assert run_night(write_config(folder), since=MONDAY, executor=threads)[0] is ExitCode.DONE


def test_a_locked_folder_exits_with_9_and_leaves_everything(folder):
    config = write_config(folder, "[output]\nlog = 'log.jsonl'\nmetrics = 'm.prom'")
    state = folder / "nights" / MONDAY / ".batch"
    state.mkdir(parents=True)
    with FolderLock(state / "lock"):
        done = run("--config", config, "--since", MONDAY)
    assert done.returncode == 9
    assert "another run holds this folder" in done.stderr
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["outcome"] == "locked"
    assert not (folder / "m.prom").exists()
    assert [f.name for f in state.iterdir()] == ["lock"]


def test_the_lock_of_a_run_that_was_killed_is_told_and_taken_over(folder, capsys):
    config = write_config(folder, "[run]\ntime_budget_s = 1e-6\n[output]\nlog = 'log.jsonl'")
    state = folder / "nights" / MONDAY / ".batch"
    state.mkdir(parents=True)
    for more in ([], ["--json"]):
        (state / "lock").write_text(json.dumps({"pid": 2**22 + 1, "host": socket.gethostname(), "started": "1"}))
        assert cli.main(["batch", "--config", str(config), "--since", MONDAY, "--quiet", *more]) == 8
        assert "the lock of a run that was killed was taken over" in capsys.readouterr().out
    assert '"event": "note"' in (folder / "log.jsonl").read_text()


def test_a_changed_input_exits_with_3_and_is_named(folder, capsys):
    run_night(write_config(folder), since=MONDAY, executor=threads)
    assert cli.main(["batch", "--config", str(write_config(folder, "seed = 5")), "--since", MONDAY, "--quiet"]) == 3
    said = capsys.readouterr().err
    assert "options, seed" in said
    assert "--force" in said


def test_stop_at_the_first_failure_exits_with_5(folder, capsys):
    config = write_config(folder, "[run]\njobs = 1\ntask_time_limit_s = 1e-6\non_error = 'stop'")
    assert cli.main(["batch", "--config", str(config), "--since", MONDAY, "--quiet"]) == 5
    said = capsys.readouterr()
    assert "timed-out" in said.out
    assert "task 'rep R0'" in said.err


def test_the_example_and_a_dry_run_are_printed(folder, capsys):
    assert cli.main(["batch", "--example-config"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["out"] == "nights"
    assert cli.main(["batch", "--config", str(write_config(folder)), "--since", MONDAY, "--dry-run"]) == 0
    assert "1, of which 0 are done" in capsys.readouterr().out
    assert not (folder / "nights").exists()


@pytest.mark.parametrize(
    "more", [[], ["--config", "x", "--example-config"], ["--config", "x", "--date", "1", "--since", "2"]]
)
def test_options_that_do_not_go_together_exit_with_2(more):
    with pytest.raises(SystemExit) as caught:
        cli.main(["batch", *more])
    assert caught.value.code == 2


def test_every_exit_code_is_told_in_the_help_and_the_documents(capsys):
    with pytest.raises(SystemExit):
        cli.main(["batch", "--help"])
    shown = capsys.readouterr().out
    text = (Path(__file__).parents[2] / "docs" / "batch.md").read_text(encoding="utf-8")
    for code in ExitCode:
        if code is not ExitCode.FAULT:
            assert re.search(rf"^  {int(code)} +\w", shown, re.MULTILINE), code
        assert f"\n| {int(code)} |" in text, code
        assert f"\n{int(code)}\n    " in str(cli.__doc__), code
