"""How Flux is registered: in which order, by whose name, and what is left of it where it was there before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import pulumi
import pytest
from pulumi.runtime import mocks
from pulumi.runtime.rpc import UNKNOWN

from components.flux import PLUGIN, register_flux
from components.flux_acts import FirstSyncWait
from fluxstead.bootstrap.files import Sync, flux_folder, listing_text, sync_text
from tests.bootstrap.test_upgrade import PATCH, manifests
from tests.components.recorder import Registered, registered_by
from tests.conftest import REPOSITORY, Project

GUARD = "pulumi-python:dynamic/fluxstead:FluxGuard"
HANDED = "pulumi-python:dynamic/fluxstead:HandedSecret"
WAIT = "pulumi-python:dynamic/fluxstead:FirstSync"
DEFINITION = """
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gitrepositories.source.toolkit.fluxcd.io}
"""


class Guarded(mocks.Mocks):
    """No provider but the guard's, which says that this is to be brought."""

    def __init__(self, brings: Callable[[list[str]], Any]) -> None:
        self._brings = brings

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise AssertionError(args)

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        told = {"brings": self._brings(args.inputs["objects"])} if args.typ == GUARD else {}
        return args.name, {**args.inputs, **told}


class Bring(Protocol):
    """Registers Flux on an engine that is not there."""

    def __call__(
        self, brings: Callable[[list[str]], Any] = ..., *, preview: bool = False, secrets: bool = True
    ) -> dict[str, Registered]: ...


@pytest.fixture
def bring(example: Project) -> Bring:
    """Register Flux for the second cluster, whose manifests are there; gives what was registered, by type and name."""
    folder = example.root / flux_folder("edge")
    folder.mkdir(parents=True)
    (folder / "gotk-components.yaml").write_text(manifests("2.9.5") + DEFINITION)
    (folder / "gotk-sync.yaml").write_text(
        sync_text(Sync("ssh://git@git.example.test/edge.git", "production", "clusters/edge", "flux-system"))
    )
    (folder / "kustomization.yaml").write_text(listing_text([]))

    def run(
        brings: Callable[[list[str]], Any] = lambda objects: objects, *, preview: bool = False, secrets: bool = True
    ) -> dict[str, Registered]:
        def program() -> None:
            assembled = example.run().assembled
            assert assembled is not None
            if not secrets:
                assembled = replace(assembled, secrets=replace(assembled.secrets, needs=()))
            register_flux(assembled, example.root, "~/.kube/fluxstead-edge.yaml")

        return registered_by(program, "edge", preview=preview, silent=Guarded(brings))

    return run


def kubernetes(seen: dict[str, Registered]) -> dict[str, Registered]:
    return {one.name: one for one in seen.values() if one.type.startswith("kubernetes:")}


def urn_of(seen: dict[str, Registered], name: str) -> str:
    (found,) = [urn for urn, one in seen.items() if one.name == name]
    return found


def test_phase_waits_for_phase(bring: Bring) -> None:
    """A definition before what is of its kind, the Secrets before what is read with them."""
    seen = bring()
    after = {name: one.dependencies for name, one in kubernetes(seen).items()}
    (guard,) = [urn for urn, one in seen.items() if one.type == GUARD]
    handed = {urn for urn, one in seen.items() if one.type == HANDED}
    definition = "CustomResourceDefinition/gitrepositories.source.toolkit.fluxcd.io"
    assert guard in after["Namespace/flux-system"]
    assert urn_of(seen, "Namespace/flux-system") in after[definition]
    assert urn_of(seen, definition) in after["Deployment/source-controller"]
    assert {urn_of(seen, "Deployment/source-controller"), *handed} <= after["GitRepository/flux-system/flux-system"]
    assert {urn_of(seen, "Namespace/flux-system")} <= seen[min(handed)].dependencies
    (wait,) = [one for one in seen.values() if one.type == WAIT]
    assert urn_of(seen, "Kustomization/flux-system/flux-system") in wait.dependencies
    assert wait.inputs["layers"][0] == "flux-system"
    assert "longhorn-storage" in wait.inputs["layers"]


def test_every_object_is_kustomize_controllers_and_left_alone(bring: Bring) -> None:
    found = kubernetes(bring())
    assert len(found) == 6
    for one in found.values():
        assert one.inputs["metadata"]["annotations"]["pulumi.com/patchFieldManager"] == "kustomize-controller"
        assert one.inputs["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "flux-system"
        assert one.left_alone


def test_where_flux_was_there_nothing_of_it_is_registered(bring: Bring) -> None:
    seen = bring(lambda _: [])
    assert not kubernetes(seen)
    assert [one for one in seen.values() if one.type == WAIT]


def test_what_a_later_version_brings_is_flux_own_matter(bring: Bring) -> None:
    """Objects that were not in the files at the first bootstrap are not applied by a later `up`."""
    assert set(kubernetes(bring(lambda _: ["Namespace flux-system"]))) == {"Namespace/flux-system"}


def test_a_first_preview_shows_all_of_it(bring: Bring) -> None:
    """Nothing was asked yet, so nothing is known to be there."""
    assert len(kubernetes(bring(lambda _: UNKNOWN, preview=True))) == 6


def test_no_input_is_a_value_or_a_path_of_this_machine(bring: Bring) -> None:
    """A state is read by others, and goes with the project to other machines."""
    told = [one.inputs for one in bring().values() if one.type in {GUARD, HANDED, WAIT}]
    (age,) = [one for one in told if one.get("name") == "cluster-age"]
    assert len(age["digest"]) == 64
    assert set(age) == {"__provider", "cluster", "digest", "knownHosts", "kubeconfig", "name", "root", "secret"}
    assert not age["root"].startswith("/")


def test_the_key_is_handed_over_before_the_first_layer_needs_it(bring: Bring) -> None:
    """The machine that ran `up` may not be the one that describes the first application with a Secret."""
    handed = {one.name for one in bring(secrets=False).values() if one.type == HANDED}
    assert handed == {one.name for one in bring().values() if one.type == HANDED}


def test_patches_without_kustomize_end_in_words(bring: Bring, example: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    (example.root / flux_folder("edge") / "kustomization.yaml").write_text(listing_text([PATCH]))
    monkeypatch.setenv("PATH", str(example.root))
    with pytest.raises(pulumi.RunError, match="neither `kustomize` nor `kubectl` is on the PATH"):
        bring()


def test_without_manifests_it_says_which_command_writes_them(bring: Bring, example: Project) -> None:
    (example.root / flux_folder("edge") / "gotk-components.yaml").unlink()
    with pytest.raises(pulumi.RunError, match=r"\./run upgrade flux writes it"):
        bring()


def test_the_page_installs_the_plugin_that_is_asked_for() -> None:
    page = (REPOSITORY / "README.md").read_text()
    assert f"resource kubernetes v{PLUGIN}`" in page


def test_the_first_sync_of_a_flux_that_was_there_is_not_waited_for() -> None:
    """What this `up` writes nobody has pushed yet; no cluster is asked."""
    told = {"kubeconfig": "/nowhere", "cluster": "edge", "layers": ["longhorn"], "brings": [], "seconds": None}
    assert FirstSyncWait().create(told).outs == {**told, "seconds": 0}
