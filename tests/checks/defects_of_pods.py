"""The planted defects of whether pods can run, and nodes can leave."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.planted import DEPLOYMENT, WEB, Planted, layer, machine

_POD = "{containers: [{"
_KEPT_AWAY = {"key": "gpu", "effect": "NoSchedule"}
_PLANNED = machine(name="k3s2", address="192.168.86.72", role="agent", state="planned", disks=[])


def _site(more: str) -> str:
    return DEPLOYMENT.replace(_POD, f"{{{more}, containers: [{{")


OF_PODS: Mapping[str, Planted] = {
    "placement/missing-node": Planted(
        files=layer("web", WEB, _site("nodeSelector: {kubernetes.io/hostname: k3s9}")),
        cure=("hostname: k3s9", "hostname: k3s1"),
        says="asks for the machine k3s9, which is not described",
        nodes=[machine()],
    ),
    "placement/missing-label": Planted(
        files=layer("web", WEB, _site("nodeSelector: {disk: ssd}")),
        cure=("disk: ssd", "disk: hdd"),
        says="asks for machines with disk=ssd",
        nodes=[machine(labels={"disk": "hdd"})],
    ),
    "placement/nowhere": Planted(
        files=layer("web", WEB, DEPLOYMENT, DEPLOYMENT.replace("name: site}", "name: other}", 1)),
        cure=(_POD, "{tolerations: [{operator: Exists}], containers: [{"),
        says="every machine keeps 2 workloads away: Deployment web/site and 1 more",
        nodes=[machine(taints=[_KEPT_AWAY])],
    ),
    "placement/nowhere-yet": Planted(
        files=layer("web", WEB, DEPLOYMENT),
        cure=(_POD, "{tolerations: [{key: gpu, operator: Exists}], containers: [{"),
        says="until k3s2 joins, every machine keeps Deployment web/site away",
        nodes=[machine(taints=[_KEPT_AWAY]), _PLANNED],
    ),
    "placement/all-tainted": Planted(
        files=layer("web", WEB),
        cure=("web", "site"),
        says="every machine keeps pods away",
        nodes=[machine(taints=[_KEPT_AWAY])],
    ),
}
"""Not cured by a change of the files: `placement/all-tainted`, which is about the machines."""
OF_MACHINES = frozenset({"placement/all-tainted"})
