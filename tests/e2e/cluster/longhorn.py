"""What Longhorn's admission webhook refuses of its Nodes, by the rules and in the words of the real one.

longhorn-manager v1.9.0: webhook/resources/node/validator.go, in its order, and the node's tags and CPU requests left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.e2e.cluster.api import Json

WEBHOOK = "longhorn-webhook-validator"
MISMATCH = "are being syncing and please retry later"


def configuration(url: str, authority: str) -> Json:
    """What a manager registers when it serves: updates of Nodes and not of their status; without an answer, none is admitted."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK},
        "webhooks": [
            {
                "name": "validator.longhorn.io",
                "clientConfig": {"url": url, "caBundle": authority},
                "rules": [
                    {
                        "apiGroups": ["longhorn.io"],
                        "apiVersions": ["v1beta2"],
                        "operations": ["UPDATE"],
                        "resources": ["nodes"],
                        "scope": "Namespaced",
                    }
                ],
                "failurePolicy": "Fail",
                "matchPolicy": "Exact",
                "sideEffects": "None",
                "admissionReviewVersions": ["v1"],
            }
        ],
    }


def refusal(request: Json) -> str | None:
    """Why the update of a Node is refused; None where it is admitted, or is of something else."""
    if request["resource"]["resource"] != "nodes" or request["operation"] != "UPDATE":
        return None
    return next(_refusals(request["oldObject"], request["object"]), None)


def _refusals(old: Json, new: Json) -> Iterator[str]:
    name, spec = old["metadata"]["name"], new["spec"]
    if spec.get("evictionRequested") and spec.get("allowScheduling"):
        yield (f"need to disable scheduling on node {name} for node eviction, or cancel eviction to enable scheduling on this node")
    was, seen = old["spec"].get("disks") or {}, old.get("status", {}).get("diskStatus") or {}
    if was.keys() != seen.keys():
        yield f"spec and status of disks on node {name} {MISMATCH}."
    disks = spec.get("disks") or {}
    for key, disk in disks.items():
        if disk.get("evictionRequested") and disk.get("allowScheduling"):
            yield (
                f"need to disable scheduling on disk {key} for disk eviction, or cancel eviction to enable scheduling on this disk"
            )
        if disk.get("storageReserved", 0) < 0:
            yield f"update disk on node {name} error: The storageReserved setting of disk {key}({disk.get('path')}) is not valid"
    for key in was.keys() - disks.keys():
        if was[key].get("allowScheduling") or seen[key].get("storageScheduled"):
            path = was[key].get("path")
            yield f"Delete Disk on node {key} error: Please disable the disk {path} and remove all replicas first "
