"""The stand-in reads its configuration as k3s does: order of files, lists that are added to, unknown keys, the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .stand_in.config import Settings, Trouble, settings

Read = Callable[..., Settings]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Settings of these files; `main` is `config.yaml`, the others lie in `config.yaml.d`."""

    def reading(role: str = "server", *arguments: str, main: str | None = None, **more: str) -> Settings:
        file = tmp_path / "config.yaml"
        if main is not None:
            file.write_text(main)
        folder = tmp_path / "config.yaml.d"
        folder.mkdir()
        for name, text in more.items():
            (folder / f"{name}.yaml").write_text(text)
        return settings(role, [f"--config={file}", *arguments])

    return reading


def test_a_later_file_wins_and_a_key_with_a_plus_is_added_to(read: Read) -> None:
    found = read(
        main="node-name: a\nnode-label: [x=1]\ntls-san: one\n",
        b="node-label+: [y=2]\ntls-san+: two\n",
        c="node-name: c\ndisable: [traefik]\n",
        d="disable: [servicelb]\n",
    )
    assert found.text("node-name") == "c"
    assert found.listed("node-label") == ["x=1", "y=2"]
    assert found.listed("tls-san") == ["one", "two"]
    assert found.listed("disable") == ["servicelb"]


def test_only_yaml_files_in_the_folder_are_read_and_the_main_one_may_be_absent(read: Read, tmp_path: Path) -> None:
    found = read(a="node-name: a\n")
    (tmp_path / "config.yaml.d/z.conf").write_text("node-name: z\n")
    assert found.text("node-name") == "a"


def test_an_unknown_key_is_only_warned_about(read: Read, capsys: pytest.CaptureFixture[str]) -> None:
    found = read("agent", main="node-nmae: a\ncluster-cidr: 10.0.0.0/16\nnode-ip: 10.0.0.1\n")
    assert found.listed("node-ip") == ["10.0.0.1"]
    said = capsys.readouterr().err
    assert "Unknown flag --node-nmae found in config.yaml, skipping" in said
    assert "Unknown flag --cluster-cidr found in config.yaml, skipping" in said


def test_the_command_line_comes_last(read: Read) -> None:
    found = read("server", "--node-name", "arg", "--cluster-init", "--disable=a", main="node-name: a\ndisable: b,c\n")
    assert found.text("node-name") == "arg"
    assert found.flag("cluster-init")
    assert found.listed("disable") == ["b", "c", "a"]


@pytest.mark.parametrize(("main", "arguments"), [("[", ()), ("- a\n", ()), ("{}", ("--no-such-flag",)), (None, ())])
def test_what_k3s_does_not_start_with(read: Read, main: str | None, arguments: tuple[str, ...]) -> None:
    with pytest.raises(Trouble):
        read("server", *arguments, main=main)


def test_a_token_comes_from_its_file(read: Read, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert read(main=f"token-file: {tmp_path / 'token'}\n").secret("token") == "secret"
