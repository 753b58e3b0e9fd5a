"""What the plugin's process does for Flux, without an engine: the cluster is a stand-in that keeps what it is told."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import dill
import pytest

from components.flux_acts import FirstSyncWait, FluxGuard, HandedSecret, RefusedByGuard
from fluxstead.core.version import Version
from fluxstead.live import api as live
from fluxstead.live.resources import Resource, Unanswered
from tests.checks.repository import git
from tests.conftest import REPOSITORY
from tests.edge_keys import OPERATOR


class Kept:
    """A cluster's objects by kind and name."""

    def __init__(self, *, silent: bool = False, **objects: Any) -> None:
        self.silent, self.objects, self.applied = silent, objects, list[Mapping[str, Any]]()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def kubernetes(self) -> Version:
        return Version("v1.36.3+k3s1")

    def get(self, resource: Resource, name: str, namespace: str = "") -> Any:
        del namespace
        if self.silent:
            raise Unanswered("the API gives no answer")
        return self.objects.get(resource.plural, {}).get(name)

    def list(self, resource: Resource, *_: str) -> list[Any]:
        return list(self.objects.get(resource.plural, {}).values())

    def apply(self, _: Resource, obj: Mapping[str, Any], manager: str) -> None:
        assert manager == "fluxstead"
        self.applied.append(obj)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Kept:
    """An empty one."""
    kept = Kept()
    monkeypatch.setattr(live, "LiveApi", lambda _: kept)
    return kept


def told(root: Path, **more: Any) -> dict[str, Any]:
    return {"kubeconfig": "~/.kube/a", "cluster": "edge", "root": str(root), **more}


def pushed(folder: Path) -> dict[str, Any]:
    """What the guard is told of a project that was pushed."""
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "--quiet", "--allow-empty", "-m", "a")
    more = {
        "version": "2.9.5",
        "repository": str(folder),
        "branch": "main",
        "missing": [],
        "lacking": {},
        "objects": ["Namespace flux-system"],
    }
    return told(folder, **more)


def brought(props: dict[str, Any]) -> Any:
    return (FluxGuard().create(props).outs or {})["brings"]


def test_the_guard_says_what_this_stack_brings(cluster: Kept, tmp_path: Path) -> None:
    props = pushed(tmp_path)
    assert brought(props) == ["Namespace flux-system"]
    labels = {"app.kubernetes.io/version": "v2.9.5"}
    cluster.objects["deployments"] = {"source-controller": {"metadata": {"name": "source-controller", "labels": labels}}}
    assert brought(props) == [], "Flux is there, and nothing is applied over it"
    assert FluxGuard().diff("", props, {**props, "version": "2.10.0"}).changes is False


def test_a_flux_that_follows_another_repository_is_not_taken_over(cluster: Kept, tmp_path: Path) -> None:
    """It may be another stack's, or another cluster's; what it is handed would cut it off."""
    props = {**pushed(tmp_path), "repository": "ssh://git@git.example.test/home.git"}
    labels = {"app.kubernetes.io/version": "v2.9.5"}
    cluster.objects["deployments"] = {"source-controller": {"metadata": {"name": "source-controller", "labels": labels}}}
    cluster.objects["gitrepositories"] = {"flux-system": {"spec": {"url": "ssh://git.example.test/home"}}}
    assert brought(props) == [], "the same repository, written otherwise"
    cluster.objects["gitrepositories"] = {"flux-system": {"spec": {"url": "https://a:secret@git.example.test/other.git"}}}
    with pytest.raises(RefusedByGuard, match=r"follows https://git\.example\.test/other\.git, and ssh://.*home\.git is described"):
        FluxGuard().create(props)


def test_the_guard_refuses_in_words(cluster: Kept, tmp_path: Path) -> None:
    cluster.objects["secrets"] = {"sops-age": {}}
    props = {**pushed(tmp_path), "missing": ["a/b"], "lacking": {"flux-system": "flux-git", "sops-age": "cluster-age"}}
    with pytest.raises(RefusedByGuard, match=r"Flux was not touched:\n- Flux and its .*: a/b, flux-git; \./run secrets"):
        FluxGuard().create(props)
    assert not cluster.applied


def test_a_login_that_somebody_made_by_hand_is_not_missed(cluster: Kept, tmp_path: Path) -> None:
    cluster.objects["secrets"] = {"flux-system": {}}
    assert brought({**pushed(tmp_path), "lacking": {"flux-system": "flux-git"}})


def test_a_secret_is_decrypted_when_it_is_handed_over(cluster: Kept, example: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """F22: what is kept of it is where its ciphertext lies."""
    monkeypatch.setenv("SOPS_AGE_KEY", OPERATOR)
    people = ["age15nlmf9a29j83ha0ehp499sjzf7z0hne6w9reamua54wh4lxzneeqz3utqw"]
    props = told(example.root, name="cluster-age", secret="sops-age", digest="1", people=people, knownHosts=[])  # noqa: S106
    made = HandedSecret().create(props)
    assert made.outs == props
    assert cluster.applied[0]["metadata"] == {"name": "sops-age", "namespace": "flux-system"}
    assert "AGE-SECRET-KEY-" in str(cluster.applied[0]["stringData"])
    assert HandedSecret().diff("", props, {**props, "digest": "2"}).changes
    assert not HandedSecret().diff("", props, {**props, "root": "elsewhere"}).changes
    monkeypatch.setenv("SOPS_AGE_KEY", "")
    with pytest.raises(RefusedByGuard, match="no private key of this machine decrypts it"):
        HandedSecret().update("", props, {**props, "digest": "2"})


@pytest.mark.parametrize("act", [FluxGuard, HandedSecret, FirstSyncWait])
def test_a_cluster_that_was_built_anew_is_forgotten_and_a_silent_one_is_not(act: Any, cluster: Kept, tmp_path: Path) -> None:
    """`pulumi refresh`, then `pulumi up`, bring Flux into the new one."""
    props = told(tmp_path)
    assert act().read("here", props).id == ""
    cluster.objects["namespaces"] = {"flux-system": {}}
    assert act().read("here", props).id == "here"
    cluster.silent = True
    assert act().read("here", props).id == "here"


@pytest.mark.parametrize("act", [FluxGuard, HandedSecret, FirstSyncWait])
def test_a_state_names_its_class_and_holds_no_code(act: Any) -> None:
    """Else a changed line of it would be a change of every resource."""
    assert len(dill.dumps(act(), recurse=True)) < 100


def test_a_program_that_asks_no_cluster_does_not_load_what_does() -> None:
    """A preview would be half a second longer."""
    loaded = "import components.flux, sys; print({'lightkube', 'httpx2', 'pulumi_kubernetes'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", loaded], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
