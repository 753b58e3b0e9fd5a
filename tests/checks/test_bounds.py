"""What has no end, or is out of all proportion, ends at once and is told of."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fluxstead.checks.hand_written import clusters_in
from fluxstead.cli.__main__ import main
from fluxstead.core.findings import Finding
from fluxstead.roster import SYSTEM_FACTS, judged
from tests.checks.planted import CONFIG, WEB, Planted, layer, look, obj
from tests.conftest import Project
from tests.shapes.test_shapes import within_bounds

STACK = "Pulumi.edge.yaml"
_BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))])


@pytest.mark.parametrize("file", [STACK, "nodes/alpha.yaml", "apps/whoami/deployment.yaml"])
def test_aliases_of_aliases(example: Project, file: str) -> None:
    """A few hundred bytes that stand for more than anybody has memory for: in the stack file, a machine's, and an include."""
    path = example.root / file
    path.write_text(f"{path.read_text()}{_BOMB}\n")
    with within_bounds():
        [finding] = [one for one in example.run().findings if "nested without end" in one.what]
    assert finding.source.file == file


@pytest.mark.parametrize("file", [STACK, "nodes/alpha.yaml"])
def test_a_file_of_many_megabytes(example: Project, file: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each of its 110,000 lines was a finding."""
    path = example.root / file
    path.write_text(path.read_text() + "".join(f"key{number}: yes # {'x' * 70}\n" for number in range(110_000)))
    with within_bounds():
        assert main(["check", "--project", str(example.root)]) == 1
    said = capsys.readouterr().err
    assert "description/unreadable" in said
    assert said.count("\n") < 10


@pytest.mark.parametrize(("count", "shown", "rest"), [(50, 21, "; and 29 more of this kind in the file"), (21, 21, "")])
def test_many_findings_of_one_kind_are_counted(
    count: int, shown: int, rest: str, example: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wall of them hides all others; programs get every one."""
    path = example.root / "nodes/alpha.yaml"
    path.write_text(path.read_text() + "".join(f"key{number}: yes\n" for number in range(count)))
    assert main(["check", "--project", str(example.root)]) == 1
    said = capsys.readouterr().err
    assert said.count("error [description/yaml]") == shown
    assert rest in said
    assert ("more of this kind" in said) is bool(rest)
    main(["check", "--project", str(example.root), "--format", "json"])
    assert capsys.readouterr().out.count('"description/yaml"') == count


@pytest.mark.parametrize("target", [".", "..", "../..", "../other"])
def test_a_folder_that_links_to_itself(tmp_path: Path, target: str) -> None:
    """Directly, or by a second link; two of them were without end. Flux leaves links out, and so do we."""
    for path, text in {**layer("web", WEB, CONFIG), "clusters/other/a.txt": ""}.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "clusters/home/one").symlink_to(target)
    (tmp_path / "clusters/home/two").symlink_to(target)
    (tmp_path / "clusters/other/back").symlink_to("../home")
    with within_bounds():
        said = [one for past in clusters_in(tmp_path, SYSTEM_FACTS).values() for one in judged(past)]
    assert not [one for one in said if isinstance(one, Finding) and one.severity.name == "ERROR"]


@pytest.mark.parametrize("file", [STACK, "nodes/alpha.yaml", "apps/whoami/deployment.yaml", "apps/whoami/kustomization.yaml"])
def test_a_pipe_is_not_waited_for(example: Project, file: str) -> None:
    (example.root / file).unlink()
    os.mkfifo(example.root / file)
    with within_bounds():
        found = example.run().findings
    assert any(one.severity.name == "ERROR" for one in found), found


@pytest.mark.parametrize(
    "objects",
    [
        "apiVersion: v1\nkind: Namespace\n",
        "apiVersion: v1\nkind: Namespace\nmetadata: [a]\n",
        obj("Secret", "web/a", "stringData: {a: {b: c}}"),
        obj("Secret", "web/a", "stringData: hunter2"),
        obj("Secret", "web/a", "stringData: {a: 'ENC[AES256_GCM,x]'}\nsops: [a]"),
        CONFIG.replace("metadata: {", "metadata: {annotations: [a], "),
        CONFIG.replace("metadata: {", "metadata: {annotations: {a: {b: c}}, "),
    ],
)
def test_what_is_of_another_shape_gives_findings(objects: str) -> None:
    """And nothing of a Secret is shown by them."""
    files = layer("web", objects, CONFIG)
    found = look(Planted(files=files, cure=("", ""), says=""), files)
    assert found
    assert not any("hunter2" in one.text() for one in found)
