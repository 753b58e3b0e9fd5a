"""The Kubernetes API by JSON over HTTPS, as much of it as the tests ask for."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

Json = dict[str, Any]
NOT_FOUND, CONFLICT, TOO_EARLY = 404, 409, 429
BUSY_SECONDS = 20
WATCH_SECONDS = 900


class RefusedError(Exception):
    """The API server's answer, where it is not the one hoped for."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """One API server, as administrator."""

    def __init__(
        self, port: int, certificate: Path, token: str = "", host: str = "127.0.0.1", client: tuple[Path, Path] | None = None
    ) -> None:
        """`token`, or `client`: what says that this is the administrator, the latter as certificate and key."""
        self._host = host
        self._port = port
        self._token = token
        self._tls = ssl.create_default_context(cafile=str(certificate))
        if client:
            self._tls.load_cert_chain(*client)
        self._plurals: dict[tuple[str, str], tuple[str, bool]] = {}

    def ready(self) -> bool:
        """Whether the server takes requests."""
        try:
            return self._send("GET", "/readyz", None, "application/json")[0] == http.client.OK
        except OSError:
            return False

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> Json | None:
        """One object; None where there is none."""
        try:
            return self.ask("GET", f"{self._collection(api_version, kind, namespace)}/{quote(name)}")
        except RefusedError as refused:
            if refused.status == NOT_FOUND:
                return None
            raise

    def list(self, api_version: str, kind: str, namespace: str = "") -> list[Json]:
        """All objects of a kind, of one namespace or of all."""
        items: list[Json] = self.ask("GET", self._collection(api_version, kind, namespace, every=True))["items"]
        return items

    def create(self, obj: Mapping[str, Any]) -> Json:
        """Create an object."""
        return self.ask("POST", self._place(obj).rpartition("/")[0], obj)

    def apply(self, obj: Mapping[str, Any], *, dry_run: bool = False, manager: str = "tests") -> Json:
        """Server-side apply with strict field validation."""
        query = {"fieldManager": manager, "fieldValidation": "Strict", "force": "true", **({"dryRun": "All"} if dry_run else {})}
        return self.ask("PATCH", f"{self._place(obj)}?{urlencode(query)}", obj, "application/apply-patch+yaml")

    def patch(self, api_version: str, kind: str, name: str, change: Json, *, namespace: str = "", part: str = "") -> Json:
        """Merge a change into an object, or into a subresource of it."""
        place = f"{self._collection(api_version, kind, namespace)}/{quote(name)}{part}"
        return self.ask("PATCH", place, change, "application/merge-patch+json")

    def delete(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object."""
        self.ask("DELETE", f"{self._collection(api_version, kind, namespace)}/{quote(name)}")

    def ask(self, method: str, path: str, body: object = None, content: str = "application/json") -> Json:
        """One request. A server that is not ready for a kind just defined is asked again."""
        end = time.monotonic() + BUSY_SECONDS
        while True:
            status, answer = self._send(method, path, body, content)
            if status != TOO_EARLY or time.monotonic() > end:
                break
            time.sleep(0.3)
        if status >= http.client.BAD_REQUEST:
            raise RefusedError(status, _message(answer))
        found: Json = json.loads(answer)
        return found

    @contextmanager
    def watching(self, api_version: str, kind: str, namespace: str, see: Callable[[Json], None]) -> Iterator[None]:
        """Show every state of the objects of a kind, of one namespace or all, as it is stored; the last says that it goes."""
        self.list(api_version, kind, namespace)  # waits until a kind just defined is served
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=WATCH_SECONDS, context=self._tls)
        path = f"{self._collection(api_version, kind, namespace, every=True)}?watch=true"
        connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}"})
        socket_, response = connection.sock, connection.getresponse()
        assert response.status == http.client.OK, response.read()

        def read() -> None:
            with suppress(OSError, ValueError, http.client.HTTPException):  # the end of the watch
                for line in response:
                    event = json.loads(line)
                    if event["type"] == "DELETED":  # at once, where nothing holds it: it may not say so itself
                        event["object"]["metadata"].setdefault("deletionTimestamp", "now")
                    see(event["object"])

        reader = Thread(target=read, daemon=True)
        reader.start()
        try:
            yield
        finally:
            socket_.shutdown(socket.SHUT_RDWR)  # which ends the reading
            reader.join()
            connection.close()

    def _send(self, method: str, path: str, body: object, content: str) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(self._host, self._port, timeout=30, context=self._tls)
        try:
            data = None if body is None else json.dumps(body)
            login = {"Authorization": f"Bearer {self._token}"} if self._token else {}
            connection.request(method, path, data, {**login, "Content-Type": content})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def _place(self, obj: Mapping[str, Any]) -> str:
        metadata = obj["metadata"]
        return f"{self._collection(obj['apiVersion'], obj['kind'], metadata.get('namespace', ''))}/{quote(metadata['name'])}"

    def _collection(self, api_version: str, kind: str, namespace: str, *, every: bool = False) -> str:
        plural, namespaced = self._resource(api_version, kind)
        base = _base(api_version)
        if not namespaced or (every and not namespace):
            return f"{base}/{plural}"
        return f"{base}/namespaces/{namespace or 'default'}/{plural}"

    def _resource(self, api_version: str, kind: str) -> tuple[str, bool]:
        if (api_version, kind) not in self._plurals:
            for resource in self.ask("GET", _base(api_version))["resources"]:
                if "/" not in resource["name"]:
                    self._plurals[api_version, resource["kind"]] = resource["name"], resource["namespaced"]
        if (api_version, kind) not in self._plurals:
            raise RefusedError(NOT_FOUND, f"the server does not know {kind} of {api_version}")
        return self._plurals[api_version, kind]


def _base(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _message(answer: bytes) -> str:
    try:
        return str(json.loads(answer).get("message", ""))
    except ValueError:
        return answer.decode(errors="replace")[:300]


def condition(obj: Json | None, kind: str = "Ready") -> Json:
    """A condition of an object, where it is about the object as it is now; empty otherwise."""
    status = (obj or {}).get("status", {})
    generation = (obj or {}).get("metadata", {}).get("generation")
    found: Json = next((dict(one) for one in status.get("conditions", ()) if one["type"] == kind), {})
    # A release whose chart is missing is judged in its condition alone.
    judged = found.get("observedGeneration", status.get("observedGeneration", generation))
    return found if judged == generation else {}


def is_ready(obj: Json | None) -> bool:
    """Whether an object says that it is Ready, in its present generation."""
    return condition(obj).get("status") == "True"


def refusals(api: Api, objects: Iterable[Json]) -> list[str]:
    """What the server has against each of these objects; it stores none of them."""
    refused = []
    for obj in objects:
        try:
            api.apply(obj, dry_run=True)
        except RefusedError as problem:
            refused.append(f"{obj['kind']} {obj['metadata']['name']}: {problem}")
    return refused


def eventually(what: str, seconds: float, question: Callable[[], Any], report: Callable[[], str]) -> Any:
    """Ask until the answer is true, and give it; on a miss show what a person would look at first."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds:.0f} s: {what}\n{report()}")
        time.sleep(0.3)


def api_of(kubeconfig: Json) -> Api:
    """What a kubeconfig of one cluster and one user reaches; its certificates may lie in it, as k3s has them, or in files."""
    cluster, user = kubeconfig["clusters"][0]["cluster"], kubeconfig["users"][0]["user"]
    place, held = urlsplit(cluster["server"]), {**cluster, **user}
    assert place.port
    assert place.hostname
    with tempfile.TemporaryDirectory() as folder:
        for key in ("certificate-authority", "client-certificate", "client-key"):
            if f"{key}-data" in held:
                held[key] = Path(folder) / key
                held[key].write_bytes(base64.b64decode(held[f"{key}-data"]))
        client = (Path(held["client-certificate"]), Path(held["client-key"])) if "client-key" in held else None
        return Api(place.port, Path(held["certificate-authority"]), held.get("token", ""), place.hostname, client)
