"""k3s on one machine as a Pulumi resource: installed where it is absent, looked at where it runs.

A dynamic resource acts when the engine creates or updates it, and never in a preview. Its inputs are what the machine is told, and
the digest of the token's ciphertext; the token itself is decrypted when it is needed, and goes over the operator's own ssh.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi
from pulumi import dynamic

from components.acting import as_told, described_at, node_of, say
from fluxstead.hosts.install import Installer, NotInstalledError
from fluxstead.hosts.joining import left_alone, servers_of
from fluxstead.hosts.kubeconfig import NotUsableError, fetched, file_of, reaches, write
from fluxstead.secrets.operator import values_of
from fluxstead.secrets.operator_needs import K3S_TOKEN
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.tree.staging import NotWritten


class K3sProvider(dynamic.ResourceProvider):
    """Brings k3s to a machine. In a module of its own, so that a state names it and holds none of its code."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Install it, let it join, or look at it."""
        return dynamic.CreateResult(props["node"], {**props, **_brought(props)})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """The same; of what runs, only what differs is said."""
        return dynamic.UpdateResult({**news, **_brought(news)})


class KubeconfigProvider(dynamic.ResourceProvider):
    """Fetches the cluster's kubeconfig, and again where its file is gone, or another cluster's."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Write the file."""
        _fetch(props)
        return dynamic.CreateResult(props["stack"], props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Write it again."""
        _fetch(news)
        return dynamic.UpdateResult(news)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> dynamic.DiffResult:
        """Whether it has to be fetched; this reads the operator's own disk, and dials nobody."""
        same = all(olds.get(key) == news[key] for key in ("project", "stack", "api"))
        return dynamic.DiffResult(changes=not (same and reaches(file_of(news["stack"]), news["api"])))


class K3sResource(dynamic.Resource, module="fluxstead", name="K3s"):
    """k3s on one machine. Outputs: `running`, the release that runs there, and `differs`, what is not as described."""

    running: pulumi.Output[str]
    differs: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        # What the machine says is an output, which the SDK has to know of.
        super().__init__(K3sProvider(), name, {**inputs, "running": None, "differs": None}, opts)


class KubeconfigResource(dynamic.Resource, module="fluxstead", name="Kubeconfig"):
    """The file by which the operator, and the providers here, reach the cluster."""

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(KubeconfigProvider(), name, dict(inputs), opts)


def _brought(props: Mapping[str, Any]) -> dict[str, Any]:
    root, description, scope = described_at(props["project"], props["stack"])
    node = node_of(description, props["node"])
    installer = Installer(
        root,
        servers_of(description.nodes),
        description.cluster.kubernetes.api_address or "",
        lambda: values_of(scope, K3S_TOKEN)["token"],
        lambda line: say(f"{node.name}: {line}"),
        left_alone(description.nodes),
    )
    try:
        found = installer.bring(node, as_told(props["k3s"]))
    except (NotInstalledError, ToolTrouble) as error:
        raise RuntimeError(str(error)) from None
    for line in found.differs:
        installer.say(line)
    return {"running": found.running, "differs": list(found.differs)}


def _fetch(props: Mapping[str, Any]) -> None:
    root, description, _ = described_at(props["project"], props["stack"])
    try:
        write(file_of(props["stack"]), fetched(servers_of(description.nodes), root, props["stack"], props["api"]))
    except (NotUsableError, NotWritten, OSError) as error:
        raise RuntimeError(f"the kubeconfig was not fetched: {error}") from None
