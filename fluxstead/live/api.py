"""The Kubernetes API by the operator's kubeconfig, object by object, as plain JSON. lightkube brings the login and TLS."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
import yaml
from lightkube.config.client_adapter import Client, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.core.exceptions import ConfigError

from fluxstead.core.shape import mapping
from fluxstead.core.version import Version
from fluxstead.live.greeting import Greeting, ahead_of
from fluxstead.live.resources import Conflict, Refused, Resource, Unanswered
from fluxstead.live.validity import end_of, end_of_pem

Json = dict[str, Any]
MANAGER = "fluxstead"
"""Who changed a field, as the API keeps it."""
_SECONDS = 10
_NOT_FOUND = 404
_PAGE = 500
"""Objects in one answer, as kubectl asks for them."""
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_NOT_KNOWN, _FORBIDDEN = 401, 403
"""The latter is, of a write, what quotas, Pod Security and namespaces that end say as well."""
_CONFLICT = 409
_TOO_MANY = 429
_CLIENT_ERRORS = range(400, 500)
_MERGE = "application/merge-patch+json"


class LiveApi:
    """One cluster. Every method raises Unanswered."""

    def __init__(self, kubeconfig: str) -> None:
        self._config = _config(Path(kubeconfig).expanduser(), kubeconfig)
        try:
            self._client = Client(self._config, ConnectionParams(timeout=httpx2.Timeout(_SECONDS)))
        except (ConfigError, OSError, ValueError) as problem:
            raise Unanswered(f"{kubeconfig} cannot be used: {problem}; ./run kubeconfig writes it anew") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._client.close()

    @property
    def server(self) -> str:
        """Where it is asked."""
        return str(self._config.cluster.server)

    def kubernetes(self) -> Version:
        """Which Kubernetes answers."""
        found = Version.read((self._ask("GET", "version") or {}).get("gitVersion"))
        if found is None:
            raise Unanswered(f"{self.server} is no Kubernetes API: it says no version")
        return found

    def greeting(self) -> tuple[Version, Greeting]:
        """The same, and what its answer says besides."""
        heard: list[Greeting] = []
        sent = datetime.now(UTC)

        def hear(answer: httpx2.Response) -> None:
            ahead = ahead_of(answer.headers.get("Date", ""), sent, datetime.now(UTC))
            heard.append(Greeting(sent, ahead, _own_end(self._config), _end_of_theirs(answer)))

        # Once an answer is read, its connection may be closed, and nothing is known of its certificate any more.
        self._client.event_hooks = {"response": [hear]}
        try:
            return self.kubernetes(), heard[-1]
        finally:
            self._client.event_hooks = {}

    def get(self, resource: Resource, name: str, namespace: str = "") -> Json | None:
        """One object; None where there is none, or nothing of its kind."""
        return self._ask("GET", f"{_path(resource, namespace)}/{quote(name)}", absent=True)

    def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Sequence[Json]:
        """All objects of a kind, in one namespace or in all; none where the kind is not there."""
        found = self._ask("GET", _path(resource, namespace), {"labelSelector": labels} if labels else {}, absent=True) or {}
        items = found.get("items")
        return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []

    def pages(self, resource: Resource, *, names: bool = False, fields: str = "") -> Iterator[Json]:
        """All objects of a kind in all namespaces, a page at a time; `names`: their metadata alone; `fields`: which of them."""
        more = ""
        which = {"limit": str(_PAGE), **({"fieldSelector": fields} if fields else {})}
        while True:
            query = {**which, **({"continue": more} if more else {})}
            found = self._ask("GET", _path(resource, ""), query, absent=True, accept=_METADATA if names else "") or {}
            items = found.get("items")
            yield from (one for one in items if isinstance(one, dict)) if isinstance(items, list) else ()
            more = str(mapping(found, "metadata").get("continue") or "")
            if not more:
                return

    def stats(self, machine: str) -> Json:
        """What the kubelet of a machine counts, such as what each volume holds; empty where it gives no answer."""
        try:
            return self._ask("GET", f"api/v1/nodes/{quote(machine)}/proxy/stats/summary", absent=True) or {}
        except Unanswered:
            return {}

    def apply(self, resource: Resource, obj: Mapping[str, Any], manager: str) -> None:
        """Server-side apply: the fields given are `manager`'s, whoever had them before."""
        metadata = mapping(obj, "metadata")
        path = f"{_path(resource, str(metadata.get('namespace', '')))}/{quote(str(metadata['name']))}"
        self._ask("PATCH", path, {"fieldManager": manager, "force": "true"}, body=obj, sends="application/apply-patch+yaml")

    def create(self, resource: Resource, obj: Mapping[str, Any], *, dry_run: bool = False) -> Json:
        """A new object, as it then is. Raises Conflict where one of its name is there. `dry_run`: whether it would be admitted."""
        namespace = str(mapping(obj, "metadata").get("namespace", ""))
        query = {"fieldManager": MANAGER, **({"dryRun": "All"} if dry_run else {})}
        return self._ask("POST", _path(resource, namespace), query, body=obj) or {}

    def replace(self, resource: Resource, obj: Mapping[str, Any]) -> Json:
        """Another text for an object that was read, as it then is. Raises Conflict where it was changed meanwhile."""
        metadata = mapping(obj, "metadata")
        path = f"{_path(resource, str(metadata.get('namespace', '')))}/{quote(str(metadata['name']))}"
        return self._ask("PUT", path, {"fieldManager": MANAGER}, body=obj) or {}

    def merge(self, resource: Resource, name: str, change: Mapping[str, Any], namespace: str = "") -> None:
        """Change these fields of an object; null removes one (RFC 7386)."""
        self._ask("PATCH", f"{_path(resource, namespace)}/{quote(name)}", {"fieldManager": MANAGER}, body=change, sends=_MERGE)

    def delete(self, resource: Resource, name: str, namespace: str = "", *, uid: str = "", at_once: bool = False) -> None:
        """Have an object go; none is as good. `uid`: only this one, and Conflict where another one has its name.

        `at_once`: without whoever runs it being asked, as on a machine that is down.
        """
        body: Json = {"propagationPolicy": "Background", **({"preconditions": {"uid": uid}} if uid else {})}
        body |= {"gracePeriodSeconds": 0} if at_once else {}
        self._ask("DELETE", f"{_path(resource, namespace)}/{quote(name)}", body=body, absent=True)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        sends: str = "application/json",
        absent: bool = False,
        accept: str = "",
    ) -> Json | None:
        headers = {"Content-Type": sends} if body is not None else {}
        headers |= {"Accept": accept} if accept else {}
        try:
            answer = self._client.request(method, f"/{path}", params=dict(query or {}), json=body, headers=headers)
        except httpx2.HTTPError as problem:
            raise Unanswered(f"the API at {self.server} gives no answer: {_said(problem)}") from None
        if absent and answer.status_code == _NOT_FOUND:
            return None
        if answer.is_success:
            return _json(answer)
        said = str(_json(answer).get("message", "")) or f"HTTP {answer.status_code}"
        if answer.status_code == _NOT_KNOWN or (answer.status_code == _FORBIDDEN and method == "GET"):
            raise Refused(f"the API at {self.server} does not let this kubeconfig in: {said}; ./run kubeconfig writes it anew")
        kind = Conflict if answer.status_code == _CONFLICT else Refused if _is_final(answer.status_code) else Unanswered
        raise kind(f"the API at {self.server} refused {method} {path}: {said}")


