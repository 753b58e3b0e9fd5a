"""What the disk refuses, and what is in the way: a message, a consistent tree, and a next run that carries on."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fluxstead.tree.delivery import Delivery, deliver, look
from fluxstead.tree.look import Blocked, SafeReader
from tests.tree.cut_off import DIRECTORY, FIRST, SECOND, desired, disk, leftovers, written

REPOSITORY = Path(__file__).parents[2]
CHILD = (sys.executable, "-m", "tests.tree.delivering")
ENTRY = "clusters/test/tree.yaml"
NOBODY = 65534


def spoken(words: list[str], files: dict[str, str] | None = None) -> Any:
    """What a process answers in JSON."""
    done = subprocess.run(words, cwd=REPOSITORY, input=json.dumps(files), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def on_its_own_file_system(root: Path, options: str, command: str) -> Any:
    """Do it on a small file system in memory, which nobody else sees; or skip where none can be mounted."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    if subprocess.run([*unshare, "mount", "-t", "tmpfs", "tmpfs", str(root)], capture_output=True, check=False).returncode:
        pytest.skip("no mount namespace can be made here")
    script = f'mount -t tmpfs -o {options} tmpfs "$1" && shift && exec "$@"'
    return spoken([*unshare, "sh", "-c", script, "sh", str(root), *CHILD, str(root), command])


def without_roots_rights(root: Path, files: dict[str, str]) -> Any:
    """Deliver as a user to whom file permissions apply; root keeps its user id and drops its capabilities."""
    words = [*CHILD, str(root), "once"]
    if os.geteuid() != 0:
        return spoken(words, files)
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv to give root's rights away with")
    return spoken(["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--", *words], files)


@pytest.mark.parametrize(("options", "command"), [("size=64k", "full"), ("size=1m,nr_inodes=60", "no names")])
def test_a_full_disk_leaves_the_tree_as_it_was(options: str, command: str, tmp_path: Path) -> None:
    """With any amount of room left, in bytes or in inodes: the old tree or the new one, and a message."""
    answers = on_its_own_file_system(tmp_path, options, command)
    refused = [answer for answer in answers if answer["ids"]]
    assert 5 < len(refused) < len(answers) == 14
    for answer in refused:
        assert answer["ids"] == ["tree/not-written"]
        assert "No space left on device; the tree is as it was before" in answer["text"]
        assert "make room first" in answer["text"]
        assert answer["as before"], answer
    assert not [answer for answer in answers if answer["leftovers"] or not answer["carried on"]]


def test_a_read_only_file_system_is_said_and_still_looked_at(tmp_path: Path) -> None:
    """`check` and a render that has nothing to do need no writing."""
    answer = on_its_own_file_system(tmp_path, "size=1m", "read-only")
    assert answer["ids"] == ["tree/not-written"]
    assert "Read-only file system; the tree is as it was before" in answer["text"]
    assert answer["looked"] == []
    assert answer["nothing to do"]
    assert answer["as before"]
    assert answer["carried on"]


@pytest.mark.parametrize(
    "place", ["generated", DIRECTORY, f"{DIRECTORY}/apps", f"{DIRECTORY}/apps/b", f"{DIRECTORY}/old", "clusters"]
)
@pytest.mark.parametrize(("rights", "id_"), [(0o555, "tree/not-written"), (0o000, "tree/unreadable")])
def test_a_folder_without_rights_is_said_and_the_tree_left_whole(place: str, rights: int, id_: str, tmp_path: Path) -> None:
    """Once the permissions are restored, the next run carries on."""
    written(tmp_path, FIRST)
    if place == "clusters":
        shutil.rmtree(tmp_path / "clusters/test")
    before = disk(tmp_path)
    needs_nothing_there = place == "generated" and rights == 0o555
    (tmp_path / place).chmod(rights)
    try:
        answer = without_roots_rights(tmp_path, SECOND)
    finally:
        (tmp_path / place).chmod(0o755)
    if needs_nothing_there:
        assert not answer["ids"]
    elif place.endswith("old") and rights == 0o555:
        # A file that goes is the only change there, which nothing can be tried beforehand for.
        assert "some files are from the new tree and some from the old one" in answer["text"]
    else:
        assert set(answer["ids"]) == {id_}
        assert "Permission denied" in answer["text"]
        assert disk(tmp_path) == before
    assert not leftovers(tmp_path)
    written(tmp_path, SECOND)


@pytest.mark.parametrize("file", [f"{DIRECTORY}/apps/a.yaml", f"{DIRECTORY}/.fluxstead.json", ENTRY])
def test_a_file_without_rights_is_said(file: str, tmp_path: Path) -> None:
    """Whether a hand changed it cannot be told. The entry is not looked into where it is only written once."""
    written(tmp_path, FIRST)
    before = disk(tmp_path)
    (tmp_path / file).chmod(0o000)
    try:
        answer = without_roots_rights(tmp_path, SECOND)
    finally:
        (tmp_path / file).chmod(0o644)
    assert answer["ids"] == ["tree/unreadable"]
    assert f"{file}:1: error [tree/unreadable] it cannot be read: Permission denied" in answer["text"]
    assert disk(tmp_path) == before


def test_what_fails_half_way_is_said_and_carried_on(tmp_path: Path) -> None:
    """In a folder where everybody may make files, nobody may replace another's."""
    if os.geteuid() != 0:
        pytest.skip("takes root to give a file away")
    written(tmp_path, FIRST)
    tmp_path.chmod(0o755)
    for path in (tmp_path / DIRECTORY / "apps", tmp_path / DIRECTORY / "apps/a.yaml"):
        os.chown(path, NOBODY, NOBODY)
    (tmp_path / DIRECTORY / "apps").chmod(0o1777)
    answer = without_roots_rights(tmp_path, SECOND)
    assert answer["ids"] == ["tree/not-written"]
    assert "Operation not permitted; some files are from the new tree and some from the old one" in answer["text"]
    assert not leftovers(tmp_path)
    written(tmp_path, SECOND)


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's path is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def _link(path: Path) -> None:
    path.symlink_to(path.with_name("elsewhere"))


