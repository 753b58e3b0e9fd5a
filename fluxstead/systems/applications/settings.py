"""What an operator may say about applications; the only place of their defaults.

An application is an image with environments, a chart with environments, or the path to manifests that people wrote. All are one
type, and `forms` tells them apart by their keys: a union of types would report the mistakes of each for a mistake in one.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from fluxstead.core.access import Access
from fluxstead.core.compute import Compute
from fluxstead.core.described import Described
from fluxstead.core.duration import Duration
from fluxstead.core.names import HostName, Labels, Name
from fluxstead.core.network import Cidr, NodePort, Port, RequestTarget, UrlPath
from fluxstead.core.quantity import Quantity, Size
from fluxstead.core.refusal import refuse
from fluxstead.core.text import Text
from fluxstead.core.version import Version
from fluxstead.systems.applications.mounts import Device, Files, NamedVolume, SecretFiles, Volume
from fluxstead.systems.applications.parts import ExtraPort, InitContainer, Metrics, OwnChart, RunAsRoot, Toleration
from fluxstead.systems.applications.words import OF_APPLICATIONS, OF_ROUTES

# The name of a variable as every shell and library can read it; Kubernetes itself admits a little more.
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PERCENT = re.compile(r"(?:100|[1-9]?\d)%")
_DIRECTORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(?:/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def _variable(value: str) -> str:
    if _VARIABLE.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not the name of an environment variable",
        why="a shell cannot set or read it",
        fix=re.sub(r"\W+", "_", value, flags=re.ASCII).lstrip("0123456789") or "letters, digits and '_'",
    )


def _pods(value: object) -> object:
    if (isinstance(value, int) and not isinstance(value, bool) and value >= 0) or (
        isinstance(value, str) and _PERCENT.fullmatch(value)
    ):
        return value
    raise refuse(f"{value!r} is not a number of pods", why="a budget counts pods", fix="a whole number, or a share such as 50%")


def _directory(value: str) -> str:
    path = value.removeprefix("./").rstrip("/")
    if _DIRECTORY.fullmatch(path):
        return path
    raise refuse(
        f"{value!r} is not a directory of this repository",
        why="Flux finds the manifests by their path from the repository's root",
        fix="a path such as apps/whoami",
    )


_EVERYBODY = frozenset({"system:authenticated", "system:unauthenticated", "system:serviceaccounts"})


def _viewers(value: str) -> str:
    if value not in _EVERYBODY:
        return value
    raise refuse(
        f"{value!r} is everybody, and not a group of people",
        why="every pod of the cluster that has a token, and every person, could look into the namespace",
        fix="a group that the API server knows people by, such as developers",
    )


def _not_root(value: object) -> object:
    if value not in (0, "0") or isinstance(value, bool):
        return value
    raise refuse(
        "the number 0 is root",
        why="a flaw in what runs as root is closer to one of its machine, and its namespace has to admit such pods",
        fix="runAsRoot: {reason: …}, if the image works as no other user",
    )


Viewers = Annotated[str, Field(min_length=1), AfterValidator(_viewers)]
VariableName = Annotated[str, AfterValidator(_variable)]
Variables = dict[VariableName, Text]
PodCount = Annotated[int | str, BeforeValidator(_pods)]
"""A number of pods, or a share of them in percent."""


EPHEMERAL = "ephemeral-storage"
_LIMIT, _REQUEST = Quantity("1Gi"), Quantity("64Mi")
"""Of what a pod writes to its node's own disk, where nothing is said: without a limit, one pod fills the disk of all (F19)."""


class PodCompute(Compute):
    """Amounts of CPU, memory and the node's own disk."""

    ephemeral_storage: Size | None = Field(default=None, description="Bytes of /tmp, logs and other files beside the volume.")

    @property
    def amounts(self) -> dict[str, Quantity]:
        """What is said, by Kubernetes' names."""
        own = {EPHEMERAL: self.ephemeral_storage} if self.ephemeral_storage is not None else {}
        return super().amounts | own


class Resources(Described):
    """What one pod gets, as in Kubernetes."""

    requests: PodCompute = Field(default_factory=PodCompute, description="What the scheduler sets aside for each pod.")
    limits: PodCompute = Field(
        default_factory=PodCompute,
        description="What a pod cannot exceed; without cpu it may use idle cores, without ephemeralStorage 1Gi.",
    )

    @property
    def most(self) -> dict[str, Quantity]:
        """The limits, by Kubernetes' names."""
        said = self.limits.amounts
        return said if EPHEMERAL in said else {**said, EPHEMERAL: _LIMIT}

    @property
    def asked(self) -> dict[str, Quantity]:
        """The requests, by Kubernetes' names."""
        said = self.requests.amounts
        least = min(_REQUEST, self.most[EPHEMERAL], key=lambda quantity: quantity.amount)
        return said if EPHEMERAL in said else {**said, EPHEMERAL: least}

    @property
    def scratch(self) -> Quantity:
        """The most that a pod may write to its node's own disk."""
        return self.most[EPHEMERAL]


