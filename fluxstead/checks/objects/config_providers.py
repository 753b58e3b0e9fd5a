"""Who may create a ConfigMap or a Secret that no file shows: charts, operators, and pods that are allowed to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.objects.opaque_namespaces import OpaqueNamespaces, is_custom
from fluxstead.checks.reading.applied_tree import AppliedTree
from fluxstead.checks.reading.store import texts_of
from fluxstead.core.manifest import ObjectRef
from fluxstead.core.shape import entries_of, mapping

_RESOURCES = {"ConfigMap": "configmaps", "Secret": "secrets"}
_COPIED = ("reflect", "replicat")
"""In the annotations by which the usual controllers (emberstack reflector, mittwald replicator) copy to other namespaces."""


class ConfigProviders:
    """Read once from a tree, so that each question is one lookup."""

    def __init__(self, tree: AppliedTree, opaque_namespaces: OpaqueNamespaces) -> None:
        self._known: set[ObjectRef] = set()
        self._copied: set[tuple[str, str]] = set()
        for item in tree.of(*_RESOURCES):
            self._known.add(item.ref if item.ref.namespace else item.ref._replace(namespace="default"))
            if any(word in key for key in mapping(mapping(item.object, "metadata"), "annotations") for word in _COPIED):
                self._copied.add((item.ref.kind, item.ref.name))
        self._opaque_namespaces = opaque_namespaces
        # Operators that issue, copy or fetch secrets name what they create somewhere in their own objects.
        self._named = {text for item in tree.objects if is_custom(item) for text in _texts(item.object)}
        self._allowed = {kind: _allowed(tree, resource) for kind, resource in _RESOURCES.items()}

    def provides(self, ref: ObjectRef) -> bool:
        """Whether the tree has it, or an object that names it may create it."""
        if (ref.kind, ref.name) == ("ConfigMap", "kube-root-ca.crt"):
            return True  # which Kubernetes puts into every namespace
        return ref in self._known or (ref.kind, ref.name) in self._copied or ref.name in self._named

    def may_provide(self, ref: ObjectRef) -> bool:
        """Whether it is there, or may be created by something in its namespace that no file shows."""
        return self.provides(ref) or ref.namespace in self._opaque_namespaces or ref.namespace in self._allowed[ref.kind]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _allowed(tree: AppliedTree, resource: str) -> set[str]:
    """The namespaces of those that RBAC lets create such objects."""
    roles: dict[tuple[str, str, str], bool] = defaultdict(bool)
    for role in tree.of("Role", "ClusterRole"):
        for rule in entries_of(role.object, "rules"):
            verbs, resources = texts_of(rule, "verbs"), texts_of(rule, "resources")
            if {"create", "*"} & set(verbs) and {resource, "*"} & set(resources):
                roles[role.ref.kind, role.ref.namespace if role.ref.kind == "Role" else "", role.ref.name] = True
    found = set()
    for binding in tree.of("RoleBinding", "ClusterRoleBinding"):
        role_ref = mapping(binding.object, "roleRef")
        kind = str(role_ref.get("kind"))
        if roles[kind, binding.ref.namespace if kind == "Role" else "", str(role_ref.get("name"))]:
            found |= {str(one.get("namespace") or binding.ref.namespace) for one in entries_of(binding.object, "subjects")}
            found |= {binding.ref.namespace} - {""}
    return found
