"""A nightly batch that is asked to end, and goes on later."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "batch"))
from nights import digest, threads, write_config, write_tables

from territory.batch.operations import ExitCode, run_night

MONDAY = "2026-01-05"


def waited(started, log, event):
    """Wait until a run has logged so many of an event."""
    deadline = time.monotonic() + 120
    while not (log.exists() and f'"event": "{event}"' in log.read_text()):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_terminated_run_keeps_what_was_done_and_the_rest_is_done_later_with_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        write_tables(tmp_path / name, n_reps=10, each=12)
    config = write_config(tmp_path / "a", "[run]\njobs = 1\n[output]\nlog = 'log.jsonl'", iterations=25_000)
    log = tmp_path / "a" / "log.jsonl"
    kept = 0
    for how in (signal.SIGTERM, signal.SIGINT):
        log.unlink(missing_ok=True)
        started = subprocess.Popen(
            [sys.executable, "-m", "territory.cli", "batch", "--config", str(config), "--since", MONDAY, "--quiet"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        waited(started, log, "chunk")
        started.send_signal(how)
        # impatience changes nothing
        started.send_signal(signal.SIGTERM)
        started.communicate(timeout=60)
        assert started.returncode == 130
        end = json.loads(log.read_text().splitlines()[-1])
        assert (end["event"], end["outcome"]) == ("end", "interrupted")
        kept += end["ran"]
        assert 0 < kept < 10
    code, result = run_night(config, since=MONDAY, executor=threads)
    assert code is ExitCode.DONE
    assert result is not None
    assert (result.skipped, result.ran) == (kept, 10 - kept)
    run_night(write_config(tmp_path / "b", iterations=25_000), since=MONDAY, executor=threads)
    assert digest(tmp_path / "a" / "nights" / MONDAY) == digest(tmp_path / "b" / "nights" / MONDAY)
