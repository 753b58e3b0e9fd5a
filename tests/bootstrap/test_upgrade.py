"""What `./run upgrade flux` writes, and what of others' files it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fluxstead.bootstrap.files import COMPONENTS, LISTING, SYNC, Sync, sync_in
from fluxstead.bootstrap.upgrade import FluxUpgrade, FluxWanted, plan_upgrade
from fluxstead.core.version import Version

SYNC_TO = Sync("ssh://git@git.example.test/home.git", "main", "clusters/home", "flux-system")
DEFAULT = ("source-controller", "kustomize-controller")
PATCH = {"patch": "- {op: remove, path: /spec/replicas}", "target": {"kind": "Deployment"}}
BOOTSTRAPPED = f"apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- {COMPONENTS}\n- {SYNC}\n"


def manifests(version: str, *controllers: str) -> str:
    """As `flux install --export` writes them, in short."""
    labels = {"app.kubernetes.io/version": f"v{version}", "app.kubernetes.io/part-of": "flux"}
    named = [("Namespace", "flux-system"), *(("Deployment", name) for name in controllers or DEFAULT)]
    return yaml.safe_dump_all(
        [{"apiVersion": "v1", "kind": kind, "metadata": {"labels": labels, "name": name}} for kind, name in named]
    )


def planned(folder: Path, version: str = "2.9.5", **described: object) -> FluxUpgrade:
    """What is done for a description."""
    wanted = {"components": DEFAULT, "said": False, "patches": [], "sync": SYNC_TO, **described}
    asked = FluxWanted(version=Version(version), **wanted)  # type: ignore[arg-type]
    return plan_upgrade(folder, asked, lambda: manifests(version))


def wrote(folder: Path, plan: FluxUpgrade) -> None:
    """What the command then does."""
    assert not plan.refused
    for name, text in plan.writes.items():
        (folder / name).write_text(text)


def test_an_empty_folder_gets_all_three_and_a_second_run_nothing(tmp_path: Path) -> None:
    first = planned(tmp_path)
    assert set(first.writes) == {COMPONENTS, SYNC, LISTING}
    assert sync_in(first.writes[SYNC]) == SYNC_TO
    wrote(tmp_path, first)
    assert planned(tmp_path) == FluxUpgrade()


def test_a_repository_for_everybody_needs_no_login(tmp_path: Path) -> None:
    public = SYNC_TO._replace(url="https://git.example.test/home.git", secret=None)
    text = planned(tmp_path, sync=public).writes[SYNC]
    assert "secretRef" not in text
    assert sync_in(text) == public


def test_the_next_version_says_which_apis_go(tmp_path: Path) -> None:
    """F6: what the cluster stores under an API that the next Flux does not serve is converted before."""
    wrote(tmp_path, planned(tmp_path, "2.6.1"))
    plan = planned(tmp_path, "2.7.0")
    assert set(plan.writes) == {COMPONENTS}
    assert "source.toolkit.fluxcd.io/v1beta1" in plan.notes[0]
    assert "v1beta2" not in plan.notes[0], "2.7 still serves those"
    assert not planned(tmp_path, "2.6.2").notes


def test_it_never_goes_down(tmp_path: Path) -> None:
    wrote(tmp_path, planned(tmp_path, "2.9.5"))
    plan = planned(tmp_path, "2.6.1")
    assert "downgrade" in plan.refused[0]
    assert not plan.writes


def test_a_controller_that_only_the_file_names_is_not_dropped_silently(tmp_path: Path) -> None:
    (tmp_path / COMPONENTS).write_text(manifests("2.9.4", *DEFAULT, "image-automation-controller"))
    assert "image-automation-controller" in planned(tmp_path).refused[0]
    assert not planned(tmp_path, said=True).refused, "who says which ones there are means it"


def test_patches_go_into_a_bootstrapped_listing_and_not_into_one_that_people_wrote(tmp_path: Path) -> None:
    wrote(tmp_path, planned(tmp_path))
    (tmp_path / LISTING).write_text(BOOTSTRAPPED)
    assert not planned(tmp_path).writes, "what `flux bootstrap` wrote says the same"
    assert yaml.safe_load(planned(tmp_path, patches=[PATCH]).writes[LISTING])["patches"] == [PATCH]
    by_hand = BOOTSTRAPPED + "images: [{name: a, newTag: b}]\n"
    (tmp_path / LISTING).write_text(by_hand)
    assert "lacks 1 of the described patches" in planned(tmp_path, patches=[PATCH]).refused[0]
    (tmp_path / LISTING).write_text(by_hand + yaml.safe_dump({"patches": [PATCH]}))
    assert not planned(tmp_path, patches=[PATCH]).writes


def test_a_sync_that_follows_something_else_is_left_and_told(tmp_path: Path) -> None:
    wrote(tmp_path, planned(tmp_path))
    text = (tmp_path / SYNC).read_text().replace("branch: main", "branch: live")
    (tmp_path / SYNC).write_text(text)
    plan = planned(tmp_path)
    assert plan.notes == [f"{SYNC} is left as it is: its branch is live, and the description's is main"]
    assert not plan.writes


@pytest.mark.parametrize("text", ["- not: flux's\n", "a: [", "kind: Namespace\nmetadata: {name: x}\n"])
def test_what_is_not_fluxs_is_left(tmp_path: Path, text: str) -> None:
    (tmp_path / COMPONENTS).write_text(text)
    assert "says no version of Flux" in planned(tmp_path).refused[0]
