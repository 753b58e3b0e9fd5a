"""The k3s that the machines run: what an operator may say about it, and the only place of its defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from fluxstead.core.described import Described
from fluxstead.core.names import is_host_name
from fluxstead.core.network import Cidrs, is_address
from fluxstead.core.refusal import refuse
from fluxstead.core.requirement import KindName
from fluxstead.core.url import is_safe, split
from fluxstead.core.version import K3sVersion
from fluxstead.hosts.k3s_config import K3sSettings
from fluxstead.systems.datastore.settings import DescribedState, EtcdSnapshots, SqliteBackups

Datastore = Literal["sqlite", "etcd"]

_DIGEST = re.compile(r"[0-9a-f]{64}")
_REGISTRY = re.compile(r"\*|(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:]+\])(?::\d{1,5})?")


def _api_name(value: str) -> str:
    if is_address(value) or is_host_name(value):
        return value
    raise refuse(
        f"{value!r} is neither an IP address nor a host name",
        why="no certificate could name it, and nobody could reach the API by it",
        fix="the address or the name alone, such as 192.168.86.71 or k3s.home.arpa: without https:// and without a port",
    )


def _digest(value: str) -> str:
    if _DIGEST.fullmatch(value):
        return value
    meant = value.removeprefix("sha256:").lower()
    raise refuse(
        f"{value!r} is not a SHA-256",
        why="the machine compares it with the binary that it got, and would install nothing",
        fix=meant if _DIGEST.fullmatch(meant) else "64 digits from 0 to f, as `./run upgrade kubernetes --lock` writes them",
    )


def _registry(value: str) -> str:
    if _REGISTRY.fullmatch(value):
        return value
    raise refuse(
        f"{value!r} is not a registry",
        why="containerd looks a mirror up by the registry's host alone, and this one would never be asked",
        fix=split(value).netloc or value.partition("/")[0] or "docker.io",
    )


def _endpoint(value: str) -> str:
    parts = split(value)
    if parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment:
        if "@" not in parts.netloc:
            return value
        raise refuse(
            "the URL of a mirror has a login in it",
            why="the description is in Git: whatever logs in there does not belong into it (F22)",
            fix="the URL without the login",
        )
    raise refuse(
        f"{value!r} is not the URL of a mirror",
        why="containerd would ask nobody, and pull from the registry itself",
        fix="a URL such as https://mirror.home.arpa:5000",
    )


def _some(value: tuple[str, ...]) -> tuple[str, ...]:
    if value:
        return value
    raise refuse(
        "there is no mirror", why="the registry itself would be asked, as without this line", fix="[https://…], or no such line"
    )


def _origin_of_binaries(value: str) -> str:
    parts = split(value)
    if is_safe(value):
        if "@" not in parts.netloc and not parts.query and not parts.fragment:
            return value.rstrip("/")
        what, fix = f"{value!r} is not the URL of a folder", "a URL such as https://mirror.home.arpa/k3s, without login and query"
    elif "://" in value:
        what, fix = (
            f"{value!r} is not HTTPS",
            f"https://{parts.netloc}{parts.path}" if parts.netloc else "an https URL, or a folder",
        )
    elif value.startswith(("/", "~")):
        what, fix = f"{value!r} is a folder of one machine", "a folder by its path from the project's, such as binaries or ../k3s"
    else:
        return value.rstrip("/") or value
    raise refuse(what, why="whoever runs `pulumi up` takes k3s from there, and sends it to every machine as root", fix=fix)


ApiName = Annotated[str, AfterValidator(_api_name)]
"""An IP address or a host name."""
Digest = Annotated[str, AfterValidator(_digest)]
"""The SHA-256 of a file, in hexadecimal."""
Registry = Annotated[str, AfterValidator(_registry)]
"""A registry as images name it, or `*`."""
MirrorUrls = Annotated[tuple[Annotated[str, AfterValidator(_endpoint)], ...], AfterValidator(_some)]
"""Where its images may be pulled from, tried in this order."""


class Binaries(Described):
    """The SHA-256 of k3s's binary by architecture, as its release publishes them."""

    amd64: Digest | None = Field(default=None, description="Of `k3s`.")
    arm64: Digest | None = Field(default=None, description="Of `k3s-arm64`.")
    arm: Digest | None = Field(default=None, description="Of `k3s-armhf`.")

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if self.digests():
            return self
        raise refuse(
            "there is no digest",
            why="with `binaries` k3s is installed, and no binary could be",
            fix="no `binaries`; or `./run upgrade kubernetes --lock`, which writes them",
        )

    def digests(self) -> dict[str, str]:
        """By architecture."""
        found = {"amd64": self.amd64, "arm64": self.arm64, "arm": self.arm}
        return {architecture: digest for architecture, digest in found.items() if digest}


