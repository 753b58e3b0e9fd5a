"""What the engine is told of a program, without an engine: Pulumi's mocks, and what they do not show."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.json_format import MessageToDict
from pulumi.runtime import mocks, settings
from pulumi.runtime.stack import run_in_stack
from pulumi.runtime.sync_await import _sync_await

from fluxstead.embedded import PROGRAM
from fluxstead.hosts.build import token_of

STACK = "pulumi:pulumi:Stack"


@dataclass
class Registered:
    """One resource as the engine is told of it."""

    type: str
    name: str
    parent: str
    dependencies: set[str]
    inputs: dict[str, Any]
    former_types: set[str] = field(default_factory=set)
    outputs: dict[str, Any] = field(default_factory=dict)
    left_alone: bool = False
    """Whether it is neither changed nor deleted."""


class Silent(mocks.Mocks):
    """No resource has a provider; of a command, only what it would print is made up, with the run's token for TOKEN."""

    def __init__(self, printed: Mapping[str, str]) -> None:
        self._printed = printed

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        if args.typ.endswith(":FluxGuard"):  # an empty cluster
            return args.name, {**args.inputs, "brings": args.inputs["objects"]}
        if args.name not in self._printed or "stdin" not in args.inputs:
            return args.name, args.inputs
        return args.name, {**args.inputs, "stdout": self._printed[args.name].replace("TOKEN", token_of(args.inputs["stdin"]))}


class Recorder(mocks.MockMonitor):
    """A monitor that keeps what Pulumi's mocks do not show: parents, dependencies, aliases, outputs."""

    def __init__(self, silent: mocks.Mocks) -> None:
        super().__init__(silent)
        self.seen: dict[str, Registered] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- the engine's name and its protobuf type
        response = super().RegisterResource(request)  # type: ignore[no-untyped-call]
        # The stack is one for the mocks and one for the program.
        assert response.urn not in self.seen or request.type == STACK, f"{response.urn} is registered twice"
        self.seen[response.urn] = Registered(
            request.type,
            request.name,
            request.parent,
            set(request.dependencies),
            MessageToDict(request.object),
            {alias.spec.type for alias in request.aliases if alias.HasField("spec")},
            left_alone=bool(request.ignoreChanges) and request.retainOnDelete,
        )
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if request.urn in self.seen:
            self.seen[request.urn].outputs = MessageToDict(request.outputs)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]


Runner = Callable[..., dict[str, Registered]]


def registered_by_program(stack: str, *, preview: bool, printed: Mapping[str, str]) -> dict[str, Registered]:
    """Run `__main__.py` as the engine would; `printed` is each command's standard output, by its name."""

    def program() -> None:
        runpy.run_path(str(PROGRAM), run_name="__main__")

    return registered_by(program, stack, preview=preview, silent=Silent(printed))


def registered_by(program: Callable[[], None], stack: str, *, preview: bool, silent: mocks.Mocks) -> dict[str, Registered]:
    """Run any program as the engine would; `silent` answers for all providers."""
    settings.SETTINGS.outputs.clear()  # of a run that failed before
    recorder = Recorder(silent)
    mocks.set_mocks(silent, project="fluxstead", stack=stack, preview=preview, monitor=recorder)
    settings.set_root_resource(None)  # type: ignore[arg-type]
    _sync_await(run_in_stack(program))
    return recorder.seen
