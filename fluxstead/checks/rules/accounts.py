"""Who acts: the ServiceAccounts that pods and Flux run as, and what RBAC grants to whom (failure F2).

The API server accepts a RoleBinding whatever it names, and then silently grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.catalog.kinds import WORKLOADS
from fluxstead.catalog.nearest import nearest
from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, AppliedTree
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.shape import entries_of, mapping

GRANTED_TO_ALL = warns("accounts/everybody", "F21", "ClusterRoleBinding web grants ClusterRole edit to system:authenticated")
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
_EVERYBODY = frozenset({"system:authenticated", "system:unauthenticated", "system:anonymous"})
_ROLES = frozenset({"cluster-admin", "admin", "edit", "view"})
"""ClusterRoles that every Kubernetes has, besides those called `system:…`."""


def service_accounts(context: CheckContext) -> Iterator[Finding]:
    """What pods run as, and what Flux applies and installs as."""
    tree = context.tree
    for item, one in (
        () if tree.partial else context.references.of(*WORKLOADS, "Kustomization", "HelmRelease", kinds={"ServiceAccount"})
    ):
        # What acts in another cluster uses an account of that cluster.
        if "kubeConfig" not in item.spec and _is_missing(context, item, item.ref.namespace, one.ref.name):
            yield MISSING_SERVICE_ACCOUNT(
                line_with(tree.store, item.document, one.ref.name),
                what=f"{item} acts as ServiceAccount {item.ref.namespace}/{one.ref.name}, which does not exist",
                why="the API server refuses its pods"
                if item.ref.kind in WORKLOADS
                else "the API server refuses everything it applies",
                fix=nearest(one.ref.name, _accounts_in(tree, item.ref.namespace))
                or f"a ServiceAccount {one.ref.name} in namespace {item.ref.namespace}",
            )


def _is_missing(context: CheckContext, item: AppliedObject, namespace: str, name: str) -> bool:
    there = name == "default" or (namespace == FLUX_NAMESPACE and name in _OF_FLUX)
    unknown = not namespace or namespace == "kube-system" or "${" in namespace + name
    if there or unknown or context.tree.one(ObjectRef("", "ServiceAccount", namespace, name)):
        return False
    return not context.opaque_namespaces.is_opaque_without(item, namespace)


def _accounts_in(tree: AppliedTree, namespace: str) -> list[str]:
    return [one.ref.name for one in tree.of("ServiceAccount") if one.ref.namespace == namespace]


def roles(context: CheckContext) -> Iterator[Finding]:
    """What RoleBindings grant."""
    tree = context.tree
    if tree.partial:
        return
    for item in tree.of("RoleBinding", "ClusterRoleBinding"):
        reference = mapping(item.object, "roleRef")
        kind, name = str(reference.get("kind")), str(reference.get("name"))
        namespace = item.ref.namespace if kind == "Role" else ""
        if not item.is_final or "${" in name + namespace or tree.one(ObjectRef(_RBAC, kind, namespace, name)):
            continue
        # A ClusterRole may come with any chart.
        unknown = namespace in context.opaque_namespaces if kind == "Role" else context.opaque_namespaces.exist
        built_in = kind == "ClusterRole" and (name in _ROLES or name.startswith("system:") or name.endswith(FLUX_NAMESPACE))
        if not unknown and not built_in:
            known = [one.ref.name for one in tree.of(kind) if one.ref.namespace == namespace]
            yield MISSING_ROLE(
                line_with(tree.store, item.document, "roleRef"),
                what=f"{item} grants {kind} {name}, which does not exist",
                why="the API server accepts it, and grants nothing",
                fix=nearest(name, [*known, *(_ROLES if kind == "ClusterRole" else ())]) or f"a {kind} {name}",
            )


def subjects(context: CheckContext) -> Iterator[Finding]:
    """The ServiceAccounts that RoleBindings name."""
    tree = context.tree
    if tree.partial:
        return
    # kustomize moves the subjects of a binding along with the accounts of its directory.
    beside = {(item.kustomization.index, item.ref.name) for item in tree.of("ServiceAccount")}
    for item in tree.of("RoleBinding", "ClusterRoleBinding"):
        if not item.is_final:
            continue
        for one in entries_of(item.object, "subjects"):
            namespace, name = str(one.get("namespace") or item.ref.namespace), str(one.get("name"))
            if one.get("kind") != "ServiceAccount" or (item.kustomization.index, name) in beside:
                continue
            if _is_missing(context, item, namespace, name):
                yield MISSING_SUBJECT(
                    line_with(tree.store, item.document, name),
                    what=f"{item} binds a role to ServiceAccount {namespace}/{name}, which does not exist",
                    why="unless somebody creates it in the cluster by hand, nobody gets the permissions",
                    fix=nearest(name, _accounts_in(tree, namespace)) or f"a ServiceAccount {name} in namespace {namespace}",
                )


def everybody(context: CheckContext) -> Iterator[Finding]:
    """Roles that are granted to whoever can reach the API server; Kubernetes' own are called `system:…`."""
    for item in context.tree.of("RoleBinding", "ClusterRoleBinding"):
        role = mapping(item.object, "roleRef")
        if not item.is_final or str(role.get("name")).startswith("system:"):
            continue
        for one in entries_of(item.object, "subjects"):
            if str(one.get("name")) in _EVERYBODY:
                yield GRANTED_TO_ALL(
                    line_with(context.tree.store, item.document, str(one["name"])),
                    what=f"{item} grants {role.get('kind')} {role.get('name')} to {one['name']}",
                    why="that is everybody: every pod that has a token, and every person",
                    fix="a group of people, or the ServiceAccount that needs it",
                )


RULES = (
    Rule(everybody, (GRANTED_TO_ALL,)),
    Rule(roles, (MISSING_ROLE,)),
    Rule(service_accounts, (MISSING_SERVICE_ACCOUNT,)),
    Rule(subjects, (MISSING_SUBJECT,)),
)
