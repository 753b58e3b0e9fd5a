"""oauth2-proxy's chart (oauth2-proxy/manifests: helm/oauth2-proxy, values.yaml and templates/deployment.yaml)."""

from __future__ import annotations

from collections.abc import Iterable

from fluxstead.catalog.brings import Brings, Part
from fluxstead.catalog.chart import Chart, SecretName, Values
from fluxstead.core.shape import mapping


def _secrets(values: Values) -> Iterable[SecretName]:
    yield SecretName(mapping(values, "config").get("existingSecret"), ("client-id", "client-secret", "cookie-secret"))


OAUTH2_PROXY = Chart(name="oauth2-proxy", parts=(Part((7, 0), Brings()),), secrets=_secrets, stateless=True)
