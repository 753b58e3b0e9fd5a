"""Mistakes with secrets: in the description, and in the files of ciphertext."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.rules.mistakes import STACK, Mistake, edge, reference

_WIKI = "secrets/edge/wiki-live-access/wiki-settings.sops.yaml"
_GRAFANA = "secrets/edge/kube-prometheus-stack/grafana-admin.sops.yaml"
_KEY = "secrets/edge/operator/cluster-age.sops.yaml"
_MISSING = "    missing: # ./run secrets init, then set, before this tree is used\n"


def _files(id_: str, at: str, do: Callable[[Path], object], *, beside: str = "") -> Mistake:
    """In the ciphertext of the second cluster."""
    return Mistake(id=id_, base="edge", edits=(), at=at, beside=frozenset(beside.split()), by_hand=do)


def _without(file: str, words: str) -> Callable[[Path], object]:
    """The file without the lines that hold these words."""

    def change(project: Path) -> None:
        path = project / file
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if words not in line))

    return change


def _replaced(file: str, old: str, new: str) -> Callable[[Path], object]:
    def change(project: Path) -> None:
        text = (project / file).read_text()
        assert old in text
        (project / file).write_text(text.replace(old, new))

    return change


def _copied(source: str, target: str) -> Callable[[Path], object]:
    def change(project: Path) -> None:
        (project / target).parent.mkdir(parents=True, exist_ok=True)
        (project / target).write_bytes((project / source).read_bytes())

    return change


def _two_keys(project: Path) -> None:
    """A Secret that is read by its one key, with those of another."""
    _replaced("Pulumi.edge.yaml", "host: wiki.example.test\n", "host: wiki.example.test\n            access: {by: basic}\n")(
        project
    )
    text = (project / _WIKI).read_text().replace("name: wiki-settings", "name: web-login").replace("  SESSION_KEY:", "  auth:")
    (project / _WIKI).with_name("web-login.sops.yaml").write_text(text)


_ONE_MORE = "      - age15nlmf9a29j83ha0ehp499sjzf7z0hne6w9reamua54wh4lxzneeqz3utqw\n"

OF_SECRETS = (
    _files("secrets/missing", "adminSecret", lambda project: (project / _GRAFANA).unlink()),
    _files("secrets/keys-missing", "", _without(_GRAFANA, "  admin-user:")),
    _files("secrets/keys-too-many", "", _two_keys),
    _files("secrets/other-secret", "", _replaced(_WIKI, "namespace: wiki-live", "namespace: wiki"), beside="coldstart/never"),
    _files("secrets/no-secret", "", lambda project: (project / _WIKI).write_text("kind: Nothing\n"), beside="references/no-object"),
    _files("secrets/unused", "", _copied(_WIKI, "secrets/edge/former/settings.sops.yaml")),
    _files("secrets/operators-own", "", _copied(_WIKI, _KEY), beside="secrets/other-secret secrets/former-recipients"),
    _files(
        "secrets/operators-own",
        "",
        lambda project: (project / _KEY).write_text("kind: Secret\nstringData: {key: plain}\n"),
        beside="secrets/other-secret",
    ),
    _files("secrets/plain-beside", "", _copied(_WIKI, _WIKI.replace(".sops", ""))),
    _files("secrets/broken", "", _replaced(_WIKI, ",type:str]", "]")),
    _files("secrets/key-names", "", _replaced(_WIKI, "  SESSION_KEY:", "  a b:")),
    edge("secrets/former-recipients", "", (_ONE_MORE, "")),
    edge("secrets/no-key", "cluster:", ("    sopsSecret: sops-age\n", ""), beside="secrets/unused references/missing-secret"),
    reference(
        "secrets/accepted-in-vain",
        "secret: web/settings",
        (STACK, _MISSING, f"{_MISSING}      - secret: web/settings\n        reason: none\n"),
    ),
)
