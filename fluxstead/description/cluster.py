"""The cluster: what the stack file's configuration says, composed of the systems' settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from fluxstead.bootstrap.files import Credentials
from fluxstead.bootstrap.settings import FluxController, FluxPatch
from fluxstead.core.described import Described
from fluxstead.core.git_names import BranchName, RepositoryUrl, without_login
from fluxstead.core.names import Name
from fluxstead.core.platform import Platform
from fluxstead.core.refusal import refuse
from fluxstead.core.requirement import GroupKind
from fluxstead.core.version import Version
from fluxstead.description.kubernetes import KubernetesSettings
from fluxstead.description.place import HERE, RepositoryPath
from fluxstead.nodes.model import Node
from fluxstead.secrets.settings import SecretsSettings
from fluxstead.systems.access.settings import AccessSettings
from fluxstead.systems.applications.settings import Application
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.systems.datastore.settings import DescribedState
from fluxstead.systems.dns.settings import DnsSettings
from fluxstead.systems.ingress.settings import IngressSettings
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.monitoring.settings import MonitoringSettings


class FluxSettings(Described):
    """The Flux that reconciles the tree."""

    version: Version = Field(description="The Flux release that runs in the cluster, such as 2.6.1; it decides which fields exist.")
    repository: RepositoryUrl | None = Field(default=None, description="The Git URL that Flux syncs, for the tree's README.")
    branch: BranchName = Field(default="main", description="The branch that Flux syncs.")
    directory: RepositoryPath | None = Field(
        default=None,
        description="The folder of this project, from the root of the repository that Flux syncs; '.' is that root.",
    )
    sops_secret: Name | None = Field(
        default=None,
        description="The Secret in flux-system with the age key, by which Flux decrypts SOPS files; without it, it decrypts none.",
    )
    components: tuple[FluxController, ...] = Field(
        default=("source-controller", "kustomize-controller", "helm-controller", "notification-controller"),
        min_length=1,
        description="Flux's controllers, which `./run upgrade flux` installs.",
    )
    patches: tuple[FluxPatch, ...] = Field(
        default=(), description="What `./run upgrade flux` changes in Flux's own manifests, as kustomize patches."
    )
    credentials: Credentials | None = Field(
        default=None,
        description="How Flux logs in to Git: deploy-key (the default for ssh://), token, or none (the default for https://).",
    )
    known_hosts: tuple[str, ...] = Field(
        default=(), description="The Git server's host keys, each a line as `ssh-keyscan HOST` prints it; for a deploy key."
    )
    wait_for_first_sync: bool = Field(
        default=True, description="Whether the `pulumi up` that brings Flux in waits until every layer is Ready."
    )

    @model_validator(mode="after")
    def _as_the_url_says(self) -> Self:
        fits = {"deploy-key": ("ssh://",), "token": ("https://", "http://")}.get(self.credentials or "none", ("",))
        if (self.repository or "").startswith(fits) or self.credentials in {None, "none"}:
            return self
        raise refuse(
            f"credentials: {self.credentials} for the repository {without_login(self.repository or '') or 'that is not described'}",
            why="Flux takes a key for ssh:// alone, and a user and a token for https:// alone",
            fix=f"a repository that begins with {fits[0]}, or other credentials",
        )

    @property
    def place(self) -> str:
        """The folder of this project in the repository; empty for its root."""
        return "" if self.directory in {None, HERE} else str(self.directory)

    @property
    def login(self) -> Credentials:
        """How Flux logs in to Git, also where nothing is said."""
        return self.credentials or ("deploy-key" if (self.repository or "").startswith("ssh://") else "none")


class Acceptance(Described):
    """A warning that the operator knows about and no longer wants to see."""

    id: str = Field(min_length=1, description="The warning's id, shown in brackets; `./run check --list` lists them all.")
    reason: str = Field(min_length=1, description="Why it is acceptable here, for whoever reads the description next.")


class Cluster(Described):
    """The configuration of one stack. Each field is a key of the stack file, with the project's name before it."""

    flux: FluxSettings
    kubernetes: KubernetesSettings
    longhorn: LonghornSettings
    ingress: IngressSettings | None = Field(default=None, description="The ingress controller; none without this section.")
    certificates: CertificatesSettings | None = Field(
        default=None, description="TLS for every route; without this section, routes are plain HTTP."
    )
    access: AccessSettings | None = Field(
        default=None, description="Who may come in by routes; without this section, each route says it itself."
    )
    dns: DnsSettings | None = None
    monitoring: MonitoringSettings | None = Field(default=None, description="Monitoring; none without this section.")
    apps: tuple[Application, ...] = Field(default=(), description="The applications.")
    secrets: SecretsSettings = Field(default_factory=SecretsSettings, description="For whom secrets are encrypted.")

    accept: tuple[Acceptance, ...] = Field(default=(), description="Warnings that are accepted; an error cannot be.")

    def datastore(self, nodes: Sequence[Node]) -> DescribedState:
        """What is described of the datastore and its copies."""
        servers = sum(node.role == "server" and node.state != "leaving" for node in nodes)
        return self.kubernetes.state(servers, self.secrets.people)

    def platform(self, name: str) -> Platform:
        """What every system has to know about the cluster."""
        return Platform(
            cluster=name,
            flux=self.flux.version,
            kubernetes=self.kubernetes.version,
            disabled=frozenset(self.kubernetes.disable),
            kinds=frozenset(map(GroupKind.of, self.kubernetes.kinds)),
            pod_networks=self.kubernetes.pod_cidr,
            configures_etcd=self.kubernetes.datastore == "etcd" and self.kubernetes.binaries is not None,
        )
