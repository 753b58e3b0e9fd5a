"""What can be wrong with certificates in a running cluster (cert-manager: pkg/apis/certmanager/v1, the conditions of its kinds)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fluxstead.core.shape import mapping
from fluxstead.live.conditions import UNSAID, conditions_of
from fluxstead.live.expected import Expected
from fluxstead.live.facts import ClusterFacts, Kind
from fluxstead.live.resources import Resource
from fluxstead.live.rule import LiveRule
from fluxstead.live.rules.flux import RELEASE
from fluxstead.live.trouble import LiveTrouble, Subject, pods_in
from fluxstead.systems.certificates.issuers import LAYER
from fluxstead.systems.certificates.release import NAME

_API, _PAGE = "apis/cert-manager.io/v1", "docs/tasks/tls.md"


class Issued(NamedTuple):
    """A Certificate or an issuer that is not ready."""

    namespace: str
    name: str
    says: str
    issuer: str = ""
    has_one: bool = False


def _of(obj: Mapping[str, Any]) -> Issued | None:
    metadata, spec, status = (mapping(obj, key) for key in ("metadata", "spec", "status"))
    ready = conditions_of(status).get("Ready", UNSAID)
    if ready.status == "True":
        return None
    return Issued(
        str(metadata.get("namespace", "")),
        str(metadata.get("name", "")),
        ready.says or "its controller has said nothing yet",
        str(mapping(spec, "issuerRef").get("name", "")),
        bool(status.get("notAfter")),
    )


CERTIFICATE = Kind(Resource(_API, "certificates"), _of)
ISSUER = Kind(Resource(_API, "clusterissuers", namespaced=False), _of)


def issuers(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Authorities that issue nothing."""
    needs = {need.layer: need for need in expected.needs}
    for one in facts.of(ISSUER):
        need = needs.get(LAYER)
        yield LiveTrouble(
            Subject("issuer", one.name),
            f"is not ready: {one.says}",
            "no certificate is issued or renewed",
            f"kubectl describe clusterissuer {one.name}; ./run secrets",
            _PAGE,
            (Subject("secret", need.qualified_name),) if need else (),
        )


def certificates(expected: Expected, facts: ClusterFacts) -> Iterator[LiveTrouble]:
    """Certificates that are not there, or not renewed: the controller's own answers meanwhile."""
    del expected
    controllers = tuple(pods_in(one.namespace) for one in facts.of(RELEASE) if one.name == NAME)
    for one in facts.of(CERTIFICATE):
        yield LiveTrouble(
            Subject("certificate", f"{one.namespace}/{one.name}"),
            f"{'is not renewed' if one.has_one else 'is not there'}: {one.says}",
            "browsers warn, or will, of every page it is for",
            f"kubectl -n {one.namespace} describe certificate {one.name}",
            _PAGE,
            (Subject("issuer", one.issuer), *controllers),
            also=(Subject("certificates in", one.namespace),),
        )


RULES = (LiveRule(issuers, (ISSUER,)), LiveRule(certificates, (CERTIFICATE, RELEASE)))
