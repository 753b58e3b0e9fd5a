"""The digests of k3s's binaries: taken from where it is published, shown, and written beside what people wrote; or nothing is."""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from fluxstead.checks.outside import k3s_release, web
from fluxstead.checks.outside.k3s_release import NoDigest, digest_of
from fluxstead.cli.__main__ import main
from tests.cli.k3s_releases import Releases, serving_releases
from tests.conftest import Project

AMD, ARM64, ARM = ("0123456789abcdef" * 4, "f0" * 32, "e1" * 32)
AT = "/v1.33.1%2Bk3s1/sha256sum-"
FILES = {
    f"{AT}amd64.txt": f"{'9' * 64}  k3s-airgap-images-amd64.tar.zst\n{AMD}  k3s\n".encode(),
    f"{AT}arm64.txt": f"{ARM64}  k3s-arm64\n{'8' * 64}  k3s-airgap-images-arm64.tar\n".encode(),
    f"{AT}arm.txt": f"{ARM}  k3s-armhf\n".encode(),
}
LINE = "    nodeCidr: 192.168.86.0/24\n"


@pytest.fixture
def releases() -> Iterator[Releases]:
    """Where k3s is published."""
    with serving_releases(FILES) as found:
        yield found


@pytest.fixture
def project(reference: Project, releases: Releases) -> Project:
    """The reference cluster, which takes its k3s from there."""
    reference.replace(reference.stack_file.name, LINE, f"{LINE}    binariesFrom: {releases.address}\n")
    return reference


def lock(project: Project) -> int:
    """Run it."""
    return main(["upgrade", "kubernetes", "--lock", "--project", str(project.root)])


def described(project: Project) -> dict[str, str] | None:
    """The digests in the description."""
    found: dict[str, str] | None = yaml.safe_load(project.stack_file.read_text())["config"]["fluxstead:kubernetes"].get("binaries")
    return found


def test_digests_are_written_beside_what_is_there(project: Project, releases: Releases, capsys: pytest.CaptureFixture[str]) -> None:
    """For the usual machines where none says what it is; every other line stays, and a second run finds nothing to do."""
    before = project.stack_file.read_text().splitlines()
    assert lock(project) == 0
    assert described(project) == {"amd64": AMD, "arm64": ARM64}
    shown = capsys.readouterr()
    assert f"amd64: {AMD} (new)" in shown.out
    assert "review the change" in shown.err
    after = project.stack_file.read_text()
    assert not [line for line in difflib.ndiff(before, after.splitlines()) if line.startswith(("- ", "? "))]
    assert not [one for one in project.run().findings if one.id.startswith(("k3s/", "description/"))]
    assert lock(project) == 0
    assert "as described" in capsys.readouterr().out
    assert project.stack_file.read_text() == after
    assert releases.asked == [f"{AT}amd64.txt", f"{AT}arm64.txt"] * 2


