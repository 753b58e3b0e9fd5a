"""Mistakes with certificates, with what asks for them, and with who may come in."""

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
_BASIC, _OIDC = "    by: basic\n", "    by: oidc\n"
_DEV, _PATH = "route: {host: dev.example-app.local}", "        path: /grafana # our choice\n"
_UI, _AT_HOME = "      path: /longhorn\n", "networks: [192.168.86.0/24]"
_PROVIDER = """    oidc:
      version: 10.7.0
      issuer: https://id.example.test
      host: auth.example.test
      groups: [staff]
"""
_UNUSED = "secrets/accepted-in-vain"

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
    reference(
        "access/asks-itself",
        "access: {by: basic}",
        (STACK, _PATH, f"{_PATH}        access: {{by: basic}}\n"),
    ),
    reference(
        "access/no-provider",
        "by: oidc}}",
        (STACK, _DEV, "route: {host: dev.example-app.local, access: {by: oidc}}"),
    ),
    reference(
        "access/no-sign-in",
        "by: oidc}",
        (STACK, _BASIC, f"{_BASIC}    forward: {{address: 'http://authelia.authelia.svc.cluster.local/api'}}\n"),
        (STACK, _DEV, "route: {host: dev.example-app.local, access: {by: oidc}}"),
    ),
    reference(
        "ingress/said-otherwise",
        "externalTrafficPolicy",
        (
            STACK,
            _PORTS,
            f"{_PORTS}    keepSourceAddresses: true\n    values: {{controller: {{service: {{externalTrafficPolicy: Cluster}}}}}}\n",
        ),
    ),
    reference(
        "access/open-site",
        "route: {host",
        (STACK, "  fluxstead:access: # our choice\n    by: basic\n", ""),
        beside=f"access/open-ui {_UNUSED}",
    ),
    reference("access/open-ui", "ui:", (STACK, _BASIC, "    by: open\n    reason: a cluster of nobody else\n"), beside=_UNUSED),
    edge("access/other-domain", "route:", (_PROVIDER, _PROVIDER.replace("auth.example.test", "auth.elsewhere.test"))),
    edge("access/other-domain", "host: auth.test", (_PROVIDER, _PROVIDER.replace("auth.example.test", "auth.test"))),
    reference(
        "access/plain-http",
        "ui:",
        (STACK, "  fluxstead:certificates: # our choice, all of it\n    issuer: own\n    version: 1.21.1\n", ""),
        beside=_UNUSED,
    ),
    edge(
        "access/said-otherwise",
        "fullnameOverride",
        (_PROVIDER, f"{_PROVIDER}      values: {{fullnameOverride: login}}\n"),
    ),
    reference(
        "access/sources-hidden",
        _AT_HOME,
        (STACK, _UI, f"{_UI}      access: {{by: network, {_AT_HOME}}}\n"),
    ),
    edge(
        "access/two-providers",
        "forward:",
        (_PROVIDER, f"{_PROVIDER}    forward: {{address: 'http://authelia.authelia.svc.cluster.local/api/authz/forward-auth'}}\n"),
    ),
)
