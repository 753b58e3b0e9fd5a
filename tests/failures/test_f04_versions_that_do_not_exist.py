"""F4: chart versions that do not exist (kube-prometheus-stack 55.12.0, longhorn 1.8.3)."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from tests.checks.chart_repository import serving_charts
from tests.checks.planted import WEB, layer, release
from tests.failures.refusal import refused


def test_a_range_is_refused() -> None:
    """It names no version at all."""
    refused("F4", "versions/range")


@pytest.mark.parametrize(
    ("chart", "version", "nearest"), [("kube-prometheus-stack", "55.12.0", "55.11.0"), ("longhorn", "1.8.3", "1.8.2")]
)
def test_a_version_that_never_was_is_refused_with_the_nearest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], chart: str, version: str, nearest: str
) -> None:
    """Both versions of the failure; nobody who does not ask the repository can know it."""
    with serving_charts() as address:
        _write(tmp_path, chart, version, address)
        assert main(["check", "--tree", str(tmp_path)]) == 0
        assert f"not checked: whether chart {chart} {version} exists" in capsys.readouterr().err
        assert main(["check", "--tree", str(tmp_path), "--online"]) == 1
        said = capsys.readouterr().err
        assert f"there is no {chart} {version}" in said
        assert f"write:   {nearest}\n" in said
        _write(tmp_path, chart, nearest, address)
        assert main(["check", "--tree", str(tmp_path), "--online"]) == 0


def _write(root: Path, chart: str, version: str, address: str) -> None:
    for path, text in layer("web", WEB, release("web/site", chart, version)).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text.replace("https://charts.example.test", address))
