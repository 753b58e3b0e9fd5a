"""Passwords by the name of what holds them: every place that is looked at, and what Flux fills in."""

from __future__ import annotations

import pytest

from tests.checks.planted import CONFIG, DEPLOYMENT, WEB, Planted, layer, look, obj, release

_IMAGE = "image: 'example.test/site:1.0.0'"


def found(*objects: str, spec: str = "", **more: str) -> list[str]:
    """The ids of what is said about secrets."""
    files = {**layer("web", WEB, *objects, spec=spec), **more}
    return [one.id for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id.startswith("secrets/")]


def with_variable(variable: str) -> str:
    return DEPLOYMENT.replace(_IMAGE, f"{_IMAGE}, env: [{variable}]")


def with_values(values: str) -> str:
    return release("web/site", "site", "1.0.0", f", values: {values}")


@pytest.mark.parametrize(
    ("objects", "ids"),
    [
        (with_variable("{name: DB_PASSWORD, value: hunter2}"), ["secrets/in-environment"]),
        (with_variable("{name: DB_PASSWORD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}"), []),
        (
            with_variable("{name: DB_PASSWORD, value: hunter2}").replace("containers:", "initContainers:"),
            ["secrets/in-environment"],
        ),
        (CONFIG.replace("color: blue", "API_TOKEN: c0ffee"), ["secrets/in-config-map"]),
        (with_values("{auth: {password: hunter2}}"), ["secrets/in-values"]),
        (with_values("{env: [{name: API_KEY, value: c0ffee}]}"), ["secrets/in-values"]),
        (with_values("{auth: {existingSecret: hunter2, passwordKey: hunter2, secretKeys: {adminPasswordKey: hunter2}}}"), []),
        (with_values("{auth: {password: true, passwordFile: /run/a}}"), []),
    ],
)
def test_where_passwords_stand(objects: str, ids: list[str]) -> None:
    """F22: in whatever people write."""
    assert found(objects) == ids


def test_what_kustomize_makes_a_config_map_of() -> None:
    """Its literals stand in the kustomization."""
    listing = "resources: [objects.yaml]\nconfigMapGenerator: [{name: a, namespace: web, literals: [DB_PASSWORD=hunter2]}]\n"
    assert found(**{"web/kustomization.yaml": listing}) == ["secrets/in-config-map"]


def test_values_that_a_release_takes_from_a_config_map() -> None:
    """As text in it, or as a file that kustomize puts there; told of at the file's own line."""
    takes = release("web/site", "site", "1.0.0", ", valuesFrom: [{kind: ConfigMap, name: a}]")
    text = "auth:\n  password: hunter2\n"
    written = obj("ConfigMap", "web/a", "data:\n  values.yaml: |\n    auth:\n      password: hunter2")
    assert found(takes, written) == ["secrets/in-values"]
    assert not found(takes, written.replace("values.yaml", "other.yaml"))
    listing = "resources: [objects.yaml]\nconfigMapGenerator: [{name: a, namespace: web, files: [FILE]}]\n"
    for file in ("values.yaml", "values.yaml=more/a.yaml"):
        more = {"web/kustomization.yaml": listing.replace("FILE", file), f"web/{file.rpartition('=')[2]}": text}
        files = {**layer("web", WEB, takes), **more}
        [finding] = look(Planted(files=files, cure=("", ""), says=""), files)
        assert (finding.id, str(finding.source)) == ("secrets/in-values", f"web/{file.rpartition('=')[2]}:2")
    assert not found(takes, **{"web/kustomization.yaml": listing.replace("FILE", "b.yaml"), "web/b.yaml": text})


def test_a_tree_that_is_partly_elsewhere_is_told_of_what_is_here() -> None:
    """What is missing in it nobody knows; what is written in plain text is."""
    takes = release("web/site", "site", "1.0.0", ", valuesFrom: [{kind: ConfigMap, name: a}, {kind: Secret, name: b}]")
    written = obj("ConfigMap", "web/a", "data:\n  values.yaml: |\n    auth:\n      password: hunter2")
    other = layer("charts", WEB)["clusters/home/charts.yaml"].replace(
        "GitRepository, name: flux-system", "OCIRepository, name: charts"
    )
    assert found(takes, written, **{"clusters/home/charts.yaml": other}) == ["secrets/in-values"]


def test_what_flux_fills_in() -> None:
    """A value that is given in the Kustomization is told of there too; a default stands in for one that is not in the tree."""
    values = with_values("{auth: {password: '${PASSWORD}'}}")
    assert found(values, spec="postBuild: {substitute: {PASSWORD: hunter2}}") == ["secrets/in-values", "secrets/in-values"]
    assert not found(values, spec="postBuild: {substituteFrom: [{kind: Secret, name: a, optional: true}]}")
    defaulted = with_values("{auth: {password: '${PASSWORD:=hunter2}'}}")
    assert not found(defaulted, spec="postBuild: {substituteFrom: [{kind: Secret, name: a, optional: true}]}")


def test_secrets_that_flux_completes() -> None:
    """What stands beside values from elsewhere is told of where its name says so."""
    template = obj("Secret", "web/a", "stringData: {user: '${USER}', port: '5432', MORE}")
    assert not found(template.replace(", MORE", ""))
    assert not found(template.replace("MORE", "uri: 'postgres://db/${NAME}'"))
    assert found(template.replace("MORE", "password: hunter2")) == ["secrets/plain"]
    assert found(obj("Secret", "web/a", "stringData: {port: '5432'}")) == ["secrets/plain"]
