"""The account that Flux applies an application as: all of its namespace that a layer needs, and nothing anywhere else.

Everything that Flux does for a layer it does as this account: apply, look whether it is ready, and delete what left. Without the
account, or its role, Flux leaves an application running when its layer goes (kustomize-controller: `finalize`). So both are never
pruned, and nor is the namespace that holds the role: whichever of the two layers Flux deletes first, the other can end its work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.core.manifest import KEEP
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.systems.applications.instance import Instance

_NAME = "flux"
"""Of role and binding, in the application's namespace."""
_RBAC = "rbac.authorization.k8s.io"
_READ = ("get", "list", "watch")
_HELM, _RELEASES = "helm.toolkit.fluxcd.io", "helmreleases"
"""Only an application from a chart may have one: helm-controller installs what it says with its own rights. None is pruned."""

_APPLIED: Mapping[str, tuple[str, ...]] = {
    "": ("configmaps", "persistentvolumeclaims", "serviceaccounts", "services"),
    "apps": ("deployments",),
    "autoscaling": ("horizontalpodautoscalers",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "source.toolkit.fluxcd.io": ("helmrepositories",),
    "traefik.io": ("middlewares",),
}
"""What an application's layer can have, as RBAC names it, by API group; routes with any controller, or none.

It does not follow from what the layer has now: what a commit takes out is deleted by the account when the role is the commit's.
"""

_READ_ONLY: Mapping[str, tuple[str, ...]] = {
    # Flux asks for the pods of a Deployment to tell why it is not ready (cli-utils: pkg/kstatus/polling/statusreaders).
    "": ("limitranges", "namespaces", "pods", "resourcequotas"),
    "apps": ("replicasets",),
    _RBAC: ("rolebindings",),
}
"""What it only reads: what belongs to a Deployment; and what its layer had itself before the namespace had a layer of its own.

Flux looks at what left a layer, and leaves it alone where it belongs to another one by now (fluxcd/pkg: ssa, `Delete`).
"""


def account_of(instance: Instance) -> str:
    """The account's name. It lives beside Flux's own, whose names no prefix of ours can give."""
    return account_in(instance.name)


def account_in(namespace: str) -> str:
    """The account of the application that has this namespace."""
    return f"app-{namespace}"


def account(instance: Instance) -> Iterator[dict[str, Any]]:
    """The account, its role and what binds them."""
    yield {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": account_of(instance), "namespace": FLUX_NAMESPACE, "annotations": dict(KEEP)},
        "automountServiceAccountToken": False,
    }
    metadata = {"name": _NAME, "namespace": instance.name, "annotations": dict(KEEP)}
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "Role",
        "metadata": metadata,
        "rules": list(_rules(of_a_chart=instance.app.chart is not None)),
    }
    yield {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": dict(metadata),
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": _NAME},
        "subjects": [{"kind": "ServiceAccount", "name": account_of(instance), "namespace": FLUX_NAMESPACE}],
    }


def _rules(*, of_a_chart: bool) -> Iterator[dict[str, Any]]:
    for group, applied in _APPLIED.items():
        yield {"apiGroups": [group], "resources": list(applied), "verbs": ["create", "delete", *_READ, "patch"]}
    if of_a_chart:
        yield {"apiGroups": [_HELM], "resources": [_RELEASES], "verbs": ["create", *_READ, "patch"]}
    for group, read in {**_READ_ONLY, **({} if of_a_chart else {_HELM: (_RELEASES,)})}.items():
        yield {"apiGroups": [group], "resources": list(read), "verbs": list(_READ)}
