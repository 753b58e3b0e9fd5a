"""Who acts: the ServiceAccounts that pods and Flux run as, and what RBAC grants to whom (failure F2).

The API server accepts a RoleBinding whatever it names, and then silently grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.catalog.nearest import nearest
from fluxstead.checks.reading.store import entries_of, line_with
from fluxstead.checks.reading.view import Item, View
from fluxstead.checks.rule import Rule
from fluxstead.checks.subject import Subject
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import mapping

MISSING_ROLE = refuses("references/missing-role", "F2", "RoleBinding web/site grants Role sit, which does not exist")
MISSING_SERVICE_ACCOUNT = refuses(
    "references/missing-service-account",
    "F2",
    "Kustomization flux-system/web acts as ServiceAccount flux-system/reconcilr, which does not exist",
)
MISSING_SUBJECT = warns(
    "references/missing-subject", "F2", "RoleBinding web/site binds a role to ServiceAccount web/sit, which does not exist"
)

_RBAC = "rbac.authorization.k8s.io"
_OF_FLUX = frozenset(
    {
        *("source-controller", "kustomize-controller", "helm-controller", "notification-controller", "source-watcher"),
        *("image-reflector-controller", "image-automation-controller", "flux-operator"),
    }
)
_ROLES = frozenset({"cluster-admin", "admin", "edit", "view"})
"""ClusterRoles that every Kubernetes has, besides those called `system:…`."""


def service_accounts(subject: Subject) -> Iterator[Finding]:
    """What pods run as, and what Flux applies and installs as."""
    view = subject.view
    for item, one in () if view.partial else subject.names.of(*WORKLOADS, "Kustomization", "HelmRelease", kinds={"ServiceAccount"}):
        # What acts in another cluster uses an account of that cluster.
        if "kubeConfig" not in item.spec and _is_missing(subject, item, item.ref.namespace, one.ref.name):
            yield MISSING_SERVICE_ACCOUNT(
                line_with(view.store, item.document, one.ref.name),
                what=f"{item} acts as ServiceAccount {item.ref.namespace}/{one.ref.name}, which does not exist",
                why="the API server refuses its pods"
                if item.ref.kind in WORKLOADS
                else "the API server refuses everything it applies",
                write=nearest(one.ref.name, _accounts_in(view, item.ref.namespace))
                or f"a ServiceAccount {one.ref.name} in namespace {item.ref.namespace}",
            )


def _is_missing(subject: Subject, item: Item, namespace: str, name: str) -> bool:
    there = name == "default" or (namespace == FLUX_NAMESPACE and name in _OF_FLUX)
    unknown = not namespace or namespace == "kube-system" or "${" in namespace + name
    if there or unknown or subject.view.one(ObjectRef("", "ServiceAccount", namespace, name)):
        return False
    return not subject.opaque.apart_from(item, namespace)


def _accounts_in(view: View, namespace: str) -> list[str]:
    return [one.ref.name for one in view.of("ServiceAccount") if one.ref.namespace == namespace]


def roles(subject: Subject) -> Iterator[Finding]:
    """What RoleBindings grant."""
    view = subject.view
    for item in () if view.partial else view.of("RoleBinding", "ClusterRoleBinding"):
        reference = mapping(item.object, "roleRef")
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        namespace = item.ref.namespace if kind == "Role" else ""
        if not item.whole or "${" in name + namespace or view.one(ObjectRef(_RBAC, kind, namespace, name)):
            continue
        # A ClusterRole may come with any chart.
        unknown = namespace in subject.opaque if kind == "Role" else subject.opaque.anywhere
        built_in = kind == "ClusterRole" and (name in _ROLES or name.startswith("system:") or name.endswith(FLUX_NAMESPACE))
        if not unknown and not built_in:
            known = [one.ref.name for one in view.of(kind) if one.ref.namespace == namespace]
            yield MISSING_ROLE(
                line_with(view.store, item.document, "roleRef"),
                what=f"{item} grants {kind} {name}, which does not exist",
                why="the API server accepts it, and grants nothing",
                write=nearest(name, [*known, *(_ROLES if kind == "ClusterRole" else ())]) or f"a {kind} {name}",
            )


def subjects(subject: Subject) -> Iterator[Finding]:
    """The ServiceAccounts that RoleBindings name."""
    view = subject.view
    if view.partial:
        return
    # kustomize moves the subjects of a binding along with the accounts of its directory.
    beside = {(item.unit.index, item.ref.name) for item in view.of("ServiceAccount")}
    for item in view.of("RoleBinding", "ClusterRoleBinding"):
        for one in entries_of(item.object, "subjects") if item.whole else ():
            namespace, name = str(one.get("namespace") or item.ref.namespace), str(one.get("name"))
            if one.get("kind") != "ServiceAccount" or (item.unit.index, name) in beside:
                continue
            if _is_missing(subject, item, namespace, name):
                yield MISSING_SUBJECT(
                    line_with(view.store, item.document, name),
                    what=f"{item} binds a role to ServiceAccount {namespace}/{name}, which does not exist",
                    why="unless somebody creates it in the cluster by hand, nobody gets the permissions",
                    write=nearest(name, _accounts_in(view, namespace)) or f"a ServiceAccount {name} in namespace {namespace}",
                )


RULES = (
    Rule(roles, (MISSING_ROLE,)),
    Rule(service_accounts, (MISSING_SERVICE_ACCOUNT,)),
    Rule(subjects, (MISSING_SUBJECT,)),
)