def _config(file: Path, named: str) -> SingleConfig:
    try:
        found = KubeConfig.from_file(file).get()
    except (ConfigError, yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError):
        found = None
    if found is None:
        raise Unanswered(f"{named} is no kubeconfig: ./run kubeconfig writes it")
    return found


def _own_end(config: SingleConfig) -> datetime | None:
    """Of the certificate in the kubeconfig, or in the file that it names."""
    user = config.user
    try:
        if user and user.client_cert_data:
            return end_of_pem(base64.b64decode(user.client_cert_data))
        return end_of_pem(Path(config.abs_file(user.client_cert)).read_bytes()) if user and user.client_cert else None
    except (ValueError, OSError, ConfigError):
        return None


def _end_of_theirs(answer: httpx2.Response) -> datetime | None:
    """Of the certificate that the API showed; None where it spoke without TLS."""
    stream = answer.extensions.get("network_stream")
    tls = stream.get_extra_info("ssl_object") if stream else None
    shown = tls.getpeercert(True) if tls else None  # noqa: FBT003 -- it takes no keyword
    return end_of(shown) if shown else None


def _path(resource: Resource, namespace: str) -> str:
    place = namespace or resource.within
    inside = f"namespaces/{quote(place)}/" if resource.namespaced and place else ""
    return f"{resource.base}/{inside}{resource.plural}"


def _is_final(status: int) -> bool:
    return status in _CLIENT_ERRORS and status != _TOO_MANY


def _json(answer: httpx2.Response) -> Json:
    try:
        found = answer.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _said(problem: httpx2.HTTPError) -> str:
    if isinstance(problem, httpx2.TimeoutException):
        return f"none within {_SECONDS} s"
    return str(problem) or type(problem).__name__
