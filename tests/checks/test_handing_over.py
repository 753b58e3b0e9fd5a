"""F27: an object may change its Kustomization in one commit where Flux cannot act for the former one before the new one has it."""

from __future__ import annotations

import pytest

from tests.checks.planted import ACCOUNT, CONFIG, RBAC, WEB, Planted, kept, layer, look, obj

AWAITS = "dependsOn: [{name: web-access}]"
BEFORE = layer("web", WEB, CONFIG)
ACCESS = layer("web-access", kept(WEB))


def moved(folder: str, spec: str) -> dict[str, str]:
    """The namespace in a layer of its own, and the rest as it was but for the directory and what is waited for."""
    rest = {path: text.replace("path: ./web", f"path: ./{folder}") for path, text in layer("web", CONFIG, spec=spec).items()}
    return {**ACCESS, **{path.replace("web/objects", f"{folder}/objects"): text for path, text in rest.items()}}


def owners(files: dict[str, str]) -> list[str]:
    """The findings about objects that change their owner."""
    found = look(Planted(files=files, before=BEFORE, cure=("", ""), says=""), files)
    return [finding.what for finding in found if finding.id == "moves/owner"]


def test_a_new_directory_and_a_dependency_hand_it_over() -> None:
    """The old directory is gone, so Flux does nothing for the former Kustomization until it knows for whom it waits."""
    assert not owners(moved("web-workload", AWAITS))


@pytest.mark.parametrize(
    ("folder", "spec"),
    [
        ("web", AWAITS),
        ("web-workload", ""),
        ("web-workload", "dependsOn: [{name: web-acces}]"),
        ("web-workload", "dependsOn: [{name: web-access, namespace: web}]"),
        ("web-workload", "dependsOn: [{name: web-access, readyExpr: 'true'}]"),
    ],
)
def test_anything_less_does_not(folder: str, spec: str) -> None:
    """In the same directory Flux prunes at once; without the dependency, or with a looser one, before the other has it."""
    [what] = owners(moved(folder, spec))
    assert "Namespace web in HEAD" in what


@pytest.mark.parametrize("mine", [True, False])
def test_what_was_kept_for_a_namespace_is_named_with_it(mine: bool) -> None:
    """An account elsewhere that had rights there: alone it is of no use. One that stays described is left alone."""
    account = kept(obj("ServiceAccount", "flux-system/app-web"))
    binding = obj(
        "RoleBinding",
        "web/flux",
        "roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}\n"
        "subjects:\n- {kind: ServiceAccount, name: app-web, namespace: flux-system}\n- {kind: ServiceAccount, name: site}",
        RBAC,
    )
    stays = layer("stays", obj("ConfigMap", "default/a"), *(() if mine else (account,)))
    before = {**stays, **layer("web", kept(WEB), kept(ACCOUNT), binding, *((account,) if mine else ()))}
    found = look(Planted(files=stays, before=before, cure=("", ""), says=""), stays)
    [finding] = [one for one in found if one.id == "moves/orphaned"]
    command = "kubectl delete namespace web" + " && kubectl delete serviceaccount app-web -n flux-system" * mine
    assert f"`{command}`" in finding.fix
