"""`pulumi up` brings real Flux into an empty Kubernetes, lets go of it, and a lost state or a second `up` changes nothing."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from fluxstead.secrets.tools import SopsProgram, new_key
from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster.api import Json, RefusedError
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.empty import PLAYED, EmptyCluster, empty_cluster
from tests.e2e.cluster.fixtures import EDGE, NODE, Need
from tests.e2e.cluster.flux import NAMESPACE, TOOLS
from tests.e2e.engine import Engine, kubernetes_plugin, which_plugin
from tests.edge_keys import CLUSTER, OPERATOR

pytestmark = pytest.mark.flux
UP = ("up", "--yes", "--skip-preview")
COMPONENTS = "clusters/k3s-flux/flux-system/gotk-components.yaml"
PASSWORD, TOKEN = "marked-password-of-git", "marked-value-of-an-application"
LOG_LEVEL = "--log-level=info"
Record = Callable[[str, object], None]


class Bootstrap:
    """An empty cluster, a description that `git push` has put where Flux will read it, and an engine that knows neither yet."""

    def __init__(self, cluster: EmptyCluster, engine: Engine, flux: Path) -> None:
        self.cluster, self.engine, self._flux = cluster, engine, flux
        self.project = Project(cluster.repository.folder)
        self._describe()
        folder = self.project.folder / "bring_flux"
        shutil.copytree(PROJECT / "tests/e2e/bring_flux", folder)
        program = yaml.safe_load((self.project.folder / "Pulumi.yaml").read_text())
        (self.project.folder / "Pulumi.yaml").write_text(yaml.safe_dump({**program, "main": "bring_flux", "runtime": "python"}))
        engine.project = self.project.folder

    def _describe(self) -> None:
        """The reference cluster's machines and storage, which become Ready in seconds."""
        file = self.project.stack_file
        config = yaml.safe_load(file.read_text())["config"]
        kept = {key: config[f"fluxstead:{key}"] for key in ("flux", "kubernetes", "longhorn")}
        kept["flux"] = {
            "version": "2.9.5",
            "repository": self.cluster.git,
            "branch": "main",
            "components": ["source-controller", "kustomize-controller", "helm-controller"],
        }
        kept["longhorn"].pop("backupTarget")
        kept["longhorn"].pop("ui")
        file.write_text(yaml.safe_dump({"config": {f"fluxstead:{key}": value for key, value in kept.items()}}, sort_keys=False))
        shutil.rmtree(self.project.folder / "generated")

    def push(self, message: str) -> str:
        """Commit everything, which the server serves at once."""
        return self.cluster.commit(message)

    def pulumi(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`pulumi ARGUMENTS` with the cluster's kubeconfig and the operator's key."""
        return self.engine.run(*arguments, **{**self._given(), **environment})

    def cut_off(self, question: Callable[[], object]) -> None:
        """A `pulumi up` that is killed as soon as the answer is true; what it started ends with it."""
        running = self.engine.start(*UP, **self._given())
        try:
            self.cluster.eventually("the `up` that is to be cut off is there", question)
        finally:
            running.kill()
            running.wait()

    def _given(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(PROJECT),
            "FLUXSTEAD_KUBECONFIG": str(self.cluster.control_plane.kubeconfig),
            "SOPS_AGE_KEY": OPERATOR,
        }

    def refused(self, **environment: str) -> str:
        """A `pulumi up` that ends in words; gives them."""
        done = self.pulumi(*UP, **environment)
        assert done.returncode != 0, done.stdout
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def describe_secrets(self) -> None:
        """An application with a Secret, and a repository that asks who is there: all that is decrypted on the way."""
        file = self.project.stack_file
        config = yaml.safe_load(file.read_text())
        edge = yaml.safe_load((EDGE / "Pulumi.edge.yaml").read_text())["config"]
        config["config"]["fluxstead:flux"] |= {"sopsSecret": "sops-age", "credentials": "token"}
        config["config"]["fluxstead:secrets"] = edge["fluxstead:secrets"]
        config["config"]["fluxstead:apps"] = [
            {"name": "sensors", "image": "registry.example.test/sensors", "port": 8000, "secrets": ["sensor-settings"]}
            | {"environments": [{"name": "live", "tag": "1.0.3"}]}
        ]
        file.write_text(yaml.safe_dump(config, sort_keys=False))
        operator = self.project.folder / "secrets/k3s-flux/operator"
        operator.mkdir(parents=True)
        shutil.copy(EDGE / "secrets/edge/operator/cluster-age.sops.yaml", operator)
        sops = SopsProgram(edge["fluxstead:secrets"]["people"])
        login = secret_object(NAMESPACE, NAMESPACE, {"username": "git", "password": PASSWORD})
        (operator / "flux-git.sops.yaml").write_text(sops.encrypted(login))
        self.run("secrets", "set", "sensor-settings", "TOKEN", "--stdin", given=TOKEN)

    def run(self, *words: str, given: str = "") -> str:
        """`./run WORDS`, with the operator's key and `flux` on the PATH."""
        done = subprocess.run(
            [sys.executable, "-m", "fluxstead.cli", *words[:2], "--project", str(self.project.folder), *words[2:]],
            cwd=PROJECT,
            env={"PATH": f"{self._flux.parent}:/usr/bin:/bin", "HOME": str(self.cluster.folder), "SOPS_AGE_KEY": OPERATOR},
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def value(self, name: str, namespace: str, key: str) -> str:
        """Of a Secret in the cluster."""
        found = self.cluster.api.get("v1", "Secret", name, namespace) or {}
        return base64.b64decode(found.get("data", {}).get(key, "")).decode()

    def up(self) -> str:
        """A `pulumi up` that works; gives what it printed."""
        done = self.pulumi(*UP)
        assert done.returncode == 0, done.stdout + done.stderr + self.cluster.report()
        return done.stdout

    def lose_state(self) -> None:
        """The state is gone; the cluster is not."""
        shutil.rmtree(self.engine.state)
        self.engine.state.mkdir()
        assert self.pulumi("stack", "init", "k3s-flux").returncode == 0

    def objects(self) -> dict[str, Json]:
        """Every object of Flux's own, by kind and name."""
        kinds = (("apps/v1", "Deployment"), ("source.toolkit.fluxcd.io/v1", "GitRepository"))
        found = [(kind, one) for api, kind in kinds for one in self.cluster.api.list(api, kind, NAMESPACE)]
        found += [("Kustomization", self.cluster.layers()["flux-system"])]
        return {f"{kind} {one['metadata']['name']}": one for kind, one in found}

    def owners(self) -> dict[str, set[tuple[str, str]]]:
        """Who manages fields of them, but for their status."""
        return {
            name: {(one["manager"], one["operation"]) for one in obj["metadata"]["managedFields"] if "subresource" not in one}
            for name, obj in self.objects().items()
        }

    def generations(self) -> dict[str, int]:
        """Which change whenever anybody changes what one of them is meant to be."""
        return {name: obj["metadata"]["generation"] for name, obj in self.objects().items()}

    def arguments(self) -> list[str]:
        """Those of source-controller's container."""
        found: list[str] = self.objects()["Deployment source-controller"]["spec"]["template"]["spec"]["containers"][0]["args"]
        return found

    def is_syncing(self) -> bool:
        """Whether Flux was told what to follow."""
        try:
            return bool(self.cluster.layers())
        except RefusedError:  # the kind is not there yet
            return False

    def variables(self) -> list[str]:
        """Those of source-controller's container."""
        container = self.objects()["Deployment source-controller"]["spec"]["template"]["spec"]["containers"][0]
        return [one["name"] for one in container["env"]]

    def change_flux(self) -> None:
        """What an upgrade of Flux may do to its own Deployments."""
        file = self.project.folder / COMPONENTS
        objects = list(yaml.safe_load_all(file.read_text()))
        for one in objects:
            if one["kind"] == "Deployment":
                container = one["spec"]["template"]["spec"]["containers"][0]
                container["args"].remove(LOG_LEVEL)
                container["env"] = [variable for variable in container["env"] if variable["name"] != "GOMEMLIMIT"]
        file.write_text(yaml.safe_dump_all(objects))


@pytest.fixture
def bootstrap(need: Need, tmp_path: Path, record_property: Record) -> Iterator[Bootstrap]:
    """Everything described, rendered and pushed; nothing brought in."""
    tools = need(*TOOLS, "flux", "pulumi", "pulumi-language-python")
    record_property("Kubernetes plugin", which_plugin(kubernetes_plugin()))
    record_property("Flux' controllers", PLAYED)
    with empty_cluster(tools) as cluster:
        cluster.control_plane.add_node(NODE)
        made = Bootstrap(cluster, Engine(tmp_path, ".", "k3s-flux"), tools["flux"])
        made.run("upgrade", "flux")
        made.project.render()
        made.push("the tree, and Flux")
        assert made.pulumi("stack", "init", "k3s-flux").returncode == 0
        yield made


def done(output: str) -> dict[str, int]:
    """What `pulumi up` says that it did with how many resources."""
    counted = re.findall(r"^\s+(?:\S+ )?(\d+) (created|updated|deleted|replaced|unchanged)$", output, re.MULTILINE)
    return {verb: int(number) for number, verb in counted}


def test_flux_comes_into_an_empty_cluster_and_then_belongs_to_itself(bootstrap: Bootstrap, record_property: Record) -> None:
    """The case that decides: Flux changes itself, and neither a refresh, nor a second `up`, nor a lost state takes that back."""
    planned = bootstrap.pulumi("preview")
    assert planned.returncode == 0, planned.stdout
    assert "kubernetes:apps/v1:Deployment" in planned.stdout, "it shows what will be brought in"
    assert bootstrap.cluster.api.get("v1", "Namespace", NAMESPACE) is None
    said = bootstrap.up()
    record_property("first up", done(said))
    record_property("first sync", *re.findall(r"every layer is Ready after \d+ s", said)[:1])
    for layer in ("flux-system", *bootstrap.project.layers()):
        assert re.search(rf"\d s  {layer} +Ready", said), f"{layer}: a line says that it is Ready"
    for name, owners in bootstrap.owners().items():
        assert ("kustomize-controller", "Apply") in owners
        assert not [one for one in owners if "pulumi" in one[0] or "fluxstead" in one[0]], name

    before = bootstrap.generations()
    started = time.monotonic()
    second = bootstrap.up()
    record_property("second up", f"{time.monotonic() - started:.0f} s, {done(second)}")
    assert done(second).keys() == {"unchanged"}
    assert bootstrap.generations() == before

    # An argument, which only a whole list has, and a variable, which would stay if anybody else owned it as well.
    assert LOG_LEVEL in bootstrap.arguments()
    assert "GOMEMLIMIT" in bootstrap.variables()
    bootstrap.change_flux()
    revision = bootstrap.push("Flux without an argument")
    bootstrap.cluster.wait_for_layers(["flux-system"], revision)
    assert LOG_LEVEL not in bootstrap.arguments()
    assert "GOMEMLIMIT" not in bootstrap.variables()

    changed = bootstrap.generations()
    refreshed = bootstrap.pulumi("refresh", "--yes", "--skip-preview")
    assert refreshed.returncode == 0, refreshed.stdout + refreshed.stderr
    record_property("refresh after Flux changed itself", done(refreshed.stdout))
    assert done(bootstrap.up()).keys() == {"unchanged"}
    assert bootstrap.generations() == changed
    assert LOG_LEVEL not in bootstrap.arguments()

    bootstrap.lose_state()
    found = bootstrap.up()
    assert "Flux 2.9.5 runs here already, and is left as it is" in found
    assert "kubernetes:apps/v1:Deployment" not in found
    assert done(bootstrap.up()).keys() == {"unchanged"}
    assert bootstrap.generations() == changed
    assert not [one for owners in bootstrap.owners().values() for one in owners if "pulumi" in one[0] or "fluxstead" in one[0]]


def test_what_flux_needs_to_read_is_handed_over_and_kept_nowhere(bootstrap: Bootstrap) -> None:
    """F22: ciphertext in Git, the value in the cluster, and neither in a state, nor in what is printed."""
    bootstrap.describe_secrets()
    (bootstrap.project.folder / "clusters/k3s-flux/flux-system/gotk-sync.yaml").unlink()
    bootstrap.run("upgrade", "flux")
    bootstrap.project.render()
    bootstrap.push("an application with a Secret, in a repository with a login")
    stranger = bootstrap.refused(SOPS_AGE_KEY=new_key()[0])
    assert "no private key of this machine decrypts it" in stranger
    assert not bootstrap.is_syncing(), "nothing is synced that could not be read"

    bootstrap.up()
    assert bootstrap.value("flux-system", NAMESPACE, "password") == PASSWORD
    assert CLUSTER in bootstrap.value("sops-age", NAMESPACE, "age.agekey")
    assert bootstrap.value("sensor-settings", "sensors-live", "TOKEN") == TOKEN
    everywhere = bootstrap.engine.said + "".join(
        file.read_text(errors="replace") for file in bootstrap.engine.state.rglob("*") if file.is_file()
    )
    for value in (PASSWORD, TOKEN, CLUSTER, OPERATOR):
        assert value not in everywhere
        assert base64.b64encode(value.encode()).decode() not in everywhere
    assert done(bootstrap.up()).keys() == {"unchanged"}


def test_nothing_is_touched_where_it_would_not_work(bootstrap: Bootstrap, tmp_path: Path) -> None:
    """Each in words: no cluster, a tree that Git does not serve, another Flux."""
    api = bootstrap.cluster.api
    assert "no kubeconfig: ./run kubeconfig writes it" in bootstrap.refused(FLUXSTEAD_KUBECONFIG=str(tmp_path / "nowhere"))

    entry = bootstrap.project.folder / "clusters/k3s-flux/tree.yaml"
    entry.write_text(entry.read_text() + "# a change\n")
    said = bootstrap.refused()
    assert "not committed, so that Flux would not see it: clusters/k3s-flux/tree.yaml" in said
    for command in ("git add generated clusters secrets", "git commit -m", "git push"):
        assert command in said
    assert api.get("v1", "Namespace", NAMESPACE) is None
    bootstrap.push("the change")

    api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    labels = {"app.kubernetes.io/part-of": "flux", "app.kubernetes.io/version": "v2.6.1"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "manager", "image": "flux"}]}}
    api.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "source-controller", "namespace": NAMESPACE, "labels": labels},
            "spec": {"selector": {"matchLabels": labels}, "template": pod},
        }
    )
    assert "the cluster's Flux is v2.6.1, and clusters/…/flux-system installs 2.9.5: `git pull`" in bootstrap.refused()


def test_the_next_up_ends_what_a_cut_off_or_a_failed_one_began(bootstrap: Bootstrap) -> None:
    """Killed among the definitions, killed in the wait, and told of a layer that does not build: the same command goes on."""
    api, broken = bootstrap.cluster.api, bootstrap.project.folder / "clusters/k3s-flux/broken.yaml"
    definition = "gitrepositories.source.toolkit.fluxcd.io"
    broken.write_text("kind: [\n")
    bootstrap.push("what does not build")
    bootstrap.cut_off(lambda: api.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", definition))
    assert not bootstrap.is_syncing()
    bootstrap.pulumi("cancel", "--yes")
    bootstrap.cut_off(bootstrap.is_syncing)
    bootstrap.pulumi("cancel", "--yes")

    said = bootstrap.refused()
    assert "Kustomization flux-system/flux-system has failed" in said
    assert "mend the description, ./run render, commit, push; `pulumi up` waits again" in said
    broken.unlink()
    bootstrap.push("what builds")
    assert re.search(r"\d s  longhorn-storage +Ready", bootstrap.up())
    assert done(bootstrap.up()).keys() == {"unchanged"}
    assert not [one for owners in bootstrap.owners().values() for one in owners if "pulumi" in one[0]]
