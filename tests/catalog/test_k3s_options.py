"""The keys of k3s's configuration as data: what the tool reads of Go sources, and what a version is said to know."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fluxstead.catalog.k3s_options import latest_read, options_of
from fluxstead.core.version import Version
from tools.catalog import main

AGENT = """package cmds

var (
\t// {a brace in a comment}
\tNodeNameFlag = &cli.StringFlag{
\t\tName:  "node-name,n",
\t\tUsage: "with a brace {",
\t}
\tLabels = &cli.StringSliceFlag{Name: "node-label"}
)

func NewAgentCommand(action func(ctx *cli.Context) error) *cli.Command {
\treturn &cli.Command{
\t\tName: "agent",
\t\tFlags: []cli.Flag{
\t\t\tNodeNameFlag,
\t\t\t&Labels,
\t\t},
\t}
}
"""
SERVER = """package cmds

var ServerFlags = []cli.Flag{
\tNodeNameFlag,
\t&cli.BoolTFlag{Name: "tls-san-security"},
\t// &cli.IntFlag{Name: "taken-out"},
\t&cli.DurationFlag{
\t\tName:  "etcd-s3-timeout",
\t\tValue: 5 * time.Minute,
\t},
}
"""
RKE2 = 'var x = K3SFlagSet{\n\t"node-name": copyFlag,\n\t"tls-san-security": {\n\t\tHide: true,\n\t},\n}\n'


def sources(folder: Path, server: str = SERVER, agent: str = AGENT) -> list[str]:
    """The Go files of one version."""
    folder.mkdir(exist_ok=True)
    (folder / "server.go").write_text(server)
    (folder / "agent.go").write_text(agent)
    (folder / "agent_test.go").write_text("not Go")
    return [str(path) for path in sorted(folder.iterdir())]


def held(data: Path) -> dict[str, list[list[str]]]:
    """What the tool wrote."""
    names: dict[str, list[list[str]]] = json.loads((data / "k3s/configuration.json").read_text())["names"]
    return names


def test_flags_are_read_where_they_are_listed_and_where_they_are_named(tmp_path: Path) -> None:
    main(["--data", str(tmp_path / "data"), "k3s", "1.33.1", *sources(tmp_path / "a")])
    assert held(tmp_path / "data").keys() == {
        "agent node-label list",
        "agent node-name string",
        "server etcd-s3-timeout string",
        "server node-name string",
        "server tls-san-security bool",
    }


def test_rke2_says_which_flags_a_version_has_and_k3s_of_which_type(tmp_path: Path) -> None:
    data = ["--data", str(tmp_path / "data"), "k3s"]
    main([*data, "1.33.1", *sources(tmp_path / "a")])
    told = [
        file for file in sources(tmp_path / "b", RKE2, 'var x = K3SFlagSet{\n\t"node-label": dropFlag,\n}\n') if "_test" not in file
    ]
    main([*data, "1.33.2", "--rke2", *told])
    names = held(tmp_path / "data")
    assert names["server tls-san-security bool"] == names["agent node-label list"] == [["1.33.1", "1.33.2"]]
    assert names["server etcd-s3-timeout string"] == names["agent node-name string"] == [["1.33.1", "1.33.1"]]


@pytest.mark.parametrize(
    ("server", "agent", "said"),
    [
        (SERVER.replace("ServerFlags", "OtherFlags"), AGENT, "no flags of `k3s server`"),
        (SERVER.replace("\tNodeNameFlag,", "\tNowhereFlag,"), AGENT, "NowhereFlag"),
        (SERVER.replace("DurationFlag", "GenericFlag"), AGENT, "Generic"),
        (SERVER[:-2], AGENT, "does not end"),
    ],
)
def test_what_is_not_understood_is_refused(server: str, agent: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=said):
        main(["--data", str(tmp_path / "data"), "k3s", "1.33.1", *sources(tmp_path / "a", server, agent)])


def test_what_versions_know() -> None:
    """Spot checks against k3s's release notes and documentation."""
    old, new = options_of(Version("v1.32.4+k3s1")), options_of(Version("v1.33.1+k3s1"))
    assert "etcd-s3-bucket-lookup-type" not in old.types
    assert new.types["etcd-s3-bucket-lookup-type"] == "string"
    assert old.read
    assert new.types["kubelet-arg"] == "list"
    assert new.types["etcd-snapshot-retention"] == "int"
    assert new.types["secrets-encryption"] == "bool"
    assert new.roles["kubelet-arg"] == {"server", "agent"}
    assert new.roles["tls-san"] == {"server"}


def test_a_version_that_was_not_read_has_what_its_neighbours_have() -> None:
    beyond = options_of(Version("v1.40.0+k3s1"))
    assert not beyond.read
    assert beyond.types == options_of(Version(f"v{latest_read()}+k3s1")).types
    assert "secrets-encryption-provider" not in options_of(Version("v1.29.0+k3s1")).types
    between = options_of(Version("v1.36.99+k3s1"))
    assert "helm-controller-arg" in between.types
