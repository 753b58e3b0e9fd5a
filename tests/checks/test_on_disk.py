"""`./run check` says what a hand did to the generated files, as `./run render --check` does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxstead.cli.__main__ import main
from tests.conftest import REPOSITORY, Project

TREE = "generated/k3s-flux"
Found = list[dict[str, Any]]
Command = Callable[..., tuple[int, Found]]


@pytest.fixture
def command(reference: Project, capsys: pytest.CaptureFixture[str]) -> Command:
    """A command on the reference cluster: its exit status, and what it finds on the disk."""

    def run(*words: str) -> tuple[int, Found]:
        status = main([*words, "--project", str(reference.root), "--format", "json"])
        answer = json.loads(capsys.readouterr().out)
        found = answer["findings"] if isinstance(answer, dict) else answer
        return status, [one for one in found if one["id"].startswith("tree/")]

    return run


def _edit(project: Path) -> None:
    file = project / TREE / "apps.yaml"
    file.write_text(file.read_text().replace("prune: true", "prune: false"))


def _add(project: Path) -> None:
    (project / TREE / "apps/example-app-dev-workload/mine.yml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: mine}\n"
    )


def _delete(project: Path) -> None:
    (project / TREE / "apps.yaml").unlink()


def _delete_entry(project: Path) -> None:
    (project / "clusters/k3s-flux/tree.yaml").unlink()


def _delete_layers(project: Path) -> None:
    shutil.rmtree(project / TREE / "apps")


def _link(project: Path) -> None:
    (project / "generated").rename(project.parent / f"{project.name}-elsewhere")
    (project / "generated").symlink_to(project.parent / f"{project.name}-elsewhere")


def _spoil_record(project: Path) -> None:
    (project / TREE / ".fluxstead.json").write_text("<<<<<<<\n")


HANDS = {
    "edited": (_edit, "tree/edited", f"{TREE}/apps.yaml", "+  prune: false"),
    "added": (_add, "tree/added", f"{TREE}/apps/example-app-dev-workload/mine.yml", "did not write"),
    "deleted": (_delete, "tree/deleted", f"{TREE}/apps.yaml", "deleted by hand: generated/k3s-flux/apps.yaml"),
    "entry": (_delete_entry, "tree/deleted", "clusters/k3s-flux/tree.yaml", "deleted by hand: clusters/k3s-flux/tree.yaml"),
    "layers": (_delete_layers, "tree/deleted", f"{TREE}/apps/kustomization.yaml", " more"),
    "linked": (_link, "tree/in-the-way", "generated", "a symbolic link is where the tree has a folder"),
    "record": (_spoil_record, "tree/record", f"{TREE}/.fluxstead.json", "cannot be read"),
}


@pytest.mark.parametrize("hand", HANDS)
def test_a_hand_in_the_generated_files_is_an_error(hand: str, reference: Project, command: Command) -> None:
    """The finding names the changed file. `check` once found no errors here, contrary to the documentation."""
    do, id_, file, what = HANDS[hand]
    assert command("render") == (0, [])
    assert command("check") == (0, [])
    do(reference.root)
    status, [finding] = command("check")
    assert status == 1
    assert (finding["id"], finding["severity"], finding["file"]) == (id_, "error", file)
    assert what in finding["what"]
    assert command("render", "--check")[0] == 1


def test_what_was_deleted_comes_back(reference: Project, command: Command) -> None:
    """`render` restores it, as the finding says."""
    command("render")
    _delete_layers(reference.root)
    _delete_entry(reference.root)
    assert command("render") == (0, [])
    assert command("check") == (0, [])


def test_a_hand_is_told_of_together_with_the_description(reference: Project, command: Command) -> None:
    """Both are reported in one run; that the tree is stale is not repeated then."""
    command("render")
    _edit(reference.root)
    reference.replace("Pulumi.k3s-flux.yaml", "  fluxstead:apps:\n", "  fluxstead:apps:\n    - {name: apps, path: apps/apps}\n")
    for words in (("check",), ("render",), ("render", "--check")):
        status, found = command(*words)
        assert status == 1
        assert [one["id"] for one in found] == ["tree/name-taken", "tree/two-owners", "tree/edited"]


def test_a_tree_that_is_not_rendered_yet_is_a_warning(reference: Project, command: Command) -> None:
    """It is the ordinary state between two commands; it can be accepted like any warning."""
    status, [finding] = command("check")
    assert (status, finding["id"], finding["severity"]) == (0, "tree/stale", "warning")
    assert "create" in finding["what"]
    command("render")
    reference.replace("Pulumi.k3s-flux.yaml", "retention: 10d", "retention: 15d")
    status, [finding] = command("check")
    assert (status, finding["id"]) == (0, "tree/stale")
    assert "update generated/k3s-flux/monitoring/kube-prometheus-stack/" in finding["what"]
    with reference.stack_file.open("a") as file:
        file.write("  fluxstead:accept: [{id: tree/stale, reason: rendered by a job}]\n")
    assert command("check") == (0, [])
    command("render")
    assert "accept/unused" not in {finding.id for finding in reference.run().findings}


def test_check_writes_nothing(reference: Project, command: Command, tree_of: Callable[[Path], dict[str, bytes]]) -> None:
    """It does not even clean up what a killed run left."""
    command("render")
    (reference.root / TREE / ".fluxstead-abcdefgh").write_text("half")
    _delete(reference.root)
    before = tree_of(reference.root)
    command("check")
    command("render", "--check")
    assert tree_of(reference.root) == before


def test_a_manifest_of_an_earlier_run_without_a_record_goes_with_overwrite(reference: Project, command: Command) -> None:
    """A merge dropped its line in the record, or two runs met before there was a lock."""
    command("render")
    tree = reference.root / TREE
    (tree / "apps/earlier.yaml").write_text((tree / "apps.yaml").read_text())
    status, [finding] = command("render")
    assert (status, finding["id"], finding["file"]) == (1, "tree/edited", f"{TREE}/apps/earlier.yaml")
    assert "--overwrite" in finding["write"]
    assert command("render", "--overwrite") == (0, [])
    assert not (tree / "apps/earlier.yaml").exists()


ONE_AFTER_THE_OTHER = """
import json, sys
from fluxstead.cli.__main__ import main
for words in json.loads(sys.argv[2]):
    status = main([*words, "--project", sys.argv[1]])
    sys.stderr.flush()
    print(f"\\n{words} ended with {status}", flush=True)