class KubernetesSettings(Described):
    """The k3s that the nodes run."""

    instead: ClassVar[Mapping[str, str]] = {
        "clusterCidr": "podCidr",
        "registries": "registryMirrors",
        "kubeletArg": "config: {kubelet-arg: […]}",
        "token": "nothing: ./run secrets asks for it",
        "stateBackups": "sqliteBackups; or etcdSnapshots, where the datastore is etcd",
    }

    version: K3sVersion = Field(description="The k3s release; it decides which API versions exist.")
    disable: tuple[Literal["coredns", "servicelb", "traefik", "local-storage", "metrics-server"], ...] = Field(
        default=(), description="Parts of k3s that are switched off, as in k3s's own --disable."
    )
    kinds: tuple[KindName, ...] = Field(
        default=(), description="Custom kinds that something outside Flux installs before it, such as Certificate.cert-manager.io."
    )
    node_cidr: Cidrs = Field(default=(), description="The network of the nodes; their addresses have to be in it.")
    pod_cidr: Cidrs = Field(default=(ip_network("10.42.0.0/16"),), description="k3s's --cluster-cidr.")
    service_cidr: Cidrs = Field(default=(ip_network("10.43.0.0/16"),), description="k3s's --service-cidr.")
    datastore: Datastore = Field(
        default="sqlite", description="Where the servers keep the cluster: sqlite for one, etcd for three or five of them."
    )
    api_address: ApiName | None = Field(
        default=None,
        description="The address or name by which machines and people reach the API, such as a load balancer's;"
        " by default the first server's address.",
    )
    tls_san: tuple[ApiName, ...] = Field(
        default=(), description="More names and addresses in the API server's certificate; apiAddress and the servers' are in it."
    )
    registry_mirrors: dict[Registry, MirrorUrls] = Field(
        default_factory=dict, description="Where images of a registry are pulled from first; '*' stands for every registry."
    )
    secrets_encryption: bool = Field(
        default=False, description="Whether the datastore holds Secrets encrypted; decided when the cluster is first started."
    )
    etcd_snapshots: EtcdSnapshots | None = Field(
        default=None, description="Copies of etcd; without it, as k3s takes them by itself."
    )
    sqlite_backups: SqliteBackups | None = Field(
        default=None, description="Encrypted copies of SQLite's file and the token, taken while k3s runs; without it, none."
    )
    config: dict[str, Any] = Field(
        default_factory=dict, description="More keys of k3s's own configuration file, for every machine that knows them."
    )
    binaries: Binaries | None = Field(
        default=None,
        description="The binaries' SHA-256, which `./run upgrade kubernetes --lock` writes; without it, k3s is not installed.",
    )
    binaries_from: Annotated[str, Field(min_length=1), AfterValidator(_origin_of_binaries)] | None = Field(
        default=None,
        description="Where k3s comes from, if not from its releases on GitHub: a URL laid out as they are, or a folder.",
    )

    def for_hosts(self) -> K3sSettings:
        """What goes into k3s's configuration."""
        names = (self.api_address, *self.tls_san) if self.api_address else self.tls_san
        snapshots = self.etcd_snapshots
        return K3sSettings(
            version=self.version,
            disable=self.disable,
            pod_networks=self.pod_cidr,
            service_networks=self.service_cidr,
            names=tuple(dict.fromkeys(names)),
            secrets_encryption=self.secrets_encryption,
            snapshots=(snapshots.schedule, snapshots.retention) if snapshots and self.datastore == "etcd" else None,
            config=self.config,
        )

    def state(self, servers: int, people: tuple[str, ...]) -> DescribedState:
        """What is described of the datastore and its copies, for that many servers and these recipients."""
        return DescribedState(
            kind=self.datastore,
            snapshots=self.etcd_snapshots,
            backups=self.sqlite_backups,
            servers=servers,
            people=people,
            configures=self.binaries is not None,
            version=self.version,
            config=self.config,
            place_of=self.source_of,
        )
