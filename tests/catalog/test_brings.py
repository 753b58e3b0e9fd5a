"""What charts and k3s bring to a cluster."""

from __future__ import annotations

import pytest

from fluxstead.catalog.brings import Brings, k3s_brings
from fluxstead.catalog.brings.model import kinds
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.requirement import GroupKind
from fluxstead.core.version import Version
from fluxstead.roster import SYSTEM_FACTS

REFERENCE = Version("v1.33.1+k3s1")


def of(chart: str, version: str) -> Brings:
    """What a chart that is in the table brings."""
    brings = SYSTEM_FACTS.charts.brings(chart, version)
    assert brings
    return brings


def test_a_chart_that_is_not_in_the_table_is_none() -> None:
    """Unknown gives None; only a known chart that brings nothing gives an empty answer."""
    assert SYSTEM_FACTS.charts.brings("podinfo", "6.0.0") is None
    assert SYSTEM_FACTS.charts.brings("longhorn", "1.4.0") is None
    assert SYSTEM_FACTS.charts.brings("cert-manager", "v1.21.1")


@pytest.mark.parametrize("version", ["1.9.0", "1.12.1"])
def test_longhorn_brings_the_kinds_that_its_version_has(version: str) -> None:
    """Two tables from two places: the list of CRDs and the schemas."""
    schemas = Schemas(kubernetes=REFERENCE, flux=Version("2.6.1"), longhorn=Version(version))
    newest = of("longhorn", "1.12.1").crds
    brought = of("longhorn", version).crds
    assert brought == {crd for crd in newest if schemas.knows("longhorn.io/v1beta2", crd.kind)}
    assert len(brought) >= 21


def test_longhorn_brings_its_classes() -> None:
    """Failures F1 and U5: what needs a volume waits for the class; `longhorn-static` came with 1.6.3."""
    assert of("longhorn", "1.6.2").storage_classes == {"longhorn"}
    assert of("longhorn", "1.9.0").storage_classes == {"longhorn", "longhorn-static"}
    assert of("longhorn", "1.9.0").default_storage_class == "longhorn"


def test_longhorn_brings_its_priority_class() -> None:
    """Since 1.6.0; the other charts of the table bring none."""
    assert of("longhorn", "1.5.5").priority_classes == set()
    assert of("longhorn", "1.6.0").priority_classes == of("longhorn", "1.12.1").priority_classes == {"longhorn-critical"}


def test_the_monitoring_stack_brings_its_kinds() -> None:
    """Ten CRDs."""
    brings = of("kube-prometheus-stack", "75.6.0")
    assert len(brings.crds) == 10
    assert GroupKind("monitoring.coreos.com", "ServiceMonitor") in brings.crds


def test_ingress_controllers_bring_their_classes() -> None:
    """Only Traefik's claims to be the default."""
    nginx, traefik = of("ingress-nginx", "4.12.3"), of("traefik", "41.3.0")
    assert nginx.ingress_classes == {"nginx"}
    assert nginx.default_ingress_class is None
    assert traefik.ingress_classes == {"traefik"}
    assert traefik.default_ingress_class == "traefik"
    assert GroupKind("traefik.io", "Middleware") in traefik.crds


def test_the_gateway_api_left_traefiks_chart() -> None:
    """Whoever upgrades past 40.1 has to bring its CRDs."""
    assert GroupKind("gateway.networking.k8s.io", "HTTPRoute") in of("traefik", "40.1.0").crds
    assert GroupKind("gateway.networking.k8s.io", "HTTPRoute") not in of("traefik", "40.2.0").crds


def test_k3s_brings_a_class_for_volumes_and_one_for_ingresses() -> None:
    """They are there unless `disable` names them."""
    whole, bare = k3s_brings((), REFERENCE), k3s_brings(("traefik", "local-storage", "servicelb"), REFERENCE)
    assert whole.default_storage_class == "local-path"
    assert whole.default_ingress_class == "traefik"
    assert GroupKind("traefik.io", "Middleware") in whole.crds
    assert bare.storage_classes | bare.ingress_classes == set()
    assert not [crd for crd in bare.crds if "traefik" in crd.group]
    for brings in (whole, bare):
        assert kinds("helm.cattle.io", "HelmChart HelmChartConfig") | kinds("k3s.cattle.io", "Addon") <= brings.crds


def test_what_k3s_brings_depends_on_its_version() -> None:
    """Traefik 2 until 1.32.1, the Gateway API with Traefik from 1.32.2, by itself from 1.37."""
    route, old = GroupKind("gateway.networking.k8s.io", "HTTPRoute"), GroupKind("traefik.containo.us", "Middleware")
    for version, disable, gateway, traefik_2 in (
        ("v1.32.1+k3s1", (), False, True),
        ("v1.32.2+k3s1", (), True, False),
        ("v1.36.3+k3s1", ("traefik",), False, False),
        ("v1.37.1+k3s1", ("traefik",), True, False),
        ("v1.37.1+k3s1", ("gateway-api-crd",), False, False),
    ):
        crds = k3s_brings(disable, Version(version)).crds
        assert (route in crds, old in crds) == (gateway, traefik_2), version
