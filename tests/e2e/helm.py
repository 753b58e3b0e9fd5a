"""What real helm makes of the trees' releases, where their charts are to be had."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from fluxstead.checks.reading.documents import documents_in

Json = dict[str, Any]


def releases(tree: Path) -> list[Json]:
    """The HelmReleases of a tree."""
    return [yaml.safe_load(file.read_text()) for file in sorted(tree.rglob("helm-release-*.yaml"))]


def chart_of(release: Json) -> Path | None:
    """A release's chart: FLUXSTEAD_CHARTS holds `<chart>-<version>.tgz` files, or folders of that name."""
    charts, chart = os.environ.get("FLUXSTEAD_CHARTS"), release["spec"]["chart"]["spec"]
    return next(iter(Path(charts).glob(f"{chart['chart']}-{chart['version']}*")), None) if charts else None


def without_chart(release: Json) -> str:
    """Why a test of this release is skipped."""
    chart = release["spec"]["chart"]["spec"]
    return f"no chart {chart['chart']} {chart['version']}: FLUXSTEAD_CHARTS does not hold it"


def rendered(helm: Path, release: Json, chart: Path) -> list[Json]:
    """The objects that a release becomes, its definitions and hooks among them; not its tests, which Flux runs if told to."""
    words = ["template", release["spec"]["releaseName"], chart, "--namespace", release["metadata"]["namespace"]]
    done = subprocess.run(
        [helm, *words, "--include-crds", "--skip-tests", "--values", "-"],
        input=yaml.safe_dump(release["spec"]["values"]),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents = documents_in(done.stdout, release["spec"]["releaseName"])
    assert not [document.problem for document in documents if document.problem]
    return [document.data for document in documents if document.data]
