"""The shipped data: well-formed, strict, complete and small."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fluxstead.catalog import schemas as module
from fluxstead.catalog.schemas import Schemas
from fluxstead.core.version import Version
from fluxstead.roster import SYSTEM_FACTS

DATA = Path(module.__file__).parent / "data"
FILES = sorted((DATA / "schemas").rglob("*.json"))
FLUX = (
    "helm.toolkit.fluxcd.io/v2/HelmRelease",
    "kustomize.toolkit.fluxcd.io/v1/Kustomization",
    "notification.toolkit.fluxcd.io/v1/Receiver",
    "notification.toolkit.fluxcd.io/v1beta3/Alert",
    "notification.toolkit.fluxcd.io/v1beta3/Provider",
    *(
        f"source.toolkit.fluxcd.io/v1/{kind}"
        for kind in ("Bucket", "GitRepository", "HelmChart", "HelmRepository", "OCIRepository")
    ),
)
IMAGES = ("ImagePolicy", "ImageRepository", "ImageUpdateAutomation")
KUBERNETES = (
    *(f"apps/v1/{kind}" for kind in ("DaemonSet", "Deployment", "StatefulSet")),
    *(f"batch/v1/{kind}" for kind in ("CronJob", "Job")),
    *(f"networking.k8s.io/v1/{kind}" for kind in ("Ingress", "IngressClass", "NetworkPolicy")),
    *(f"rbac.authorization.k8s.io/v1/{kind}" for kind in ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")),
    *(
        f"v1/{kind}"
        for kind in ("ConfigMap", "LimitRange", "Namespace", "Node", "PersistentVolume", "PersistentVolumeClaim", "Pod")
    ),
    *(f"v1/{kind}" for kind in ("ResourceQuota", "Secret", "Service", "ServiceAccount")),
    "autoscaling/v2/HorizontalPodAutoscaler",
    "policy/v1/PodDisruptionBudget",
    "scheduling.k8s.io/v1/PriorityClass",
    "storage.k8s.io/v1/StorageClass",
)
OTHERS = (
    *(f"cert-manager.io/v1/{kind}" for kind in ("Certificate", "ClusterIssuer", "Issuer")),
    "helm.cattle.io/v1/HelmChartConfig",
    "kustomize.config.k8s.io/v1beta1/Kustomization",
)


def known(schemas: Schemas, name: str) -> bool:
    """Whether a kind is held, by its API version and name."""
    api_version, _, kind = name.rpartition("/")
    return schemas.knows(api_version, kind)


def parts(schema: Any) -> Iterator[dict[str, Any]]:
    """A schema and every schema in it."""
    if isinstance(schema, dict):
        yield schema
        for key, value in schema.items():
            for child in value.values() if key in {"properties", "$defs"} else [value]:
                yield from parts(child)
    elif isinstance(schema, list):
        for child in schema:
            yield from parts(child)


@pytest.mark.parametrize("kubernetes", [f"v1.{minor}.0+k3s1" for minor in range(31, 38)])
@pytest.mark.parametrize(("flux", "images"), [("2.6.1", "v1beta2"), ("2.7.0", "v1"), ("2.8.0", "v1"), ("2.9.5", "v1")])
def test_each_cluster_finds_all_kinds_that_a_tree_holds(kubernetes: str, flux: str, images: str) -> None:
    """Of every combination of versions, Longhorn's and the operators' kinds by the table of what charts bring."""
    schemas = Schemas(kubernetes=Version(kubernetes), flux=Version(flux), longhorn=Version("1.9.0"))
    wanted = [*FLUX, *(f"image.toolkit.fluxcd.io/{images}/{kind}" for kind in IMAGES), *KUBERNETES, *OTHERS]
    assert not [name for name in wanted if not known(schemas, name)]
    for chart, version, api_versions in (
        ("longhorn", "1.9.0", ["v1beta2"]),
        ("kube-prometheus-stack", "88.5.3", ["v1", "v1alpha1"]),
    ):
        brings = SYSTEM_FACTS.charts.brings(chart, version)
        assert brings
        for crd in brings.crds:
            assert any(schemas.knows(f"{crd.group}/{api_version}", crd.kind) for api_version in api_versions), crd


@pytest.mark.parametrize(("flux", "longhorn"), [("2.6.1", "1.5.0"), ("2.7.5", "1.9.2"), ("2.8.8", "1.11.3"), ("2.9.5", "1.12.1")])
def test_every_kind_compiles_and_refuses_an_unknown_key(flux: str, longhorn: str) -> None:
    """A pattern that the validator cannot read would only show when somebody uses that kind."""
    schemas = Schemas(kubernetes=Version("v1.37.1+k3s1"), flux=Version(flux), longhorn=Version(longhorn))
    kinds = {tuple(name.removesuffix(".json").split(".", 2)) for name in {file.name for file in FILES}}
    judged = 0
    for kind, version, *group in (kind for kind in kinds if len(kind) > 1):
        api_version = "/".join([*group, version])
        if schemas.knows(api_version, kind):
            problems = schemas.problems({"apiVersion": api_version, "kind": kind, "metadata": {"name": "x"}, "notAKey": 1})
            assert [problem for problem in problems if problem.path == "notAKey"], kind
            judged += 1
    assert judged > 80


def test_every_listed_map_refuses_other_keys() -> None:
    """Strict everywhere, except where the CRD itself preserves unknown fields."""
    open_maps = [
        (file.name, part)
        for file in FILES
        if file.stat().st_size
        for part in parts(json.loads(file.read_bytes()))
        if isinstance(part.get("properties"), dict)
        and part.get("type") == "object"
        and part.get("additionalProperties") is not False
    ]
    assert not open_maps


def test_data_is_compact_and_says_nothing_to_readers() -> None:
    """What a validator does not use costs start-up time."""
    unused = {"description", "default", "format", "example"}
    for file in FILES:
        text = file.read_text()
        if text:
            content = json.loads(text)
            assert text == json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False), file
            assert not [
                part for part in parts(content) if "type" in part and isinstance(part["type"], str) and unused & part.keys()
            ]


def test_data_stays_small() -> None:
    """Below one megabyte in all, no file that takes longer to read than the rest of the program to start."""
    files = [file for file in DATA.rglob("*") if file.is_file()]
    assert len(files) > 100
    assert sum(file.stat().st_size for file in files) < 1_000_000
    assert max(file.stat().st_size for file in files) < 50_000
