"""Kubernetes' objects by server-side apply, for machines that cannot get pulumi-kubernetes' own plugin.

What the engine sees of it is as in pulumi-kubernetes 4.3x (provider/pkg/provider/provider.go, await/await.go): the field
manager is the one of the annotation; an object that is there already is refused unless `upsertExistingObjects`; fields that
another manager has are a conflict; reading takes of the live object what the inputs had, and a difference is one between that
and the new inputs. It waits for Deployments and definitions alone.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import grpc
import yaml
from pulumi.provider.experimental import provider as plugin
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import provider_pb2_grpc

from tests.e2e.cluster.api import Api, Json, RefusedError, api_of

VERSION = "4.34.2"
MANAGER = "pulumi.com/patchFieldManager"
INPUTS = "__inputs"
WAIT_SECONDS = 60
Properties = dict[str, PropertyValue]


class ObjectError(Exception):
    """The API server's refusal; the text is what the operator reads."""


class Objects(plugin.Provider):
    """Checks, compares and applies objects."""

    def __init__(self) -> None:
        self._api: Api | None = None
        self._upsert = False

    async def check_config(self, request: plugin.CheckRequest) -> plugin.CheckResponse:
        """As it is."""
        return plugin.CheckResponse(inputs=request.new_inputs)

    async def diff_config(self, request: plugin.DiffRequest) -> plugin.DiffResponse:
        """Another way to the cluster is no other provider."""
        del request
        return plugin.DiffResponse(changes=False)

    async def configure(self, request: plugin.ConfigureRequest) -> plugin.ConfigureResponse:
        """Take the kubeconfig, a path, with a token in it."""
        self._api = _reached_by(Path(str(_plain(request.args["kubeconfig"]))))
        self._upsert = str(_plain(request.args.get("upsertExistingObjects"))).lower() == "true"
        return plugin.ConfigureResponse(accept_secrets=True, supports_preview=True)

    async def check(self, request: plugin.CheckRequest) -> plugin.CheckResponse:
        """As it is."""
        return plugin.CheckResponse(inputs=request.new_inputs)

    async def diff(self, request: plugin.DiffRequest) -> plugin.DiffResponse:
        """What was applied or read last, against the new inputs."""
        old, new = _plain(request.old_state[INPUTS]), {key: _plain(value) for key, value in request.new_inputs.items()}
        ignored = set(request.ignore_changes)
        changed = [] if "*" in ignored else sorted(key for key in {*old, *new} - ignored if old.get(key) != new.get(key))
        kind = plugin.PropertyDiffKind.UPDATE
        return plugin.DiffResponse(
            changes=bool(changed), diffs=changed, detailed_diff={key: plugin.PropertyDiff(kind, input_diff=True) for key in changed}
        )

    async def create(self, request: plugin.CreateRequest) -> plugin.CreateResponse:
        """Apply it for the first time."""
        obj = _object(request.properties)
        if request.preview:
            return plugin.CreateResponse("", {**request.properties, INPUTS: PropertyValue(request.properties)})
        api = self._reached()
        if not self._upsert and api.get(*_address(obj)) is not None:
            raise ObjectError(f"{obj['kind']} {obj['metadata']['name']} already exists; set upsertExistingObjects on the provider")
        return plugin.CreateResponse(_id(obj), await self._applied(obj, request.properties))

    async def update(self, request: plugin.UpdateRequest) -> plugin.UpdateResponse:
        """Apply it again."""
        if request.preview:
            return plugin.UpdateResponse({**request.news, INPUTS: PropertyValue(request.news)})
        return plugin.UpdateResponse(await self._applied(_object(request.news), request.news))

    async def delete(self, request: plugin.DeleteRequest) -> None:
        """Delete it."""
        self._reached().delete(*_address(_object(_map(request.properties[INPUTS]))))

    async def read(self, request: plugin.ReadRequest) -> plugin.ReadResponse:
        """What is there of what was asked for; an object that is gone has no id."""
        asked = _object(_map(request.properties[INPUTS]))
        live = self._reached().get(*_address(asked))
        if live is None:
            return plugin.ReadResponse("", {})
        inputs = _values({**_pruned(live, asked), "apiVersion": asked["apiVersion"], "kind": asked["kind"]})
        return plugin.ReadResponse(request.resource_id, _state(inputs), inputs)

    def _reached(self) -> Api:
        if self._api is None:
            raise ObjectError("configured Kubernetes cluster is unreachable")
        return self._api

    async def _applied(self, obj: Json, inputs: Properties) -> Properties:
        api = self._reached()
        manager = obj["metadata"].get("annotations", {}).get(MANAGER, "pulumi-kubernetes-stand-in")
        query = urlencode({"fieldManager": manager, "fieldValidation": "Warn", "force": "false"})
        end = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                api.ask("PATCH", f"{api._place(obj)}?{query}", obj, "application/apply-patch+yaml")
                break
            except RefusedError as refused:
                # A kind or a namespace that was made a moment ago.
                if refused.status != 404 or time.monotonic() > end:
                    raise ObjectError(f"{obj['kind']} {obj['metadata']['name']}: {refused}") from None
                await asyncio.sleep(0.5)
        while not _is_there(api.get(*_address(obj)) or {}):
            if time.monotonic() > end:
                raise ObjectError(f"{obj['kind']} {obj['metadata']['name']} is not ready after {WAIT_SECONDS} s")
            await asyncio.sleep(0.3)
        return _state(inputs)


