"""Which controller an Ingress is for."""

from __future__ import annotations

from fluxstead.checks.reading.applied_tree import AppliedObject, annotation


def ingress_class_of(item: AppliedObject) -> str:
    """The class of an Ingress, also by the annotation of old; empty where it names none, and the default class takes it."""
    return str(item.spec.get("ingressClassName") or annotation(item, "kubernetes.io/ingress.class") or "")