def _small() -> Resources:
    return Resources.model_validate({"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}})


class Probes(Described):
    """How Kubernetes learns of the application's health: by HTTP paths on its port."""

    port: str | None = Field(default=None, min_length=1, description="The name of one of `ports`; by default, the port of `port`.")
    readiness: RequestTarget | None = Field(
        default=None, description="Answers while it can take requests; by default, an open port is enough."
    )
    liveness: RequestTarget | None = Field(
        default=None, description="The container is restarted when it stops answering; none by default."
    )
    startup: Duration = Field(default=Duration("1m"), description="How long it may take to start before liveness counts.")


class Peer(Described):
    """The other end of a connection: a network, or the pods of a namespace."""

    cidr: Cidr | None = Field(default=None, description="A network or an address outside the cluster, such as 192.168.86.10/32.")
    namespace: Name | None = Field(default=None, description="A namespace of the cluster; all its pods.")
    ports: tuple[Port, ...] = Field(
        default=(), description="The ports. Without them: every port for egress, the application's own for ingress."
    )
    protocol: Literal["TCP", "UDP"] = Field(default="TCP", description="The protocol of the ports.")


class Allow(Described):
    """What the network policy lets through, besides DNS and the ingress controller. Everything else is denied."""

    egress: tuple[Peer, ...] = Field(default=(), description="What the application may call.")
    ingress: tuple[Peer, ...] = Field(default=(), description="Who may call the application.")
    api_server: bool = Field(
        default=False, description="Whether it may call the API server, as operators do; the pods of an image have no token for it."
    )


class AppRoute(Described):
    """The way in, through the ingress controller."""

    instead = OF_ROUTES

    host: HostName = Field(description="The host name that requests are for.")
    path: UrlPath = Field(default="/", description="The path that requests begin with.")
    strip_path: bool = Field(default=False, description="Whether the path is stripped before the application sees it.")
    access: Access | None = Field(default=None, description="Who may come in; by default, what `access` of the cluster says.")


class Autoscaling(Described):
    """A HorizontalPodAutoscaler on CPU use."""

    min_replicas: int = Field(default=1, ge=1, description="The fewest pods.")
    max_replicas: int = Field(ge=1, description="The most pods.")
    cpu: int = Field(default=80, ge=1, description="The CPU usage to aim for, in percent of the request; Kubernetes' own default.")


class DisruptionBudget(Described):
    """A PodDisruptionBudget: how far a drain may go. Set one of the two."""

    min_available: PodCount | None = Field(default=None, description="How many pods stay, as a number or a share such as 50%.")
    max_unavailable: PodCount | None = Field(default=None, description="How many pods may be missing, as a number or a share.")


class Environment(Described):
    """One environment of an application: a layer and a namespace of its own, `<application>-<environment>`."""

    instead = OF_APPLICATIONS

    name: Name = Field(description="The environment's name, such as dev.")
    tag: str = Field(default="", description="The image's tag: a fixed one, with its digest (1.2.3@sha256:…) if you like.")
    state: Literal["online", "offline"] = Field(default="online", description="offline scales to zero: no pods, no autoscaler.")
    replicas: int | None = Field(default=None, ge=0, description="How many pods; 1 by default, not set with autoscaling.")
    autoscaling: Autoscaling | None = Field(default=None, description="Let the number of pods follow their CPU usage.")
    disruption_budget: DisruptionBudget | None = Field(default=None, description="How many pods a drain has to leave running.")
    route: AppRoute | None = Field(default=None, description="The way in by HTTP, through the ingress controller.")
    node_ports: dict[str, NodePort] = Field(
        default_factory=dict,
        description="Ways in past the ingress controller: names of `ports`, or http, and the port of the machine that runs it.",
    )
    load_balancer: tuple[str, ...] = Field(
        default=(), description="The same at the ports' own numbers, such as 53 for DNS: names of `ports`, or http."
    )
    interval: Duration | None = Field(default=None, description="How often Flux reconciles; by default, as the application says.")
    timeout: Duration | None = Field(default=None, description="How long Flux waits; by default, as the application says.")
    resources: Resources | None = Field(default=None, description="In place of the application's.")
    volume: Volume | None = Field(default=None, description="In place of the application's.")
    volumes: tuple[NamedVolume, ...] = Field(default=(), description="More of them, or others in place of those with their names.")
    files: Files = Field(default_factory=dict, description="More config files, or others in place of those at their paths.")
    node_selector: Labels | None = Field(default=None, description="In place of the application's.")
    viewers: Viewers | None = Field(default=None, description="In place of the application's.")
    env: Variables = Field(default_factory=dict, description="Environment variables, merged over the application's.")
    secrets: tuple[Name, ...] = Field(default=(), description="More Secrets, besides the application's.")
    allow: Allow = Field(default_factory=Allow, description="More that the network policy lets through.")
    depends_on: tuple[Name, ...] = Field(default=(), description="More to wait for.")
    version: Version | None = Field(default=None, description="The chart's version, in place of the application's.")
    values: dict[str, Any] = Field(default_factory=dict, description="Values of the chart, merged over the application's.")

    @property
    def opened(self) -> bool:
        """Whether a port of the machines leads in."""
        return bool(self.node_ports or self.load_balancer)


class Application(Described):
    """An image or a chart and its environments, each of which has what the application says; or the path of your manifests."""

    instead = OF_APPLICATIONS
    name: Name = Field(description="The application's name, and its Deployment's and Service's.")
    path: Annotated[str, AfterValidator(_directory)] | None = Field(
        default=None, description="A directory of this repository with manifests of your own, in place of an image."
    )
    image: str | None = Field(default=None, min_length=1, description="The image without a tag; each environment names its tag.")
    chart: OwnChart | None = Field(default=None, description="A Helm chart, in place of an image.")
    environments: tuple[Environment, ...] = Field(default=(), description="Where it runs.")
    interval: Duration = Field(default=Duration("10m"), description="How often Flux reconciles.")
    timeout: Duration = Field(default=Duration("5m"), description="How long Flux waits for it to become ready.")
    depends_on: tuple[Name, ...] = Field(
        default=(),
        description="Layers, or Kustomizations of yours, to wait for besides what it evidently needs.",
    )
    port: Port | None = Field(default=None, description="The port it listens on; without one, no Service and no probes.")
    ports: tuple[ExtraPort, ...] = Field(default=(), description="More ports that it listens on.")
    probes: Probes = Field(default_factory=Probes, description="How its health is checked.")
    metrics: Metrics | None = Field(default=None, description="Where its metrics are; without it, nobody collects them.")
    command: tuple[Text, ...] = Field(default=(), description="In place of the image's entrypoint.")
    args: tuple[Text, ...] = Field(default=(), description="In place of the image's arguments.")
    init_containers: tuple[InitContainer, ...] = Field(
        default=(), description="What runs to its end before it starts, in this order."
    )
    env: Variables = Field(default_factory=dict, description="Environment variables. No secrets: those come from `secrets`.")
    secrets: tuple[Name, ...] = Field(
        default=(),
        description="Secrets in its namespaces whose keys become environment variables; a chart's are named by its values.",
    )
    image_pull_secrets: tuple[Name, ...] = Field(
        default=(),
        description="Secrets in its namespaces with the credentials for its registry; a chart's are named by its values.",
    )
    resources: Resources = Field(default_factory=_small, description="What a pod gets: 50m and 64Mi, up to 256Mi, by default.")
    volume: Volume | None = Field(default=None, description="A volume for each environment; none by default.")
    volumes: tuple[NamedVolume, ...] = Field(default=(), description="More volumes for each environment.")
    files: Files = Field(
        default_factory=dict, description="Config files: the path of each, and its text. No secrets. A change restarts the pods."
    )
    secret_files: SecretFiles = Field(
        default_factory=dict,
        description="Directories of secret files: the path of each, and the Secret whose keys are its files.",
    )
    devices: tuple[Device, ...] = Field(
        default=(), description="Devices of the machine, which nodeSelector has to name; the container is then privileged."
    )
    node_selector: Labels | None = Field(default=None, description="Labels of the machines that may run it; by default, any may.")
    tolerations: tuple[Toleration, ...] = Field(default=(), description="Taints of machines that may run it all the same.")
    run_as_user: Annotated[int, BeforeValidator(_not_root), Field(ge=1)] | None = Field(
        default=None, description="The user ID; needed where the image gives its user as a name, or runs as root."
    )
    run_as_root: RunAsRoot | None = Field(
        default=None, description="Only for an image that cannot run as another user; its namespace admits more then."
    )
    supplemental_groups: tuple[Annotated[int, Field(ge=1)], ...] = Field(
        default=(), description="More groups of its user, such as 20, Debian's dialout, for a device."
    )
    read_only_root_filesystem: bool = Field(default=True, description="Whether only /tmp and the volumes can be written to.")
    allow: Allow = Field(default_factory=Allow, description="What the network policy lets through.")
    viewers: Viewers | None = Field(
        default=None, description="The group of people who may view its namespaces, as the API server knows it."
    )
