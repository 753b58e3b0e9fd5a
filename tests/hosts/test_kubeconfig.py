"""The operator's kubeconfig is k3s's own, with the address from outside, and nobody else can read it."""

from pathlib import Path

import pytest
import yaml

from fluxstead.hosts.kubeconfig import NotUsableError, put_right, reaches, write

K3S = """apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: Q0E=
    server: https://127.0.0.1:6443
  name: default
contexts:
- context:
    cluster: default
    user: default
  name: default
current-context: default
kind: Config
users:
- name: default
  user:
    client-certificate-data: Q0VSVA==
    client-key-data: S0VZ
"""


def test_it_reaches_the_cluster_from_outside_under_its_own_name() -> None:
    """Two clusters' files can be used beside each other: `kubectl --context`."""
    said = yaml.safe_load(put_right(K3S, "edge", "https://192.0.2.1:6443"))
    assert said["clusters"] == [
        {"cluster": {"certificate-authority-data": "Q0E=", "server": "https://192.0.2.1:6443"}, "name": "edge"}
    ]
    assert said["contexts"] == [{"context": {"cluster": "edge", "user": "edge"}, "name": "edge"}]
    assert said["current-context"] == said["users"][0]["name"] == "edge"
    assert said["users"][0]["user"] == {"client-certificate-data": "Q0VSVA==", "client-key-data": "S0VZ"}


@pytest.mark.parametrize(
    "text",
    [
        "<html>S0VZ</html>",
        "a: [S0VZ",
        "",
        "clusters: S0VZ",
        K3S.replace("certificate-authority-data: Q0E=", "certificate-authority-data: ''"),
        K3S + "- name: second\n  user: {token: S0VZ}\n",
        K3S.replace("  user:\n    client", "  user: {}\n  other:\n    client"),
    ],
)
def test_what_is_no_kubeconfig_is_refused_without_being_shown(text: str) -> None:
    """A login that prints something else must not end as a file that nothing can be done with."""
    with pytest.raises(NotUsableError) as refused:
        put_right(text, "edge", "https://192.0.2.1:6443")
    assert "S0VZ" not in str(refused.value)


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """It holds the administrator's key; a link is replaced, never followed."""
    file, elsewhere = tmp_path / ".kube" / "fluxstead-edge.yaml", tmp_path / "elsewhere"
    elsewhere.write_text("kept")
    assert write(file, "one")
    assert not write(file, "one")
    assert file.stat().st_mode & 0o777 == 0o600
    file.chmod(0o644)
    assert write(file, "one")
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    file.symlink_to(elsewhere)
    assert write(file, "two")
    assert (file.read_text(), elsewhere.read_text(), file.is_symlink()) == ("two", "kept", False)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("text", ["", "a: [", "clusters: []", "clusters: 1", K3S])
def test_a_file_that_does_not_reach_this_cluster_is_told(tmp_path: Path, text: str) -> None:
    """Two projects may call their stacks by one name; what is handed over has to reach the right one."""
    file, api = tmp_path / "a.yaml", "https://192.0.2.1:6443"
    assert not reaches(file, api)
    write(file, text)
    assert not reaches(file, api)
    write(file, put_right(K3S, "edge", api))
    assert reaches(file, api)
