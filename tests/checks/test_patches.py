"""What patches may change is not judged as written; what they leave alone is."""

from __future__ import annotations

import textwrap

import pytest

from tests.checks.planted import CONFIG, DEPLOYMENT, WEB, Planted, autoscaler, layer, look, obj

_OBJECTS = (WEB, CONFIG, DEPLOYMENT, autoscaler("web/a"), autoscaler("web/b"))
_DEPLOYMENT = "patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: site}}'"
_AUTOSCALER = "patch: '{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: b}}'"


def found(kustomization: str = "", spec: str = "", *objects: str, **more: str) -> bool:
    """Whether the two autoscalers of one Deployment are told of."""
    files = {**layer("web", *(objects or _OBJECTS), spec=spec), **more}
    if kustomization:
        files["web/kustomization.yaml"] = f"resources: [objects.yaml]\n{kustomization}\n"
    told = {one.id for one in look(Planted(files=files, cure=("", ""), says=""), files)}
    return "ownership/two-autoscalers" in told


@pytest.mark.parametrize(
    "patch",
    [
        f"patches: [{{{_DEPLOYMENT}}}]",
        f"patches: [{{{_DEPLOYMENT}, target: {{kind: Deployment}}}}]",
        "patches: [{patch: '[{op: remove, path: /spec}]', target: {kind: Deployment|StatefulSet}}]",
        "patchesJson6902: [{path: a.yaml, target: {kind: Deployment, name: site}}]",
        "patchesStrategicMerge: [a.yaml]",
        "images: [{name: example.test/site, newTag: 1.0.1}]",
        "replicas: [{name: site, count: 2}]",
        "labels: [{pairs: {team: web}}]",
    ],
)
def test_patches_of_other_kinds_change_nothing_here(patch: str) -> None:
    """Most trees have a patch or an image somewhere."""
    text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: site}\n"
    assert found(patch, "", *_OBJECTS, **{"web/a.yaml": text})


@pytest.mark.parametrize(
    "patch",
    [
        f"patches: [{{{_AUTOSCALER}}}]",
        f"patches: [{{{_DEPLOYMENT}, target: {{kind: HorizontalPodAutoscaler}}}}]",
        f"patches: [{{{_DEPLOYMENT}, target: {{name: b}}}}]",
        f"patches: [{{{_DEPLOYMENT}, target: {{kind: '.*'}}}}]",
        "patches: [{path: objects.yaml}]",
        "patches: [{patch: '[{op: remove, path: /spec}]'}]",
        "patchesJson6902: [{path: a.yaml, target: {kind: HorizontalPodAutoscaler, name: b}}]",
        "patchesStrategicMerge: ['{kind: HorizontalPodAutoscaler,\n\n metadata: {name: b}}']",
        "commonLabels: {team: web}",
        "labels: [{pairs: {team: web}, includeSelectors: true}]",
    ],
)
def test_patches_that_may_change_it(patch: str) -> None:
    """Selected by their target or by their own kind and name; a pattern may match anything."""
    assert found()
    assert not found(patch)


def test_patches_of_a_kustomization_itself() -> None:
    """Its spec has them as well."""
    assert found("", f"patches: [{{{_DEPLOYMENT}}}]")
    assert not found("", f"patches: [{{{_AUTOSCALER}}}]")


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("interval: 1h", True),
        ("decryption: {provider: sops}", True),
        ("sourceRef: {kind: GitRepository, name: flux-system}", True),
        ("sourceRef: {kind: GitRepository, name: other}", False),
        ("patches: [{patch: '{kind: Deployment}', target: {kind: Deployment}}]", True),
        ("patches: [{patch: '{kind: Any}', target: {kind: HorizontalPodAutoscaler}}]", False),
        ("targetNamespace: other", False),
        ("postBuild: {substitute: {A: b}}", False),
    ],
)
def test_what_one_kustomization_lays_over_those_in_it(more: str, told: bool) -> None:
    """As large repositories set what all of their Kustomizations have in common."""
    patch = textwrap.indent(f"kind: Kustomization\nmetadata: {{name: any}}\nspec:\n  {more}\n", " " * 8)
    over = f"patches:\n    - target: {{kind: Kustomization}}\n      patch: |\n{patch}"
    files = layer("all", spec=over)
    inner = layer("web", *_OBJECTS)
    files["all/objects.yaml"] = inner["clusters/home/web.yaml"]
    files["web/objects.yaml"] = inner["web/objects.yaml"]
    ids = {one.id for one in look(Planted(files=files, cure=("", ""), says=""), files)}
    assert ("ownership/two-autoscalers" in ids) is told


def test_secrets_are_decrypted_as_a_patch_says() -> None:
    """Or may be: where a patch lays decryption over all, none is missing."""
    encrypted = obj("Secret", "web/a", "stringData: {a: 'ENC[x]'}\nsops: {age: [{recipient: age1}], version: 3.9.0}")
    files = layer("web", WEB, encrypted)
    planted = Planted(files=files, cure=("", ""), says="")
    assert "secrets/no-decryption" in {one.id for one in look(planted, files)}
    files["clusters/home/kustomization.yaml"] = (
        "resources: [web.yaml]\npatches:\n  - target: {kind: Kustomization}\n    patch: |\n"
        "      kind: Kustomization\n      metadata: {name: any}\n      spec: {decryption: {provider: sops}}\n"
    )
    assert "secrets/no-decryption" not in {one.id for one in look(planted, files)}


def test_where_names_of_generated_objects_stand_is_no_renaming() -> None:
    """kustomize needs to be told of HelmReleases; anything else that it is told may rename."""
    told = "nameReference: [{kind: ConfigMap, fieldSpecs: [{kind: HelmRelease, path: spec/valuesFrom/name}]}]\n"
    assert found("configurations: [c.yaml]", "", *_OBJECTS, **{"web/c.yaml": told})
    assert not found("configurations: [c.yaml]", "", *_OBJECTS, **{"web/c.yaml": f"{told}namePrefix: [{{path: metadata/name}}]\n"})
