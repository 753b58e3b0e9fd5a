"""The cause comes first and alone: what keeps a file from being read is one finding with its line, and its keys are not missed."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fluxstead.core.findings import Finding, errors
from tests.conftest import Project

STACK = "Pulumi.k3s-flux.yaml"
K3S1 = "nodes/k3s1.yaml"
BOTH = pytest.mark.parametrize("file", [STACK, K3S1])


def only(project: Project) -> Finding:
    [finding] = errors(project.run().findings)
    return finding


def _conflict(text: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join(
        [*lines[:5], "<<<<<<< HEAD\n", lines[5], "||||||| base\n", lines[5], "=======\n", lines[5], ">>>>>>> other\n", *lines[6:]]
    )


def _in_a_text(text: str) -> str:
    """A conflict that is YAML all the same: inside a text of many lines."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:5], "<<<<<<< HEAD\n", ">>>>>>> other\n", *lines[5:]])


SPOILT: list[tuple[str, Callable[[str], bytes], int, str, str]] = [
    ("utf-16", lambda text: text.encode("utf-16"), 1, "UTF-16", "iconv -f UTF-16 -t UTF-8"),
    ("latin-1", lambda text: _after(text, 3, "# f\xfcr").encode("latin-1"), 4, "byte 0xfc", "iconv -f WINDOWS-1252"),
    ("nul", lambda text: _after(text, 2, "\0\1\2").encode(), 3, "NUL", "plain text"),
    ("bell", lambda text: _after(text, 2, "\a").encode(), 3, "control characters", "UTF-8"),
    ("conflict", lambda text: _conflict(text).encode(), 6, "unresolved merge: `<<<<<<< HEAD`", "one of the two sides"),
    ("half a conflict", lambda text: _in_a_text(text).encode(), 6, "unresolved merge", "one of the two sides"),
    ("tab", lambda text: _after(text, 4, "\tx: y").encode(), 5, "indented with a tab", "spaces"),
    ("tab after spaces", lambda text: _after(text, 4, "  \tx: y").encode(), 5, "indented with a tab", "spaces"),
    ("empty", lambda _: b"", 1, "nothing in the file", "git checkout"),
    ("comment", lambda _: b"# nothing\n\n", 1, "nothing in the file", "git checkout"),
    ("bom", lambda _: b"\xef\xbb\xbf", 1, "nothing in the file", "git checkout"),
    ("null", lambda _: b"~\n", 1, "nothing in the file", "git checkout"),
    ("zip", lambda _: b"PK\x03\x04\n\xff\x00\x00", 2, "0xff", "UTF-8"),
    ("two documents", lambda text: f"{text}---\n{text}".encode(), 0, "not YAML", "one document"),
]


def _after(text: str, line: int, more: str) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[:line], f"{more}\n", *lines[line:]])


@BOTH
@pytest.mark.parametrize(("spoil", "line", "what", "write"), [one[1:] for one in SPOILT], ids=[one[0] for one in SPOILT])
def test_a_file_that_cannot_be_read_is_one_finding(
    reference: Project, file: str, spoil: Callable[[str], bytes], *, line: int, what: str, write: str
) -> None:
    """Not four keys that are missing before it, and no complaint about what the other files say."""
    path = reference.root / file
    path.write_bytes(spoil(path.read_text()))
    finding = only(reference)
    assert (finding.source.file, finding.source.line if line else 0) == (file, line)
    assert what in finding.what
    assert write in finding.fix


@BOTH
def test_a_byte_order_mark_before_a_good_file_is_no_mistake(reference: Project, file: str) -> None:
    """Editors of Windows write one."""
    path = reference.root / file
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert not errors(reference.run().findings)


@BOTH
@pytest.mark.parametrize("kind", ["folder", "pipe", "unreadable"])
def test_what_is_no_readable_file_is_one_finding(reference: Project, file: str, kind: str) -> None:
    """A pipe would hang forever."""
    path = reference.root / file
    if kind == "unreadable":
        path.chmod(0)
    else:
        path.unlink()
        path.mkdir() if kind == "folder" else os.mkfifo(path)
    finding = as_nobody(reference) if kind == "unreadable" else only(reference)
    assert finding.source.file == file
    expected = {"folder": "a folder", "pipe": "not a regular file", "unreadable": "you have no permission to read the file"}
    assert expected[kind] in finding.what
    assert (f"chmod u+r {file}" in finding.fix) == (kind == "unreadable")


def test_a_folder_of_machines_that_may_not_be_read_is_one_finding(reference: Project) -> None:
    """No traceback, and no machine is left out without a word."""
    (reference.root / "nodes").chmod(0)
    finding = as_nobody(reference)
    (reference.root / "nodes").chmod(0o755)
    assert (finding.source.file, finding.fix) == ("nodes", "`chmod u+rx nodes`, as its owner")


