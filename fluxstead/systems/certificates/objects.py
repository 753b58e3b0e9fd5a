"""Certificates in a tree, whoever wrote them."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.store import line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding

ONE_SECRET_TWICE = refuses(
    "certificates/one-secret-twice", "F8", "Certificate web/a and Certificate web/b both write Secret web/site-tls"
)


def secrets(context: CheckContext) -> Iterator[Finding]:
    """Secrets that two Certificates write (cert-manager docs: faq, "duplicate secret names")."""
    first: dict[tuple[str, str], AppliedObject] = {}
    for item in context.tree.of("Certificate"):
        name = item.spec.get("secretName")
        if item.ref.group != "cert-manager.io" or not item.is_final or not isinstance(name, str) or "${" in name:
            continue
        other = first.setdefault((item.ref.namespace, name), item)
        if other.ref != item.ref:
            yield ONE_SECRET_TWICE(
                line_with(context.tree.store, item.document, "secretName"),
                what=f"{other} and {item} both write Secret {item.ref.namespace}/{name}",
                why="cert-manager issues one after the other without an end, until an authority stops answering",
                fix="a secretName of its own for each; or one Certificate with the names of both",
            )


RULES = (Rule(secrets, (ONE_SECRET_TWICE,)),)
