"""The root of one's own authority: made once, handed out without its key, and changed only on purpose."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from fluxstead.cli.__main__ import main
from tests.conftest import Project

OWN = "  fluxstead:certificates: {issuer: own, version: 1.21.1}\n"
CA = "cert-manager/own-ca"


@pytest.fixture
def own(example: Project) -> Project:
    """The second cluster with an authority of its own."""
    text = example.stack_file.read_text()
    example.stack_file.write_text(re.sub(r"  fluxstead:certificates:\n(?:    .*\n)+", OWN, text))
    return example


def trust(project: Project, file: Path) -> int:
    return main(["certificates", "trust", "--project", str(project.root), "--file", str(file)])


def made(project: Project) -> int:
    return main(["secrets", "set", "--project", str(project.root), CA, "--generate"])


def test_the_root_is_handed_out_and_its_key_is_not(own: Project, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file of one certificate, whose fingerprint is what is printed; the key stays ciphertext."""
    file = tmp_path / "root.crt"
    assert trust(own, file) == 1
    assert f"./run secrets set {CA} --generate" in capsys.readouterr().err
    assert not file.exists()
    assert made(own) == 0
    capsys.readouterr()
    assert trust(own, file) == 0
    shown = capsys.readouterr().out
    assert file.read_text().count("-----BEGIN") == 1
    assert "PRIVATE" not in file.read_text() + shown
    asked = ["openssl", "x509", "-in", str(file), "-noout", "-fingerprint", "-sha256"]
    said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    assert said.strip().partition("=")[2] in shown
    for device in ("Debian", "Fedora", "Arch", "macOS", "Windows", "iOS", "Android", "Firefox"):
        assert device in shown
    [secret] = (own.root / "secrets/edge/certificate-issuers").glob("own-ca*")
    assert "PRIVATE KEY" not in secret.read_text()


def test_an_authority_that_was_committed_is_not_made_anew_by_the_same_words(
    own: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every device would refuse every page; taken out in a commit, it is made anew."""
    assert made(own) == 0
    [file] = (own.root / "secrets/edge/certificate-issuers").glob("own-ca*")
    before = file.read_bytes()
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "all"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=own.root, check=True)
    assert made(own) == 1
    assert "it was committed" in capsys.readouterr().err
    assert file.read_bytes() == before
    for words in (["rm", "-q", str(file)], ["commit", "-qm", "another"]):
        subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *words], cwd=own.root, check=True)
    assert made(own) == 0
    assert file.read_bytes() != before


@pytest.mark.parametrize("written", ["", "  fluxstead:certificates: {issuer: given, given: [{secret: a, hosts: [x.example]}]}\n"])
def test_without_an_authority_there_is_nothing_to_trust(
    own: Project, written: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own.stack_file.write_text(own.stack_file.read_text().replace(OWN, written))
    assert trust(own, tmp_path / "root.crt") == 1
    assert "issuer: own" in capsys.readouterr().err