def as_nobody(project: Project) -> Finding:
    """What a user finds who is not root, to whom everything can be read."""
    if os.geteuid() != 0:
        return only(project)
    for folder in (project.root, *project.root.parents):
        if folder.owner() == "root" and folder != Path("/") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    os.seteuid(65534)
    try:
        return only(project)
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("which", ["reference", "example"])
@pytest.mark.parametrize("kind", ["no folder", "of another cluster", "notes only", "planned"])
def test_a_cluster_without_machines_is_told_that_alone(request: pytest.FixtureRequest, which: str, kind: str) -> None:
    """Not how many replicas it could have, nor that the classes of its disks are missing: the second cluster needs both."""
    project: Project = request.getfixturevalue(which)
    if kind == "no folder":
        shutil.rmtree(project.root / "nodes")
    for path in (project.root / "nodes").glob("*.yaml"):
        if kind == "notes only":
            path.unlink()
        elif kind == "planned":
            path.write_text(re.sub("^state: .*", "state: planned", path.read_text(), flags=re.MULTILINE))
        else:
            path.write_text(path.read_text().replace(f"cluster: {project.stack}", "cluster: other"))
            (project.root / "Pulumi.other.yaml").write_text("config: {}\n")
    finding = only(project)
    assert finding.id == "nodes/no-server"
    if kind != "planned":
        assert (finding.source.file, finding.what) == ("nodes", "no machine in nodes/ belongs to this cluster")
        assert "nodes/<name>.yaml" in finding.fix


def test_machines_that_all_leave_are_not_told_of_replicas_as_well(example: Project) -> None:
    """No live machine is the mistake."""
    for path in (example.root / "nodes").glob("*.yaml"):
        path.write_text(re.sub("^state: .*", "state: leaving", path.read_text(), flags=re.MULTILINE))
    found = {finding.id for finding in errors(example.run().findings)}
    assert "nodes/no-server" in found
    assert "longhorn/too-few-nodes" not in found


@pytest.mark.parametrize(
    ("file", "old", "new", "write"),
    [
        (K3S1, "address: 192", "adress: 192", "address"),
        (K3S1, "cluster: k3s", "Cluster: k3s", "cluster"),
        (K3S1, "state: live", "status: live", "state"),
        (K3S1, "  - name: sdf1\n    device: /dev/sdf\n    size", "  - name: sdf1\n    device: /dev/sdf\n    sise", "size"),
        (STACK, "  fluxstead:longhorn:", "  fluxstead:longhron:", "fluxstead:longhorn"),
        (STACK, "  fluxstead:longhorn:", "  fluxsted:longhorn:", "fluxstead:longhorn"),
        (STACK, "  fluxstead:longhorn:", "  longhorn:", "fluxstead:longhorn"),
        (STACK, "config:\n", "confg:\n", "config"),
        (STACK, "    - name: example-app", "    - nam: example-app", "name"),
        (STACK, "    version: 2.6.1", "    versoin: 2.6.1", "version"),
    ],
)
def test_a_misspelt_key_that_is_needed_is_told_once(reference: Project, file: str, old: str, new: str, write: str) -> None:
    """Not once as unknown and once as missing."""
    reference.replace(file, old, new)
    finding = only(reference)
    assert (finding.id, finding.fix) == ("description/unknown-key", write)


def test_a_key_that_is_missing_beside_one_that_nobody_knows_is_told_as_well(reference: Project) -> None:
    """They are two mistakes."""
    reference.replace(K3S1, "address: 192.168.86.71", "colour: blue")
    found = errors(reference.run().findings)
    assert sorted(finding.id for finding in found) == ["description/missing", "description/unknown-key"]


def test_keys_behind_a_merge_key_are_not_missing(reference: Project) -> None:
    """The merge key is refused, and had them."""
    reference.replace(K3S1, "cluster: k3s-flux\n", "ssh: &base {port: 22}\ncluster: k3s-flux\n")
    reference.replace(K3S1, "role: server\nstate: live\n", "<<: *base\n")
    finding = only(reference)
    assert "merge key" in finding.what


def test_a_section_whose_lines_were_lost_is_not_missing_as_well(reference: Project) -> None:
    """The line that is left is the place to look at."""
    before, _, rest = reference.stack_file.read_text().partition("  fluxstead:longhorn:\n")
    reference.stack_file.write_text(f"{before}  fluxstead:longhorn:\n{rest[rest.index('  fluxstead:ingress:') :]}")
    assert "`fluxstead:longhorn` is empty" in only(reference).what
