"""A change that the API server refuses is told where Flux tries it, and not where Flux leaves the object alone or makes it anew."""

from __future__ import annotations

import pytest

from tests.checks.planted import WEB, Planted, claim, kept, layer, look, obj

_JOB = "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: 'example.test/a:%s'}]}}}"
_FLUX = "kustomize.toolkit.fluxcd.io"


def _job(version: str, marks: str = "") -> str:
    return obj("Job", "web/a", _JOB % version, "batch/v1").replace("name: a}", f"name: a{marks}}}", 1)


def _said(before: str, after: str, spec: str = "") -> list[str]:
    files = layer("web", kept(WEB), after, spec=spec)
    planted = Planted(files=files, before=layer("web", kept(WEB), before, spec=spec), cure=("", ""), says="", platform=None)
    return [f"{one.source}: {one.id}" for one in look(planted, files) if one.id.startswith("moves/")]


def test_a_changed_job_is_told_at_its_image() -> None:
    text = (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: a\n  namespace: web\nspec:\n  template:\n    spec:\n"
        "      containers:\n      - name: a\n        image: example.test/a:%s\n"
    )
    [found] = _said(text % "1", text % "2")
    place, _, check = found.partition(": ")
    files = layer("web", kept(WEB), text % "2")
    line = files["web/objects.yaml"].splitlines().index("        image: example.test/a:2") + 1
    assert (place, check) == (f"web/objects.yaml:{line}", "moves/immutable")


@pytest.mark.parametrize(
    "marks",
    [
        f", annotations: {{{_FLUX}/force: enabled}}",
        f", annotations: {{{_FLUX}/force: Enabled}}",
        f", labels: {{{_FLUX}/force: enabled}}",
        f", annotations: {{{_FLUX}/ssa: IfNotPresent}}",
        f", annotations: {{{_FLUX}/ssa: Ignore}}",
        f", annotations: {{{_FLUX}/reconcile: disabled}}",
    ],
)
def test_what_flux_leaves_alone_or_makes_anew(marks: str) -> None:
    assert _said(_job("1"), _job("2", marks)) == []


@pytest.mark.parametrize("mark", [f"{_FLUX}/ssa: Override", f"{_FLUX}/prune: disabled", f"{_FLUX}/force: disabled"])
def test_other_annotations(mark: str) -> None:
    assert len(_said(_job("1"), _job("2", f", annotations: {{{mark}}}"))) == 1


@pytest.mark.parametrize(
    "spec",
    [
        "force: true",
        f"commonMetadata: {{annotations: {{{_FLUX}/force: enabled}}}}",
        "patches: [{target: {kind: Job}, patch: '[{op: remove, path: /spec}]'}]",
    ],
)
def test_what_the_kustomization_says_for_all_its_objects(spec: str) -> None:
    assert _said(_job("1"), _job("2"), spec) == []


def test_force_is_no_cure_for_a_claim() -> None:
    before, after = claim("5Gi", "a"), claim("5Gi", "b")
    assert [one.rpartition(" ")[2] for one in _said(before, after)] == ["moves/immutable"]
    assert [one.rpartition(" ")[2] for one in _said(before, after, "force: true")] == ["moves/claim-emptied"]


@pytest.mark.parametrize(("before", "after"), [("1Gi", "1024Mi"), ("1Gi", "2Gi"), ("2Gi", "'${SIZE}'")])
def test_claims_that_keep_their_size_or_grow(before: str, after: str) -> None:
    """The class is not in the tree, so whether its volumes can grow is not known."""
    assert _said(claim(before, "a"), claim(after, "a")) == []


def test_a_claim_without_a_class_cannot_grow() -> None:
    """It is bound to a volume that somebody made by hand."""
    assert [one.rpartition(" ")[2] for one in _said(claim("1Gi", "''"), claim("2Gi", "''"))] == ["moves/claim-cannot-grow"]


def test_one_line_for_many_objects_is_one_finding() -> None:
    """As a component does, or a description."""
    both: dict[str, str] = {}
    for name in "ab":
        files = layer(name, spec=f"targetNamespace: {name}")
        both |= {
            path: text.replace(f"path: ./{name}", "path: ./all") for path, text in files.items() if path.startswith("clusters/")
        }
    before, after = ({**both, "all/job.yaml": obj("Job", "a", _JOB % version, "batch/v1")} for version in "12")
    found = [one.what for one in look(Planted(files=after, before=before, cure=("", ""), says="", platform=None), after)]
    assert [what for what in found if "spec.template" in what] == ["Job a/a in HEAD, as 1 more, differs in `spec.template`"]