def _reached_by(file: Path) -> Api | None:
    if not file.is_file():  # before the cluster is there, a preview has none
        return None
    return api_of(yaml.safe_load(file.read_text()))


def _is_there(live: Json) -> bool:
    conditions = {one["type"]: one["status"] for one in (live.get("status") or {}).get("conditions") or ()}
    wanted = {"Deployment": "Available", "CustomResourceDefinition": "Established"}.get(live.get("kind", ""))
    return wanted is None or conditions.get(wanted) == "True"


def _state(inputs: Properties) -> Properties:
    return {**inputs, INPUTS: PropertyValue(inputs)}


def _address(obj: Json) -> tuple[str, str, str, str]:
    return obj["apiVersion"], obj["kind"], obj["metadata"]["name"], obj["metadata"].get("namespace", "")


def _id(obj: Json) -> str:
    namespace = obj["metadata"].get("namespace", "")
    return f"{namespace}/{obj['metadata']['name']}".removeprefix("/")


def _pruned(live: Any, asked: Any) -> Any:
    """Of what is live, what has a place in what was asked for."""
    if isinstance(live, Mapping) and isinstance(asked, Mapping):
        return {key: _pruned(live[key], value) for key, value in asked.items() if key in live}
    if isinstance(live, list) and isinstance(asked, list):
        return [_pruned(one, asked[index]) if index < len(asked) else one for index, one in enumerate(live)]
    return live


def _object(properties: Mapping[str, PropertyValue]) -> Json:
    return {key: _plain(value) for key, value in properties.items() if not key.startswith("__")}


def _map(value: PropertyValue) -> Properties:
    return dict(value.value) if isinstance(value.value, Mapping) else {}


def _plain(value: PropertyValue | None) -> Any:
    """The value without its secretness; whole numbers as such, which the engine knows as fractions."""
    inner = value.value if value is not None else None
    if isinstance(inner, Mapping):
        return {key: _plain(item) for key, item in inner.items()}
    if isinstance(inner, tuple | list):
        return [_plain(item) for item in inner]
    return int(inner) if isinstance(inner, float) and inner.is_integer() else inner


def _values(plain: Json) -> Properties:
    return {key: _value(item) for key, item in plain.items()}


def _value(plain: Any) -> PropertyValue:
    if isinstance(plain, Mapping):
        return PropertyValue({key: _value(item) for key, item in plain.items()})
    if isinstance(plain, list):
        return PropertyValue([_value(item) for item in plain])
    return PropertyValue(float(plain) if isinstance(plain, int) and not isinstance(plain, bool) else plain)


class Servicer(ProviderServicer):
    """The SDK's server, with the API server's refusal as the error and nothing around it."""

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 -- the protocol's name
        return await _clearly(super().Create, request, context)

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await _clearly(super().Update, request, context)

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await _clearly(super().Read, request, context)


async def _clearly(serve: Callable[[Any, Any], Any], request: Any, context: Any) -> Any:
    try:
        return await serve(request, context)
    except (ObjectError, RefusedError) as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))


def main(engine: str) -> None:
    """Serve the engine until it ends this process."""

    async def serve() -> None:
        server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
        servicer = Servicer([], VERSION, Objects(), engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(port, flush=True)  # noqa: T201 -- how a plugin says where it listens
        await server.wait_for_termination()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