def _link_to_nothing(path: Path) -> None:
    path.symlink_to("nothing")


def _file(path: Path) -> None:
    path.write_text("mine\n")


def _folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)
    (path / "inside/mine").write_text("mine\n")


KINDS = {
    "pipe": _pipe,
    "socket": _socket,
    "symbolic link": _link,
    "symbolic link to nothing": _link_to_nothing,
    "file": _file,
    "folder": _folder,
}
FOLDERS = ("generated", DIRECTORY, f"{DIRECTORY}/apps", f"{DIRECTORY}/apps/b", "clusters", "clusters/test")
FILES = (f"{DIRECTORY}/apps/a.yaml", f"{DIRECTORY}/README.md", f"{DIRECTORY}/.fluxstead.json", ENTRY)
IN_THE_WAY = [
    (place, kind) for places, fits in ((FOLDERS, "folder"), (FILES, "file")) for place in places for kind in KINDS if kind != fits
]


@pytest.mark.parametrize(("place", "kind"), IN_THE_WAY)
@pytest.mark.parametrize("act", [look, deliver])
def test_what_is_no_file_or_folder_of_the_tree_is_said_once_and_touched_by_nothing(
    place: str, kind: str, act: Callable[..., Delivery], tmp_path: Path
) -> None:
    """No link is followed out of the project, no pipe is waited for; not even with --overwrite."""
    written(tmp_path, FIRST)
    (tmp_path / place).rename(tmp_path / place.replace(place.rpartition("/")[2], "elsewhere"))
    KINDS[kind](tmp_path / place)
    before = {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*")}
    findings = act(desired(tmp_path, SECOND, overwrite=True)).findings
    assert [(one.id, one.source.file) for one in findings if one.id != "tree/added"] == [("tree/in-the-way", place)]
    [finding] = [one for one in findings if one.id == "tree/in-the-way"]
    assert f"a {kind.removesuffix(' to nothing')} is where the tree has a" in finding.what
    assert {str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns) for path in tmp_path.rglob("*")} == before


def test_a_device_is_no_file(tmp_path: Path) -> None:
    """Reading one may wait forever, or never end."""
    if os.geteuid() != 0:
        pytest.skip("takes root to make a device")
    written(tmp_path, FIRST)
    (tmp_path / DIRECTORY / "README.md").unlink()
    try:
        os.mknod(tmp_path / DIRECTORY / "README.md", 0o020666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no device can be made here")
    [finding] = look(desired(tmp_path, SECOND)).findings
    assert "a device is where the tree has a file" in finding.what


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    """It would take all memory."""
    written(tmp_path, FIRST)
    with (tmp_path / DIRECTORY / "README.md").open("ab") as file:
        file.truncate(10 * 1024**4)
    [finding] = look(desired(tmp_path, SECOND)).findings
    assert "a file of 10485760 MiB is where the tree has a file" in finding.what


def test_a_name_that_is_too_long_for_the_disk_is_said(tmp_path: Path) -> None:
    """Never a traceback."""
    [finding] = deliver(desired(tmp_path, {"a" * 300 + ".yaml": "a: 1\n"})).findings
    assert finding.id == "tree/not-written"
    assert "File name too long" in finding.what


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    """It is the operator who leads there."""
    (tmp_path / "project").mkdir()
    (tmp_path / "link").symlink_to("project")
    written(tmp_path / "link", FIRST)
    assert (tmp_path / "project" / DIRECTORY / "apps/a.yaml").read_text() == FIRST["apps/a.yaml"]


def test_what_earlier_versions_left_goes_and_what_is_only_called_alike_stays(tmp_path: Path) -> None:
    """Their files had random names; a folder, a link or another name is not one of them."""
    written(tmp_path, FIRST)
    tree = tmp_path / DIRECTORY
    (tree / "apps/.fluxstead-a1b2c3_d").write_text("half a f")
    (tree / "gone").mkdir()
    (tree / "gone/.fluxstead-zzzzzzzz").write_text("")
    (tree / "empty/below").mkdir(parents=True)
    mine = [tree / "apps/.fluxstead-notes", tree / ".fluxstead-UPPERCAS", tree / "apps/.fluxstead-a1b2c3_d.md"]
    for path in mine:
        path.write_text("mine")
    (tree / ".fluxstead-abcdefgh").symlink_to("README.md")
    assert look(desired(tmp_path, FIRST)).nothing_to_do
    written(tmp_path, FIRST)
    assert {path for path, text in disk(tree).items() if text is not None} == {
        *FIRST,
        ".fluxstead.json",
        ".fluxstead-abcdefgh",
        *(str(path.relative_to(tree)) for path in mine),
    }
    assert not (tree / "empty").exists()
    assert not (tree / "gone").exists()


def test_looking_through_a_link_is_refused_at_the_last_moment_too(tmp_path: Path) -> None:
    """A file that became a link after it was looked at."""
    (tmp_path / "a").write_text("a")
    seen = SafeReader(tmp_path)
    assert seen.text("a") == "a"
    (tmp_path / "a").unlink()
    (tmp_path / "a").symlink_to("/etc/hostname")
    with pytest.raises(Blocked):
        seen.text("a")
    assert [finding.id for finding in seen.findings.values()] == ["tree/unreadable"]
