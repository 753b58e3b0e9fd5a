"""Applications that wait for Kustomizations of the operator's own, which stand beside the tree."""

from __future__ import annotations

import pytest
import yaml

from fluxstead.checks.hand_written import clusters_in
from fluxstead.core.findings import Finding, errors
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.repository import commit, git, render
from tests.conftest import Project

_OWN = """apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: databases, namespace: flux-system}
spec:
  interval: 10m
  path: ./databases
  prune: true
  sourceRef: {kind: GitRepository, name: flux-system}
"""


def waits_for(project: Project, name: str, own: str = _OWN) -> None:
    """Let the application wait for a Kustomization, beside one of the operator's own."""
    project.replace(project.stack_file.name, "    - name: example-app\n", f"    - name: example-app\n      dependsOn: [{name}]\n")
    for path, text in {
        "clusters/k3s-flux/databases.yaml": own,
        "databases/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: databases}\n",
    }.items():
        (project.root / path).parent.mkdir(parents=True, exist_ok=True)
        (project.root / path).write_text(text)


def found(project: Project) -> dict[str, Finding]:
    """The errors, by id."""
    return {one.id: one for one in errors(project.run().findings)}


@pytest.mark.usefixtures("somebody")
def test_an_application_waits_for_what_the_operator_wrote(reference: Project) -> None:
    """In the tree as well as in the picture, which says that it is not generated; and `--tree` says the same of it."""
    waits_for(reference, "databases")
    git(reference.root, "init", "-q")
    folder = render(reference)
    commit(reference.root)
    assert not found(reference)
    written = yaml.safe_load((folder / "apps/example-app-prod.yaml").read_text())
    assert {"name": "databases"} in written["spec"]["dependsOn"]
    assert "layer_databases([databases]) --> layer_example_app_prod" in (folder / "README.md").read_text()
    [past] = clusters_in(reference.root, SYSTEM_FACTS).values()
    assert not errors([one for one in judged(past) if isinstance(one, Finding)])


def test_a_name_that_is_almost_one_of_the_operators_own_is_refused(reference: Project) -> None:
    """With the one that may be meant."""
    waits_for(reference, "database")
    assert found(reference)["order/dangling-dependency"].fix == "databases"


def test_what_is_generated_from_an_earlier_description_is_not_the_operators_own(reference: Project) -> None:
    """The tree on the disk is what this description replaces."""
    render(reference)
    waits_for(reference, "example-app-test")
    stale = reference.root / "generated/k3s-flux/apps/example-app-test.yaml"
    stale.write_text(_OWN.replace("name: databases", "name: example-app-test"))
    listing = stale.parent / "kustomization.yaml"
    listing.write_text(listing.read_text() + "  - example-app-test.yaml\n")
    assert "order/dangling-dependency" in found(reference)


def test_what_waits_for_the_application_is_not_waited_for(reference: Project) -> None:
    """Neither would ever be applied."""
    waits_for(reference, "databases", f"{_OWN}  dependsOn: [{{name: example-app-dev}}]\n")
    assert {"databases", "example-app-dev"} <= set(found(reference)["coldstart/deadlock"].what.partition(": ")[2].split(" → "))
