"""The operator's own programs; each is a stand-in here, that says what it was asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fluxstead.bootstrap.files import COMPONENTS, LISTING, SYNC, listing_text, manifests_of, sync_text
from fluxstead.bootstrap.tools import NotMade, built, exported
from fluxstead.core.version import Version
from tests.bootstrap.test_upgrade import PATCH, SYNC_TO, manifests


def program(folder: Path, name: str, text: str) -> None:
    """A program of this name, alone on the PATH."""
    file = folder / name
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all of the PATH but for what shells need."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/bin")
    return folder


def flux(path: Path, version: str, writes: str, status: int = 0) -> None:
    (path / "written").write_text(writes)
    said = f'echo "flux version {version}"'
    program(path, "flux", f'[ "$1" = --version ] && {said} && exit 0\necho "$@" >> {path}/asked\ncat {path}/written\nexit {status}')


def test_flux_is_asked_for_the_described_version_and_controllers(path: Path) -> None:
    flux(path, "2.9.4", manifests("2.9.5"))
    assert exported(Version("2.9.5"), ["source-controller", "kustomize-controller"]) == manifests("2.9.5")
    assert (path / "asked").read_text() == "install --export --version=v2.9.5 --components=source-controller,kustomize-controller\n"


@pytest.mark.parametrize(
    ("version", "writes", "words"),
    [
        ("2.6.1", "", "`flux` is 2.6.1, and Flux 2.9.5 is described: curl -s https://fluxcd.io/install.sh | FLUX_VERSION=2.9.5"),
        ("of no number", "", "of an unknown version"),
        ("2.9.5", "<html>a proxy's page</html>", "wrote the manifests of no version"),
        ("2.9.5", manifests("2.9.4"), "wrote the manifests of v2.9.4"),
    ],
)
def test_another_flux_and_other_manifests_are_refused(version: str, writes: str, words: str, path: Path) -> None:
    flux(path, version, writes)
    with pytest.raises(NotMade) as refused:
        exported(Version("2.9.5"), ["source-controller"])
    assert words in str(refused.value)


def test_a_missing_and_a_failing_flux_end_in_words(path: Path) -> None:
    with pytest.raises(NotMade, match="not on the PATH: curl"):
        exported(Version("2.9.5"), ["source-controller"])
    flux(path, "2.9.5", "", status=1)
    with pytest.raises(NotMade, match="install --export"):
        exported(Version("2.9.5"), ["source-controller"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Flux's folder, as it is written."""
    made = tmp_path / "flux-system"
    made.mkdir()
    (made / COMPONENTS).write_text(manifests("2.9.5"))
    (made / SYNC).write_text(sync_text(SYNC_TO))
    (made / LISTING).write_text(listing_text([]))
    return made


def test_without_patches_no_program_is_needed(folder: Path, path: Path) -> None:
    del path
    assert [one.key for one in manifests_of(built(folder))] == [
        "Namespace flux-system",
        *("Deployment kustomize-controller", "Deployment source-controller"),
        *("GitRepository flux-system/flux-system", "Kustomization flux-system/flux-system"),
    ]


@pytest.mark.parametrize(("name", "words"), [("kustomize", "build"), ("kubectl", "kustomize")])
def test_with_patches_the_operators_program_builds(name: str, words: str, folder: Path, path: Path) -> None:
    (folder / LISTING).write_text(listing_text([PATCH]))
    program(path, name, f'[ "$1" = {words} ] && echo "kind: ConfigMap" && echo "metadata: {{name: built}}"')
    assert [one["metadata"]["name"] for one in built(folder)] == ["built"]


def test_what_does_not_build_is_told(folder: Path, path: Path) -> None:
    (folder / LISTING).write_text(listing_text([PATCH]))
    program(path, "kustomize", "echo 'no matches for target' >&2; exit 1")
    with pytest.raises(NotMade, match="no matches for target"):
        built(folder)
    (folder / LISTING).unlink()
    with pytest.raises(NotMade, match=r"\./run upgrade flux writes it"):
        built(folder)