"""


def test_bytes_that_are_no_text_end_in_no_traceback(reference: Project, command: Command) -> None:
    """Invalid UTF-8 in a file and in a file's name, printed to a terminal that takes only UTF-8."""
    command("render")
    tree = os.fsencode(reference.root / TREE)
    for name in (b"caf\xe9.yaml", b"apps.yaml"):
        with open(os.path.join(tree, name), "ab") as file:  # noqa: PTH118, PTH123 -- a name that is no text
            file.write(b"\xe9\n")
    runs = [[*words, "--format", form] for words in (["check"], ["render"], ["render", "--check"]) for form in ("text", "json")]
    done = subprocess.run(
        [sys.executable, "-c", ONE_AFTER_THE_OTHER, str(reference.root), json.dumps(runs)],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    *said, rest = done.stdout.decode().split(" ended with 1\n")
    assert (len(said), rest) == (len(runs), "")
    for one in said:
        assert "Traceback" not in one
        assert "caf\ufffd.yaml" in one


def test_a_manifest_of_ones_own_goes_by_no_command(reference: Project, command: Command) -> None:
    """fluxstead never removes a file that it did not write."""
    command("render")
    _add(reference.root)
    status, [finding] = command("render", "--overwrite")
    assert (status, finding["id"]) == (1, "tree/added")
    assert (reference.root / TREE / "apps/example-app-dev-workload/mine.yml").exists()
