"""A large cluster, and one that breaks off: the API is asked a bounded number of times, and no more is kept than rules need."""

from __future__ import annotations

import json
import re
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from fluxstead.live.api import LiveApi
from fluxstead.live.doctor import kinds_of
from fluxstead.live.facts import cluster_facts
from fluxstead.live.rules.k3s_certificates import NOTICE
from fluxstead.live.rules.machines import MACHINE
from fluxstead.live.rules.pods import POD
from fluxstead.live.rules.workloads import SECRET
from tests.live.around import thing
from tests.live.test_api import kubeconfig
from tests.live.world import RULES, condition

Json = dict[str, Any]
NODES = [thing(f"n{number}", status={"conditions": [condition("Ready")]}) for number in range(300)]
PODS = [
    thing(
        f"pod-{number}",
        "web",
        spec={"nodeName": f"n{number % 300}", "containers": [{"name": "app", "env": [{"name": "A", "value": "x" * 3000}]}]},
        status={"phase": "Running" if number % 100 else "Pending", **({} if number % 100 else {"conditions": [NOT_PLACED]})},
    )
    for NOT_PLACED in [{"type": "PodScheduled", "status": "False", "message": "no machine has room"}]
    for number in range(5000)
]


@contextmanager
def serving(
    folder: Path,
    objects: Mapping[str, Sequence[Json]],
    refuse: Callable[[str], int] = lambda _: 0,
) -> Iterator[tuple[str, list[str]]]:
    """An API that lists these page by page; gives a kubeconfig, and what was asked. `refuse`: a status in place of an answer."""
    asked: list[str] = []

    class Api(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            place = urlsplit(self.path)
            query = {key: values[0] for key, values in parse_qs(place.query).items()}
            asked.append(f"{place.path} {self.headers.get('Accept', '')} {place.query}")
            if status := refuse(place.path):
                return self._say({"message": "forbidden: nobody may list this"}, status)
            if place.path == "/version":
                return self._say({"gitVersion": "v1.33.1+k3s1"})
            found = objects.get(place.path.rpartition("/")[2] if "longhorn" not in place.path else place.path, ())
            start, size = int(query.get("continue", 0)), int(query.get("limit", len(found)))
            more = str(start + size) if start + size < len(found) else ""
            return self._say({"metadata": {"continue": more}, "items": found[start : start + size]})

        def _say(self, said: object, status: int = 200) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class's word
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    try:
        yield kubeconfig(folder, server.server_address[1]), asked
    finally:
        server.shutdown()
        server.server_close()


def test_each_page_is_asked_for_once_and_only_what_a_rule_needs_is_kept(tmp_path: Path) -> None:
    """300 machines and 5,000 pods, whose objects are 17 MB."""
    kinds = kinds_of(RULES)
    with serving(tmp_path, {"nodes": NODES, "pods": PODS}) as (path, asked), LiveApi(path) as api:
        tracemalloc.start()
        facts = cluster_facts(api, kinds)
        kept, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(asked) == 1 + len(kinds) + 5000 // 500 - 1
    assert len({one.split()[0] for one in asked}) == 1 + len(kinds)
    assert len(facts.of(MACHINE)) == 300
    assert len(facts.of(POD)) == 50, "those that run are not kept"
    assert kept < 5_000_000


def test_of_secrets_names_alone_are_asked_for(tmp_path: Path) -> None:
    """The API sends no value then (Kubernetes: "Receiving resources as Tables", PartialObjectMetadata)."""
    with serving(tmp_path, {"secrets": [thing("a", "web")]}) as (path, asked), LiveApi(path) as api:
        assert cluster_facts(api, [SECRET]).of(SECRET) == (("web", "a", ""),)
    [listed] = [one for one in asked if "/secrets" in one]
    assert re.search(r"as=PartialObjectMetadataList", listed)


def test_of_events_those_of_the_certificates_alone_are_asked_for(tmp_path: Path) -> None:
    with serving(tmp_path, {}) as (path, asked), LiveApi(path) as api:
        cluster_facts(api, [NOTICE])
    assert [one for one in asked if "/namespaces/default/events" in one and "fieldSelector=source%3Dk3s-cert-monitor" in one]


def test_facts_are_of_the_time_that_the_api_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the clock here everything in a cluster might seem old, or not to have begun."""
    monkeypatch.setattr(BaseHTTPRequestHandler, "date_time_string", lambda *_: "Sun, 01 Mar 2020 12:00:00 GMT")
    with serving(tmp_path, {}) as (path, _), LiveApi(path) as api:
        facts = cluster_facts(api, [SECRET])
    assert abs(facts.taken - datetime(2020, 3, 1, 12, tzinfo=UTC)) < timedelta(minutes=1)


def test_what_may_not_be_read_is_a_fact_and_the_rest_is_read(tmp_path: Path) -> None:
    """A kubeconfig that is let in to pods alone."""
    with (
        serving(tmp_path, {"pods": PODS[:1]}, lambda path: 0 if path in {"/version", "/api/v1/pods"} else 403) as (path, _),
        LiveApi(path) as api,
    ):
        facts = cluster_facts(api, kinds_of(RULES))
    assert len(facts.of(POD)) == 1
    assert len(facts.unanswered) == len(kinds_of(RULES)) - 1
    assert all("does not let this kubeconfig in" in why for why in facts.unanswered.values())


@pytest.mark.parametrize("after", [1, 4, 9])
def test_an_api_that_breaks_off_in_the_middle_is_a_fact(tmp_path: Path, after: int) -> None:
    """Some kinds were read, the others gave no answer; none is half read without saying so."""
    count = 0

    def refuse(path: str) -> int:
        nonlocal count
        count += path != "/version"
        return 503 if count > after else 0

    with serving(tmp_path, {"nodes": NODES, "pods": PODS}, refuse) as (path, _), LiveApi(path) as api:
        facts = cluster_facts(api, kinds_of(RULES))
    assert len(facts.seen) + len(facts.unanswered) == len(kinds_of(RULES))
    assert facts.unanswered
    assert all(one not in facts.seen for one in facts.unanswered)
