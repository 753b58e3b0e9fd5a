"""k3s's binary and images, sent from the operator's machine."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from fluxstead.catalog.k3s_releases import BINARIES
from fluxstead.hosts.script.k3s_files import K3S_IMAGES, K3S_SENT
from fluxstead.hosts.script.k3s_model import K3S_BINARIES
from fluxstead.hosts.sending import NotThereError, ToSend, receiver, to_send

TEXT = b"\x7fELF of another machine"
DIGEST = hashlib.sha256(TEXT).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "k3s-arm64").write_bytes(TEXT)
    return tmp_path


def test_the_binary_of_the_machines_architecture_goes_to_where_the_script_looks(folder: Path) -> None:
    assert list(to_send(folder, "arm64", DIGEST)) == [ToSend(folder / "k3s-arm64", K3S_SENT, DIGEST)]


@pytest.mark.parametrize("ending", ["tar.zst", "tar.gz", "tar"])
def test_images_beside_it_are_sent_hidden_until_they_are_whole(folder: Path, ending: str) -> None:
    """One archive: k3s would unpack the others as well."""
    archive = folder / f"k3s-airgap-images-arm64.{ending}"
    archive.touch()
    (folder / "k3s-airgap-images-amd64.tar").touch()
    [sent] = list(to_send(folder, "arm64", DIGEST))[1:]
    assert (sent.file, sent.place) == (archive, f"{K3S_IMAGES}/.{archive.name}.fluxstead")


def test_another_file_than_the_described_one_is_not_sent(folder: Path) -> None:
    (folder / "k3s-arm64").write_bytes(b"<html>")
    with pytest.raises(NotThereError, match=f"described is {DIGEST}: it is another release"):
        list(to_send(folder, "arm64", DIGEST))


def test_a_folder_without_it_is_said(folder: Path) -> None:
    with pytest.raises(NotThereError, match=r"k3s-armhf cannot be read \(No such file or directory\): kubernetes.binariesFrom"):
        list(to_send(folder, "arm", DIGEST))


@pytest.mark.parametrize("user", [0, 1000])
def test_what_arrives_is_put_in_place_whole(tmp_path: Path, user: int) -> None:
    """As root, and as a user who may sudo; stand-ins for `id` and `sudo`."""
    commands = tmp_path / "commands"
    commands.mkdir()
    for name, text in {"id": f"echo {user}", "sudo": f'touch {tmp_path}/asked; [ "$1" = -n ] && shift; exec "$@"'}.items():
        (commands / name).write_text(f"#!/bin/sh\n{text}\n")
        (commands / name).chmod(0o755)
    place = tmp_path / "new" / "file"
    path = f"{commands}:{os.environ['PATH']}"
    subprocess.run(["sh", "-c", receiver(str(place), len(TEXT))], input=TEXT, env={"PATH": path}, check=True)
    assert place.read_bytes() == TEXT
    assert (tmp_path / "asked").exists() == bool(user)
    assert [one.name for one in place.parent.iterdir()] == ["file"]


def test_of_a_connection_that_breaks_nothing_is_put_in_place(tmp_path: Path) -> None:
    """Images have no digest in the description."""
    place = tmp_path / "file"
    done = subprocess.run(["sh", "-c", receiver(str(place), len(TEXT) + 1)], input=TEXT, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (1, b"cut off\n")
    assert not list(tmp_path.iterdir())


def test_the_script_asks_a_release_for_the_files_that_are_locked() -> None:
    """It runs elsewhere, and cannot look them up here."""
    assert K3S_BINARIES == BINARIES
