"""Real servers on the loopback, started for a test and killed after it."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from territory.travel.servers import HttpLimits

#: Servers that have just been started may take a while to listen.
SOON = HttpLimits(
    connect_s=1, read_s=20, total_s=40, attempts=30, first_wait_s=0.1, most_wait_s=0.1, failures_to_open=99
)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(command, log):
    with log.open("w") as out, subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT) as process:
        try:
            time.sleep(0.2)
            if process.poll() is not None:
                pytest.fail(f"{command[0]} did not start: {log.read_text()[-2_000:]}")
            yield
        finally:
            process.kill()
            process.wait()


@contextmanager
def osrm_routed(graph, folder):
    """Serve a graph of OSRM; gives the address."""
    osrm = pytest.importorskip("osrm", reason="osrm-bindings is not installed")
    port = free_port()
    tool = Path(osrm.__file__).parent / "bin" / "osrm-routed"
    with running([str(tool), "-i", "127.0.0.1", "-p", str(port), "-t", "2", str(graph)], folder / "osrm.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def valhalla_service(tiles, folder, algorithm="timedistancematrix"):
    """Serve tiles of Valhalla; gives the address."""
    valhalla = pytest.importorskip("valhalla", reason="pyvalhalla is not installed")
    port = free_port()
    config = json.loads(json.dumps(valhalla.get_config(tile_extract="", tile_dir=tiles)))
    for name in ("admin", "timezone", "landmarks", "traffic_extract", "transit_dir", "transit_feeds_dir"):
        config["mjolnir"].pop(name, None)
    config["thor"]["source_to_target_algorithm"] = algorithm
    for costing in ("auto", "bicycle", "pedestrian"):
        # it bounds the cost of searches as well, and so cuts off ways of a few hours
        config["service_limits"][costing]["max_matrix_distance"] = 4e6
    # names of sockets must be short
    with tempfile.TemporaryDirectory(prefix="valhalla") as sockets:
        config["httpd"]["service"].update(
            listen=f"tcp://127.0.0.1:{port}", loopback=f"ipc://{sockets}/loopback", interrupt=f"ipc://{sockets}/stop"
        )
        for part in ("loki", "thor", "odin"):
            config[part]["service"]["proxy"] = f"ipc://{sockets}/{part}"
        at = folder / "served.json"
        at.write_text(json.dumps(config))
        tool = Path(valhalla.__file__).parent / "bin" / "valhalla_service"
        with running([str(tool), str(at), "1"], folder / "valhalla.log"):
            yield f"http://127.0.0.1:{port}"
