"""The Kubernetes API by the operator's kubeconfig, object by object, as plain JSON. lightkube brings the login and TLS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
from fluxstead.live.resources import Resource, Unanswered

Json = dict[str, Any]
_SECONDS = 10
_NOT_FOUND = 404
_PAGE = 500
"""Objects in one answer, as kubectl asks for them."""
_METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_LOGIN = frozenset({401, 403})


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
        said = self._ask("GET", "version") or {}
        found = Version.read(said.get("gitVersion"))
        if found is None:
            raise Unanswered(f"{self.server} is no Kubernetes API: it says no version")
        return found

    def get(self, resource: Resource, name: str, namespace: str = "") -> Json | None:
        """One object; None where there is none, or nothing of its kind."""
        return self._ask("GET", f"{_path(resource, namespace)}/{quote(name)}", absent=True)

    def list(self, resource: Resource, namespace: str = "", labels: str = "") -> Sequence[Json]:
        """All objects of a kind, in one namespace or in all; none where the kind is not there."""
        found = self._ask("GET", _path(resource, namespace), {"labelSelector": labels} if labels else {}, absent=True) or {}
        items = found.get("items")
        return [one for one in items if isinstance(one, dict)] if isinstance(items, list) else []

    def pages(self, resource: Resource, *, names: bool = False, fields: str = "") -> Iterator[Json]:
        """All objects of a kind in all namespaces, a page at a time. `names`: their metadata alone. `fields`: which."""
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

    def apply(self, resource: Resource, obj: Mapping[str, Any], manager: str) -> None:
        """Server-side apply: the fields given are `manager`'s, whoever had them before."""
        metadata = mapping(obj, "metadata")
        path = f"{_path(resource, str(metadata.get('namespace', '')))}/{quote(str(metadata['name']))}"
        self._ask("PATCH", path, {"fieldManager": manager, "force": "true"}, body=obj)

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        body: Mapping[str, Any] | None = None,
        absent: bool = False,
        accept: str = "",
    ) -> Json | None:
        headers = {"Content-Type": "application/apply-patch+yaml"} if body is not None else {}
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
        if answer.status_code in _LOGIN:
            raise Unanswered(f"the API at {self.server} does not let this kubeconfig in: {said}; ./run kubeconfig writes it anew")
        raise Unanswered(f"the API at {self.server} refused {method} {path}: {said}")


def _config(file: Path, named: str) -> SingleConfig:
    try:
        found = KubeConfig.from_file(file).get()
    except (ConfigError, yaml.YAMLError, OSError, ValueError, KeyError, TypeError, AttributeError):
        found = None
    if found is None:
        raise Unanswered(f"{named} is no kubeconfig: ./run kubeconfig writes it")
    return found


def _path(resource: Resource, namespace: str) -> str:
    inside = f"namespaces/{quote(namespace)}/" if resource.namespaced and namespace else ""
    return f"{resource.base}/{inside}{resource.plural}"


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
