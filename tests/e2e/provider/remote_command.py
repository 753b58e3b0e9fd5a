"""`command:remote:Command` through the system's `ssh`, for machines that cannot get pulumi-command's own plugin.

What the engine sees of it is as in pulumi-command 1.2 (provider/pkg/provider/remote): any changed input runs `update`, or
else `create`; `triggers` replace; a preview connects to nothing; the connection is secret; the error's text holds the
command and all its output; lines are logged as they come. Jump hosts, passwords and variables are refused, not ignored.
"""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
from pulumi.provider.experimental import provider as api
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.server import ProviderServicer
from pulumi.runtime._grpc_settings import _GRPC_CHANNEL_OPTIONS
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, provider_pb2_grpc
from pulumi.runtime.rpc import UNKNOWN

VERSION = "1.2.1"
TYPE = "command:remote:Command"
OUTPUTS = ("stdout", "stderr")
DEFAULTS: Mapping[str, PropertyValue] = {"addPreviousOutputInEnv": PropertyValue(True)}
CONNECTION: Mapping[str, PropertyValue] = {
    "user": PropertyValue("root"),
    "port": PropertyValue(22.0),
    "dialErrorLimit": PropertyValue(10.0),
    "perDialTimeout": PropertyValue(15.0),
}
STREAMS = {"stdout": ("out",), "stderr": ("err",), "stdoutAndStderr": ("out", "err"), "none": ()}
REFUSED = ("proxy", "password", "privateKeyPassword")
SSH_FAILED = 255
LARGEST = 256 * 1024 * 1024

Properties = dict[str, PropertyValue]


class CommandError(Exception):
    """The command, or the way to it, failed; the text is what the operator reads."""


class Commands(api.Provider):
    """Checks, compares and runs commands on other machines."""

    def __init__(self, engine: str) -> None:
        self._address = engine
        self._engine: Any = None

    async def check(self, request: api.CheckRequest) -> api.CheckResponse:
        """The inputs with pulumi-command's defaults."""
        if request.type.rpartition("$")[2] != TYPE:
            return api.CheckResponse(failures=[api.CheckFailure("", f"the tests' plugin knows {TYPE} only")])
        inputs = {**DEFAULTS, **request.new_inputs}
        connection = {**CONNECTION, **_map(inputs["connection"])}
        failures = [
            api.CheckFailure(f"connection.{key}", "the tests' plugin cannot do this") for key in REFUSED if key in connection
        ]
        if "environment" in inputs:
            failures.append(api.CheckFailure("environment", "the tests' plugin cannot do this"))
        inputs["connection"] = PropertyValue(connection, is_secret=True)
        return api.CheckResponse(inputs=inputs, failures=failures)

    async def diff(self, request: api.DiffRequest) -> api.DiffResponse:
        """Old inputs against new ones; how the machine is does not count."""
        keys = sorted({*request.old_state, *request.new_inputs} - set(OUTPUTS))
        changed = [key for key in keys if _plain(request.old_state.get(key)) != _plain(request.new_inputs.get(key))]
        kinds = api.PropertyDiffKind
        return api.DiffResponse(
            changes=bool(changed),
            replaces=[key for key in changed if key == "triggers"],
            diffs=changed,
            detailed_diff={
                key: api.PropertyDiff(kinds.UPDATE_REPLACE if key == "triggers" else kinds.UPDATE, input_diff=True)
                for key in changed
            },
        )

    async def create(self, request: api.CreateRequest) -> api.CreateResponse:
        """Run `create`; in a preview, say only that the outputs are not known."""
        new = f"{request.name}{secrets.token_hex(4)}"
        if request.preview:
            return api.CreateResponse("", {**request.properties, **_unknown()})
        return api.CreateResponse(new, await self._run("create", request.urn, request.properties))

    async def update(self, request: api.UpdateRequest) -> api.UpdateResponse:
        """Run `update`, or `create` where there is none."""
        if request.preview:
            return api.UpdateResponse({**request.news, **_unknown()})
        which = "update" if "update" in request.news else "create"
        return api.UpdateResponse(await self._run(which, request.urn, request.news))

    async def delete(self, request: api.DeleteRequest) -> None:
        """Run `delete` where there is one."""
        if "delete" in request.properties:
            await self._run("delete", request.urn, request.properties)

    async def _run(self, which: str, urn: str, inputs: Properties) -> Properties:
        command = _plain(inputs.get(which))
        if not command:
            return inputs
        connection = _plain(inputs["connection"])
        logged = STREAMS[_plain(inputs.get("logging")) or "stdoutAndStderr"]
        with tempfile.TemporaryDirectory() as scratch:
            words = ["ssh", *_options(connection, Path(scratch)), f"{connection['user']}@{connection['host']}", command]
            status, out, err, both = await self._ssh(words, urn, _plain(inputs.get("stdin")) or "", logged)
        if status == SSH_FAILED and not out:
            raise CommandError(f"ssh: handshake failed: {err.strip()}")
        if status:
            raise CommandError(f'Process exited with status {status}: running "{command}":\n{both}')
        return {**inputs, "stdout": PropertyValue(out.removesuffix("\n")), "stderr": PropertyValue(err.removesuffix("\n"))}

    async def _ssh(self, words: list[str], urn: str, stdin: str, logged: Collection[str]) -> tuple[int, str, str, str]:
        """Exit status, output, error output, and both as they came."""
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(*words, stdin=pipe, stdout=pipe, stderr=pipe, limit=LARGEST)
        texts: dict[str, list[str]] = {"out": [], "err": [], "both": []}

        async def listen(name: str, stream: asyncio.StreamReader | None) -> None:
            while stream and (line := (await stream.readline()).decode(errors="replace")):
                texts[name].append(line)
                texts["both"].append(line)
                if name in logged:
                    await self._log(urn, line.rstrip("\n"))

        async def speak(stream: asyncio.StreamWriter | None) -> None:
            if stream:
                with suppress(ConnectionError):  # who refuses does not listen
                    stream.write(stdin.encode())
                    await stream.drain()
                stream.close()

        await asyncio.gather(listen("out", process.stdout), listen("err", process.stderr), speak(process.stdin))
        status = await process.wait()
        return status, "".join(texts["out"]), "".join(texts["err"]), "".join(texts["both"])

    async def _log(self, urn: str, line: str) -> None:
        if self._engine is None:
            self._engine = engine_pb2_grpc.EngineStub(grpc.aio.insecure_channel(self._address))
        await self._engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, urn=urn))


