"""Servers that the tests play: an OSRM whose roads all run east or north, and ways for it to go wrong."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from urllib.parse import parse_qs, urlsplit

import numpy as np

from territory.model.places import PlaceKind, Places


def places_of(n, seed=1, west=9.4, south=47.0):
    rng = np.random.default_rng(seed)
    lon, lat = rng.uniform(west, west + 0.2, n).round(6), rng.uniform(south, south + 0.2, n).round(6)
    return Places.of(PlaceKind.CUSTOMER, [f"c{i}" for i in range(n)], lon, lat)


def ways(lon, lat, to_lon, to_lat):
    """Metres and seconds of the roads of the played server; a drive west takes longer than one east."""
    east = np.asarray(to_lon) - np.asarray(lon)
    metres = np.round(1e5 * (abs(east) + abs(np.asarray(to_lat) - np.asarray(lat))), 1)
    return metres, np.round(metres / 10.0 + np.where(east < 0, 60.0, 0.0), 1)


def asked_of(path):
    """Return the service, the points and the options of a question to OSRM."""
    parts = urlsplit(path)
    *_, service, version, _profile, points = parts.path.split("/")
    assert version == "v1"
    options = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return service, [tuple(map(float, point.split(","))) for point in points.split(";")], options


def osrm_reply(path, *, most=100, moved=lambda *_: 0.0, version=None):
    """Answer as OSRM does: status and JSON."""
    service, points, options = asked_of(path)

    def waypoints(these):
        return [{"location": list(p), "distance": moved(*p), "name": ""} for p in these]

    if len(points) > most:
        return 400, {"code": "TooBig", "message": "Too many table coordinates"}
    tail = {} if version is None else {"data_version": version}
    if service == "route":
        legs = [
            {"steps": [{"geometry": {"coordinates": [[a, b], [c, b], [c, d]]}}]} for (a, b), (c, d) in pairwise(points)
        ]
        return 200, {"code": "Ok", "routes": [{"legs": legs}], "waypoints": waypoints(points), **tail}

    def chosen(name):
        return points if name not in options else [points[int(i)] for i in options[name].split(";")]

    sources, destinations = chosen("sources"), chosen("destinations")
    start, end = np.array(sources), np.array(destinations)
    metres, seconds = ways(start[:, :1], start[:, 1:], end[:, 0], end[:, 1])
    return 200, {
        "code": "Ok",
        "durations": seconds.tolist(),
        "distances": metres.tolist(),
        "sources": waypoints(sources),
        "destinations": waypoints(destinations),
        **tail,
    }


def is_probe(path):
    return "sources=0" in path and "distance" not in path.partition("?")[2]


@contextmanager
def loopback(answer):
    """Listen on the loopback; `answer(handler, n)` plays the reply to request number n.

    Yields an object with the `url`, and the `paths` that were asked for.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            with lock:
                server.paths.append(self.path)
                n = len(server.paths)
            try:
                answer(self, n)
            except (ConnectionError, TimeoutError):
                self.close_connection = True

        def do_POST(self):
            self.body = self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *args):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request, client_address):
            pass

    lock = threading.Lock()
    server = Server(("127.0.0.1", 0), Handler)
    server.paths = []
    server.over = threading.Event()
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def send(handler, data, *, status=200, kind="application/json", length=None, **headers):
    """Send a whole reply."""
    body = data if isinstance(data, bytes) else data.encode() if isinstance(data, str) else json.dumps(data).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def send_osrm(handler, **options):
    status, data = osrm_reply(handler.path, **options)
    send(handler, data, status=status)
