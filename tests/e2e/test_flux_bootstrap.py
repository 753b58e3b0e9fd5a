"""`pulumi up` brings real Flux into an empty Kubernetes, lets go of it, and a lost state or a second `up` changes nothing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.cluster.api import Json
from tests.e2e.cluster.description import PROJECT, Project
from tests.e2e.cluster.empty import PLAYED, EmptyCluster, empty_cluster
from tests.e2e.cluster.fixtures import NODE, Need
from tests.e2e.cluster.flux import NAMESPACE, TOOLS
from tests.e2e.engine import Engine, kubernetes_plugin, which_plugin

pytestmark = pytest.mark.flux
UP = ("up", "--yes", "--skip-preview")
COMPONENTS = "clusters/k3s-flux/flux-system/gotk-components.yaml"
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

    def write_flux(self) -> str:
        """`./run upgrade flux`, with the operator's `flux` on the PATH."""
        done = subprocess.run(
            [sys.executable, "-m", "fluxstead.cli", "upgrade", "flux", "--project", str(self.project.folder)],
            cwd=PROJECT,
            env={"PATH": f"{self._flux.parent}:/usr/bin:/bin", "HOME": str(self.cluster.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def push(self, message: str) -> str:
        """Commit everything, which the server serves at once."""
        return self.cluster.commit(message)

    def pulumi(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`pulumi ARGUMENTS` with the cluster's kubeconfig."""
        return self.engine.run(*arguments, PYTHONPATH=str(PROJECT), FLUXSTEAD_KUBECONFIG=str(self.cluster.control_plane.kubeconfig))

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
        made.write_flux()
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
    assert bootstrap.pulumi("refresh", "--yes", "--skip-preview").returncode == 0
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
