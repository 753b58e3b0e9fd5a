"""Mistakes with certificates, and with what asks for them."""

from __future__ import annotations

from tests.rules.mistakes import STACK, edge, reference

_ACME = """    issuer: acme
    version: 1.21.1
    acme:
      email: admin@example.test
      server: production
      rfc2136:
        nameserver: 10.20.0.2
        keyName: cert-manager.example.test
      nameservers: [10.20.0.2]
      domain: example.test
"""
_GIVEN = "    issuer: given\n    given: [{secret: some, hosts: [api.example.test, wiki.example.test]}]\n"
_PORTS = "    httpsPort: 30443\n"

OF_WAYS_IN = (
    edge("certificates/staging", "server: staging", ("server: production", "server: staging")),
    edge("certificates/address", "route:", ("        host: grafana.example.test\n", "")),
    edge("certificates/not-public", "route:", ("host: grafana.example.test", "host: grafana.home.arpa")),
    edge("certificates/not-public", "domain: lan.internal", ("domain: example.test", "domain: lan.internal")),
    edge("certificates/not-covered", "route:", (_ACME, _GIVEN), beside="secrets/missing secrets/unused"),
    edge(
        "tree/secret-twice",
        "wiki",
        (_ACME, "    issuer: given\n    given: [{secret: wiki-settings, hosts: ['*.example.test']}]\n"),
        beside="secrets/missing secrets/unused",
    ),
    edge(
        "certificates/said-otherwise",
        "enabled: false",
        ("      domain: example.test\n", "      domain: example.test\n    values:\n      crds: {enabled: false}\n"),
    ),
    reference(
        "ingress/plain-http",
        "force-ssl-redirect",
        (STACK, _PORTS, f"{_PORTS}    values:\n      controller: {{config: {{force-ssl-redirect: 'false'}}}}\n"),
    ),
)
