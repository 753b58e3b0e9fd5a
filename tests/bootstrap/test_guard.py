"""What must be true before Flux comes in."""

from __future__ import annotations

import pytest

from fluxstead.bootstrap.guard import Found, refusals
from fluxstead.core.version import Version

EMPTY = Found(Version("v1.33.1+k3s1"), {}, remains=False)


def told(found: Found, version: str = "2.9.5", missing: tuple[str, ...] = (), served: str | None = None) -> list[str]:
    return list(refusals(found, Version(version), missing, served))


def test_everything_at_once() -> None:
    found = told(Found(Version("v1.32.1"), {}, remains=True), missing=("monitoring/grafana-admin",), served="git push")
    for words in ("needs 1.33 or newer", "taken out halfway", "monitoring/grafana-admin", "git push"):
        assert [one for one in found if words in one], words
    assert len(found) == 4


@pytest.mark.parametrize("found", [EMPTY, EMPTY._replace(flux={"source-controller": "v2.9.5"})])
def test_an_empty_cluster_and_one_with_the_same_flux_are_fine(found: Found) -> None:
    assert not told(found)


@pytest.mark.parametrize("version", ["v2.9.4", "v2.10.0", "latest", ""])
def test_another_flux_is_left_with_what_to_do(version: str) -> None:
    """Neither a downgrade nor an upgrade behind Git's back."""
    found = told(EMPTY._replace(flux={"source-controller": version}), missing=("a/b",), served="git push")
    assert len(found) == 1, "what only matters to a Flux that is not there is not asked of one that is"
    assert "git pull" in found[0]
    assert "./run upgrade flux" in found[0]


@pytest.mark.parametrize(
    ("flux", "kubernetes", "fine"), [("2.6.1", "v1.31.0", True), ("2.7.0", "v1.31.9", False), ("3.0.0", "v1.20.0", True)]
)
def test_kubernetes_is_new_enough(flux: str, kubernetes: str, fine: bool) -> None:
    """As `flux check --pre` asks; nothing is said of a release that is not known."""
    assert bool(told(EMPTY._replace(kubernetes=Version(kubernetes)), flux)) is not fine