def test_old_and_new_are_shown_and_comments_stay(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the machines, and those that were described."""
    project.replace("nodes/k3s2.yaml", "role: agent", "role: agent\narchitecture: arm")
    old = "7" * 64
    project.replace(project.stack_file.name, LINE, f"{LINE}    binaries: # reviewed by me\n      amd64: {old} # mine\n")
    assert lock(project) == 0
    assert described(project) == {"amd64": AMD, "arm": ARM}
    assert f"amd64: {AMD} # mine\n" in project.stack_file.read_text()
    assert "binaries: # reviewed by me\n" in project.stack_file.read_text()
    assert f"amd64: {old} -> {AMD}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><html>sign in</html>", "a page for a browser"),
        (f"{AMD}  k3s-airgap-images-amd64.tar\n".encode(), "has no digest for k3s"),
        (f"{AMD}  k3s\n{'1' * 64}  k3s\n".encode(), "has two digests for k3s"),
        (f"{AMD[:-1]}  k3s\n".encode(), "has no digest for k3s"),
        (b"", "has no digest for k3s"),
        (b"\xff\x00" * 9, "has no digest for k3s"),
        (b"x" * 2**21, "longer than any list"),
        (None, "is not there"),
    ],
)
def test_what_is_no_list_of_digests_is_said_and_nothing_is_written(
    project: Project, releases: Releases, content: bytes | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the other architecture neither."""
    if content is None:
        del releases.files[f"{AT}amd64.txt"]
    else:
        releases.files[f"{AT}amd64.txt"] = content
    before = project.stack_file.read_bytes()
    assert lock(project) == 1
    told = capsys.readouterr().err
    assert says in told
    assert "nothing was written" in told
    assert project.stack_file.read_bytes() == before


def test_a_redirect_out_of_encryption_is_not_followed(
    project: Project, releases: Releases, capsys: pytest.CaptureFixture[str]
) -> None:
    releases.moved_to = "http://192.0.2.1/sha256sum-amd64.txt"
    assert lock(project) == 1
    assert "http://192.0.2.1 is not asked without encryption" in capsys.readouterr().err


def test_a_server_that_drips_is_left(project: Project, releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long it goes on."""
    monkeypatch.setattr(k3s_release, "_ALL_SECONDS", -1.0)
    with pytest.raises(NoDigest, match="does not end"):
        digest_of("amd64", "v1.33.1+k3s1", releases.address, project.root)


def test_k3s_own_releases_are_asked_over_https(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing is dialled here: the URL is looked at where it would be."""
    opened: list[str] = []

    def not_dialled(url: str, **_: object) -> None:
        opened.append(url)
        raise OSError

    monkeypatch.setattr(web.OPENER, "open", not_dialled)
    with pytest.raises(NoDigest, match="does not answer"):
        digest_of("arm", "v1.33.1+k3s1", None, tmp_path)
    assert opened == ["https://github.com/k3s-io/k3s/releases/download/v1.33.1%2Bk3s1/sha256sum-arm.txt"]


ELF = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00"
AMD_PROGRAM, ARM64_PROGRAM = ELF + b"\x3e\x00" + b"amd" * 99, ELF + b"\xb7\x00" + b"arm" * 99


def in_a_folder(project: Project, **files: bytes) -> None:
    """The reference cluster, which takes its k3s from a folder."""
    project.replace(project.stack_file.name, LINE, f"{LINE}    binariesFrom: binaries\n")
    (project.root / "binaries").mkdir()
    for name, content in files.items():
        (project.root / "binaries" / name.replace("_", "-")).write_bytes(content)


def test_a_folder_s_files_are_counted(reference: Project) -> None:
    in_a_folder(reference, k3s=AMD_PROGRAM, k3s_arm64=ARM64_PROGRAM)
    assert lock(reference) == 0
    assert described(reference) == {
        "amd64": hashlib.sha256(AMD_PROGRAM).hexdigest(),
        "arm64": hashlib.sha256(ARM64_PROGRAM).hexdigest(),
    }


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"k3s": AMD_PROGRAM}, r"k3s-arm64: No such file"),
        ({"k3s": ARM64_PROGRAM, "k3s_arm64": ARM64_PROGRAM}, "a program for other machines than amd64"),
        ({"k3s": b"\n<html>", "k3s_arm64": ARM64_PROGRAM}, "a page for a browser"),
        ({"k3s": b"", "k3s_arm64": ARM64_PROGRAM}, "is empty"),
    ],
)
def test_a_folder_without_what_is_needed(
    reference: Project, files: dict[str, bytes], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    in_a_folder(reference, **files)
    assert lock(reference) == 1
    assert re.search(says, capsys.readouterr().err)
    assert described(reference) is None


def test_what_is_no_file_is_not_read(reference: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A pipe would never end."""
    in_a_folder(reference, k3s_arm64=ARM64_PROGRAM)
    os.mkfifo(reference.root / "binaries/k3s")
    assert lock(reference) == 1
    assert "is no file" in capsys.readouterr().err


def test_a_linked_description_is_left(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """It would become a file of its own."""
    project.stack_file.rename(project.root / "real.yaml")
    project.stack_file.symlink_to("real.yaml")
    assert lock(project) == 1
    assert "it is a link" in capsys.readouterr().err
    assert project.stack_file.is_symlink()


def test_without_lock_it_is_said_what_is_missing(reference: Project, capsys: pytest.CaptureFixture[str]) -> None:
    before = reference.stack_file.read_bytes()
    assert main(["upgrade", "kubernetes", "--project", str(reference.root)]) == 2
    assert "no procedure yet" in capsys.readouterr().err
    assert reference.stack_file.read_bytes() == before


def test_a_description_that_cannot_be_read_is_told(reference: Project, capsys: pytest.CaptureFixture[str]) -> None:
    reference.replace(reference.stack_file.name, LINE, f"{LINE}    binaries: {{amd64: abc}}\n")
    assert lock(reference) == 1
    assert "is not a SHA-256" in capsys.readouterr().err


def test_a_description_that_cannot_be_changed_is_said_by_hand(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """As `pulumi config set` leaves it."""
    data = yaml.safe_load(project.stack_file.read_text())
    data["config"]["fluxstead:kubernetes"] = json.dumps(data["config"]["fluxstead:kubernetes"])
    project.stack_file.write_text(yaml.safe_dump(data, sort_keys=False))
    assert lock(project) == 1
    assert f"binaries: {{amd64: {AMD}, arm64: {ARM64}}}" in capsys.readouterr().err


@pytest.mark.parametrize("online", [False, True])
def test_check_compares_and_never_writes(
    project: Project, releases: Releases, online: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only when asked to, and what cannot be asked is said."""
    monkeypatch.setattr("fluxstead.checks.outside.online.pinned", lambda _: ())
    project.replace(project.stack_file.name, LINE, f"{LINE}    binaries: {{amd64: {AMD}, arm64: {'5' * 64}, arm: {ARM}}}\n")
    del releases.files[f"{AT}arm.txt"]
    before = project.stack_file.read_bytes()
    words = ["check", "--project", str(project.root), *(["--online"] if online else [])]
    main(words)
    told = capsys.readouterr().err
    assert project.stack_file.read_bytes() == before
    if not online:
        assert releases.asked == []
        assert "whether k3s's digests are the published ones: ./run check --online" in told
        return
    assert told.count("[online/k3s-digest]") == 2
    assert f"for arm64 is published with another SHA-256, {ARM64}" in told
    assert "sha256sum-arm.txt is not there" in told
    releases.status = 503
    main(words)
    told = capsys.readouterr().err
    assert "status 503" in told
    assert told.count("not checked: whether the digest of k3s for") == 2
