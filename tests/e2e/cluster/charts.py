"""The chart server's folders: real charts where FLUXSTEAD_CHARTS names a folder of them, else miniature ones of the tests' own.

A miniature chart has the name, the version, the CRD kinds and the workloads' names of the real one, reads the same values,
and leaves out what no test looks at.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Sequence
from pathlib import Path

import yaml

from tests.e2e.cluster.crds import chart_crds

MINIATURES = Path(__file__).parent / "charts"
# Each known host serves its own charts only, so that a wrong URL in the tree fails.
SERVED_BY = {
    "longhorn": "charts.longhorn.io",
    "cert-manager": "charts.jetstack.io",
    "ingress-nginx": "kubernetes.github.io/ingress-nginx",
    "oauth2-proxy": "oauth2-proxy.github.io/manifests",
    "traefik": "traefik.github.io/charts",
    "kube-prometheus-stack": "prometheus-community.github.io/helm-charts",
    "tides": "charts.example.org",  # nobody's: it stands for people's own
}
VERSIONS = (
    ("longhorn", "1.9.2"),
    ("longhorn", "1.9.3"),
    ("longhorn", "1.9.4"),
    ("longhorn", "1.10.2"),
    ("longhorn", "1.12.1"),
    ("longhorn", "1.12.2"),
    ("cert-manager", "v1.21.1"),
    ("ingress-nginx", "4.12.3"),
    ("oauth2-proxy", "10.7.0"),
    ("traefik", "41.3.0"),
    ("kube-prometheus-stack", "75.6.0"),
    ("kube-prometheus-stack", "88.5.3"),
    ("tides", "1.4.0"),
    ("tides", "1.5.0"),
)
UNRENDERED, REFUSED = "not for this cluster", "Not_A_Name"
_REFUSED = f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {REFUSED}\n"
BROKEN = {
    ("longhorn", "1.9.4"): _REFUSED,
    ("longhorn", "1.9.3"): f'{{{{ fail "{UNRENDERED}" }}}}',
    ("longhorn", "1.12.2"): _REFUSED,
}
"""Versions that have one template more: it cannot be rendered, or gives an object that the API server refuses, which Helm learns
when the release is stored."""


def serve_charts(folder: Path, versions: Sequence[tuple[str, str]] = VERSIONS) -> str:
    """Fill the folders that the chart server shows; gives in words which charts they hold."""
    real = os.environ.get("FLUXSTEAD_CHARTS")
    said: dict[str, list[str]] = {}
    for chart, version in versions:
        served = folder / SERVED_BY[chart]
        served.mkdir(parents=True, exist_ok=True)
        package = served / f"{chart}-{version}.tgz"
        found = Path(real) / package.name if real else None
        is_real = found is not None and found.is_file()
        packed = found.read_bytes() if found and is_real else _miniature(chart, version)
        broken = BROKEN.get((chart, version))
        package.write_bytes(_with_template(packed, chart, broken) if broken else packed)
        kind = f"{'real' if is_real else 'miniature'}{', broken on purpose' if broken else ''}"
        said.setdefault(kind, []).append(f"{chart} {version}")
    for served in {folder / SERVED_BY[chart] for chart, _ in versions}:
        _index(served)
    return "; ".join(f"{kind}: {', '.join(charts)}" for kind, charts in said.items())


def _miniature(chart: str, version: str) -> bytes:
    files = {
        str(file.relative_to(MINIATURES / chart)): file.read_text() for file in (MINIATURES / chart).rglob("*") if file.is_file()
    }
    files["Chart.yaml"] = yaml.safe_dump({"apiVersion": "v2", "name": chart, "version": version})
    # Some stand in templates, and are upgraded with them; Prometheus' in the folder that Helm only ever creates.
    place = "templates/crds.yaml" if chart in {"longhorn", "cert-manager"} else "crds/crds.yaml"
    if definitions := chart_crds(chart, version):
        files[place] = yaml.safe_dump_all(definitions)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in sorted(files.items()):
            _add(archive, f"{chart}/{name}", text)
    return packed.getvalue()


def _with_template(package: bytes, chart: str, template: str) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(package)) as old, tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for entry in old:
            archive.addfile(entry, old.extractfile(entry))
        _add(archive, f"{chart}/templates/broken.yaml", template)
    return packed.getvalue()


def _add(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    archive.addfile(entry, io.BytesIO(text.encode()))


def _index(served: Path) -> None:
    entries: dict[str, list[dict[str, object]]] = {}
    for package in sorted(served.glob("*.tgz")):
        chart, _, version = package.stem.rpartition("-")
        entries.setdefault(chart, []).append(
            {
                "apiVersion": "v2",
                "name": chart,
                "version": version,
                "urls": [package.name],
                "digest": hashlib.sha256(package.read_bytes()).hexdigest(),
            }
        )
    (served / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
