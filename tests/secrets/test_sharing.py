"""One value in several Secrets: described once, given once, and told where one of them differs."""

from __future__ import annotations

import json

import pytest

from fluxstead.cli.__main__ import main
from fluxstead.secrets.values import docker_login
from tests.conftest import Project
from tests.secrets.conftest import RunSecrets, scope_of, vault_of

LIVE, TRIAL, WIKI = (f"secrets/edge/{name}-access/registry.sops.yaml" for name in ("sensors-live", "sensors-trial", "wiki-live"))
KEY = ".dockerconfigjson"


def login(password: str) -> str:
    """What `docker login` writes."""
    return docker_login("registry.example.test", "robot", password)


@pytest.fixture
def shared(example: Project) -> Project:
    """Two applications of one registry, three environments in all."""
    for app in ("sensors", "wiki"):
        example.replace("Pulumi.edge.yaml", f"    - name: {app}\n", f"    - name: {app}\n      imagePullSecrets: [registry]\n")
    return example


def test_one_login_serves_all_environments(run: RunSecrets, shared: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Of whichever application: it is given once, by whatever name, and the table says who shares it."""
    status, said = run("set", "sensors-live/registry", "--stdin", given=login("first"))
    assert status == 0, said
    assert {json.dumps(vault_of(shared).values(path)) for path in (LIVE, TRIAL, WIKI)} == {json.dumps({KEY: login("first")})}
    status, said = run()
    assert status == 0, said
    assert "one value with sensors-live/registry, sensors-trial/registry" in said
    assert main(["secrets", "--project", str(shared.root), "--format", "json"]) == 0
    rows = {row["secret"]: row["oneValueWith"] for row in json.loads(capsys.readouterr().out)}
    assert rows["wiki-live/registry"] == ["sensors-live/registry", "sensors-trial/registry"]
    assert rows["monitoring/grafana-admin"] == []


def test_a_new_environment_gets_what_the_others_have(run: RunSecrets, shared: Project) -> None:
    """Without being asked for it again; the others keep their bytes."""
    assert run("set", "registry", "--stdin", given=login("first"))[0] == 0
    (shared.root / TRIAL).unlink()
    before = (shared.root / LIVE).read_bytes()
    status, said = run("set", "sensors-trial/registry")
    assert (status, "the others get what one of them has" in said) == (0, True), said
    assert vault_of(shared).values(TRIAL) == {KEY: login("first")}
    assert (shared.root / LIVE).read_bytes() == before


def test_one_that_differs_is_told_and_mended(run: RunSecrets, shared: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it can be opened; an editor, which changes one, is not let in."""
    assert run("set", "registry", "--stdin", given=login("first"))[0] == 0
    vault = vault_of(shared)
    [need] = [one for one in scope_of(shared).needs if one.qualified_name == "sensors-trial/registry"]
    vault.put(need, {KEY: login("second")})
    status, said = run()
    assert (status, said.count("differs")) == (1, 2), said
    assert f"./run secrets set sensors-trial/registry {KEY}" in said
    assert "second" not in said
    status, said = run("edit", "sensors-trial/registry")
    assert (status, "would still have the value" in said or "an editor changes one" in said) == (1, True), said
    assert run("set", "sensors-trial/registry", KEY, "--stdin", given=login("third"))[0] == 0
    assert run()[0] == 0
    monkeypatch.delenv("SOPS_AGE_KEY_FILE")
    assert "differs" not in run()[1]


def test_another_registry_has_another_login(shared: Project) -> None:
    """Of one name or not: one application's images are elsewhere."""
    shared.replace("Pulumi.edge.yaml", "image: registry.example.test/wiki", "image: ghcr.io/x/wiki")
    scope = scope_of(shared)
    names = {need.qualified_name: [one.qualified_name for one in scope.sharing(need)] for need in scope.needs}
    assert names["wiki-live/registry"] == []
    assert names["sensors-live/registry"] == ["sensors-trial/registry"]


def test_secrets_of_one_name_that_are_meant_to_differ_do(run: RunSecrets, example: Project) -> None:
    """The database's password of one environment is not that of another."""
    example.replace("Pulumi.edge.yaml", "    - name: sensors\n", "    - name: sensors\n      secrets: [database]\n")
    for environment in ("live", "trial"):
        assert run("set", f"sensors-{environment}/database", "PASSWORD", "--stdin", given=environment)[0] == 0
    assert run()[0] == 0
