"""The text format of Prometheus, written and read back."""

from __future__ import annotations

import re

import pytest

from territory.batch.metrics import METRICS, read_metrics, write_metrics

SAMPLE = re.compile(r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_]\w*="([^"\\\n]|\\[\\n"])*",?)*\})? -?[0-9.e+-]+')


@pytest.mark.parametrize("text", ['"', "\\", "\n", "\\n", 'a="b"', "ä, {}", "x\\"])
def test_the_text_format_holds_any_label(tmp_path, text):
    samples = {(name, (("config", text), ("status", text[::-1]))): 1.5 for name in METRICS}
    write_metrics(tmp_path / "m.prom", samples)
    assert read_metrics(tmp_path / "m.prom") == samples
    content = (tmp_path / "m.prom").read_text()
    assert content.endswith("\n")
    seen = set()
    for line in content[:-1].split("\n"):
        if line.startswith("# HELP "):
            help_of = line.split(" ")[2]
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == help_of
            assert name not in seen
            assert kind == METRICS[name][0]
            seen.add(name)
        else:
            assert SAMPLE.fullmatch(line)
            assert line.partition("{")[0] in seen


def test_a_torn_file_of_counters_begins_anew(tmp_path):
    (tmp_path / "m.prom").write_bytes(b'territory_batch_runs_total{config="a"} x\n\xff')
    assert read_metrics(tmp_path / "m.prom") == {}
