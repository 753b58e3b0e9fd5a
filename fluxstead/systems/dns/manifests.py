"""The one layer of names: what k3s's CoreDNS reads besides its own configuration."""

from __future__ import annotations

from collections.abc import Sequence

from fluxstead.core.manifest import Manifest
from fluxstead.core.network import IpAddress
from fluxstead.core.platform import Platform
from fluxstead.nodes.model import Node
from fluxstead.systems.dns.checks import findings_of
from fluxstead.systems.dns.settings import DnsSettings
from fluxstead.tree.layer import Layer, Plan


def plan(settings: DnsSettings | None, platform: Platform, nodes: Sequence[Node]) -> Plan:
    """One layer, or none where no name is described."""
    if settings is None or not settings.records:
        return Plan()
    source = settings.source_of("records")
    names = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "coredns-custom", "namespace": "kube-system"},
        "data": {f"{name}.server": _server(name, address) for name, address in sorted(settings.records.items())},
    }
    return Plan(
        layers=(Layer(name="dns", group="infrastructure", source=source, manifests=(Manifest(names, source),)),),
        findings=tuple(findings_of(settings, platform, nodes)),
    )


def _server(name: str, address: IpAddress) -> str:
    """A server block of its own: a block can have `hosts` only once, and k3s's own has it already (k3s: manifests/coredns.yaml).

    Names below this one, which end up in the block too, go to the node's own resolver.
    """
    return f"""\
{name}:53 {{
    errors
    hosts {{
        {address} {name}
        fallthrough
    }}
    forward . /etc/resolv.conf
}}
"""


def names_of(nodes: Sequence[Node], settings: DnsSettings | None) -> tuple[str, ...]:
    """The described names that lead to a machine."""
    own = {address for node in nodes for address in (node.address, node.second_address) if address}
    return tuple(name for name, address in settings.records.items() if address in own) if settings else ()