def _options(connection: Mapping[str, Any], scratch: Path) -> list[str]:
    """Options for `ssh` that take nothing from the configuration of whoever runs the tests."""
    known = scratch / "known_hosts"
    host_key = connection.get("hostKey")
    port = int(connection["port"])
    known.write_text(f"[{connection['host']}]:{port} {host_key}\n{connection['host']} {host_key}\n" if host_key else "")
    settings = {
        "BatchMode": "yes",
        "LogLevel": "ERROR",
        "UserKnownHostsFile": str(known),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes" if host_key else "no",
        "ConnectTimeout": str(int(connection["perDialTimeout"])),
        "ConnectionAttempts": str(int(connection["dialErrorLimit"])),
        "Port": str(port),
    }
    if host_key:
        settings["HostKeyAlgorithms"] = host_key.split()[0]
    if connection.get("agentSocketPath"):
        settings["IdentityAgent"] = connection["agentSocketPath"]
    words = ["-F", "none", "-T"]
    if connection.get("privateKey"):
        key = scratch / "key"
        key.touch(mode=0o600)
        key.write_text(connection["privateKey"])
        words += ["-i", str(key)]
        settings["IdentitiesOnly"] = "yes"
    return words + [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]


def _unknown() -> Properties:
    return {name: PropertyValue(UNKNOWN) for name in OUTPUTS}


def _map(value: PropertyValue) -> Properties:
    return dict(value.value) if isinstance(value.value, Mapping) else {}


def _plain(value: PropertyValue | None) -> Any:
    """The value without its secretness."""
    if value is None:
        return None
    inner = value.value
    if isinstance(inner, Mapping):
        return {key: _plain(item) for key, item in inner.items()}
    if isinstance(inner, tuple):
        return [_plain(item) for item in inner]
    return inner


class Servicer(ProviderServicer):
    """The SDK's server, with a failed command's text as the error and nothing around it."""

    async def Create(self, request: Any, context: Any) -> Any:  # noqa: N802 -- the protocol's name
        return await _clearly(super().Create, request, context)

    async def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await _clearly(super().Update, request, context)

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        return await _clearly(super().Delete, request, context)


async def _clearly(serve: Callable[[Any, Any], Any], request: Any, context: Any) -> Any:
    try:
        return await serve(request, context)
    except CommandError as error:
        await context.abort(grpc.StatusCode.UNKNOWN, str(error))


def main(engine: str) -> None:
    """Serve the engine until it ends this process."""

    async def serve() -> None:
        server = grpc.aio.server(options=_GRPC_CHANNEL_OPTIONS)
        servicer = Servicer([], VERSION, Commands(engine), engine_address=engine)
        provider_pb2_grpc.add_ResourceProviderServicer_to_server(servicer, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        print(port, flush=True)  # noqa: T201 -- how a plugin says where it listens
        await server.wait_for_termination()

    with suppress(KeyboardInterrupt):
        asyncio.run(serve())
