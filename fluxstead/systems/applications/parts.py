"""Parts of what an operator may say about an application: ports, what runs first, where and as whom it runs; or its chart."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from fluxstead.core.described import Described
from fluxstead.core.names import LabelKey, LabelValue, Name
from fluxstead.core.network import Port, RequestPath
from fluxstead.core.refusal import refuse
from fluxstead.core.text import Text
from fluxstead.core.version import Version
from fluxstead.systems.applications.words import OF_PORTS

HTTP = "http"
"""What the port of `port` is called."""

# An IANA service name (kubernetes: staging/src/k8s.io/apimachinery/pkg/util/validation, IsValidPortName).
_PORT_NAME = re.compile(r"(?=.*[a-z])(?!.*--)[a-z0-9](?:[a-z0-9-]{0,13}[a-z0-9])?")
_REPOSITORY = re.compile(r"(?:https?|oci)://[^\s/]+(?:/\S*)?")


def _port_name(value: str) -> str:
    if _PORT_NAME.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not the name of a port",
        why="the API server refuses it: at most 15 lower-case letters, digits and single '-', and one letter at least",
        fix="a name such as metrics",
    )


def _repository(value: str) -> str:
    if _REPOSITORY.fullmatch(value):
        return value.rstrip("/")
    raise refuse(
        f"{value!r} is not the address of a chart repository",
        why="Flux fetches charts by https:// or oci:// only",
        fix="https://charts.example.org, or oci://ghcr.io/example/charts without the chart's own name",
    )


class ExtraPort(Described):
    """One more port, besides `port`."""

    instead = OF_PORTS

    name: Annotated[str, AfterValidator(_port_name)] = Field(description="What it is called, such as metrics or mqtt.")
    port: Port = Field(description="The port that the application listens on.")
    protocol: Literal["TCP", "UDP"] = Field(default="TCP", description="The protocol.")


class InitContainer(Described):
    """Runs to its end before the application starts, with the same volumes, files, variables and rights."""

    name: Name = Field(description="Its name in the pod, such as migrate.")
    image: str | None = Field(
        default=None, min_length=1, description="An image with its tag; by default, the application's own, which needs a command."
    )
    command: tuple[Text, ...] = Field(default=(), description="In place of the image's entrypoint.")
    args: tuple[Text, ...] = Field(default=(), description="In place of the image's arguments.")


class Toleration(Described):
    """A taint that keeps other pods from a machine, and not these; as in Kubernetes."""

    key: LabelKey | None = Field(default=None, description="The taint's key; none, with operator Exists, is every taint.")
    operator: Literal["Equal", "Exists"] = Field(default="Equal", description="Exists: whatever the taint's value is.")
    value: LabelValue = Field(default="", description="The taint's value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(
        default=None, description="The taint's effect; by default, each."
    )
    toleration_seconds: int | None = Field(
        default=None, ge=0, description="With NoExecute: how long pods stay; by default, for good."
    )


class RunAsRoot(Described):
    """The image works as root only. Its namespace then admits pods of the baseline standard, not only restricted ones."""

    reason: str = Field(min_length=1, description="Why, for whoever reads the description next; the warning repeats it.")


class Metrics(Described):
    """Where Prometheus collects the application's metrics, if the cluster has monitoring."""

    port: str | None = Field(default=None, min_length=1, description="The name of one of `ports`; by default, the port of `port`.")
    path: RequestPath = Field(default="/metrics", description="The path of the metrics.")


class OwnChart(Described):
    """A Helm chart in place of an image: a release for each environment, in a namespace of its own."""

    name: Name = Field(description="The chart's name in its repository.")
    repository: Annotated[str, AfterValidator(_repository)] = Field(
        description="Where the chart is: https://…, or oci://… without the chart's name."
    )
    repository_secret: Name | None = Field(
        default=None, description="A Secret in its namespaces with the username and the password for a private repository."
    )
    version: Version = Field(description="The chart's version; an environment may have another.")
    values: dict[str, Any] = Field(default_factory=dict, description="The chart's values; an environment's are merged over them.")
    values_from: tuple[Name, ...] = Field(
        default=(), description="Secrets in its namespaces whose key values.yaml is merged over the values, in this order."
    )
    service: Name | None = Field(
        default=None, description="The Service that routes lead to; by default, as Helm's own charts name theirs."
    )
    pod_security: Literal["restricted", "baseline", "privileged"] = Field(
        default="baseline", description="The standard that the namespace holds the chart's pods to."
    )
