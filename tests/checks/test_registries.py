"""Images and charts in container registries, asked over the loopback: what is not there is told with the nearest that is."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest

from fluxstead.catalog.nearest import nearest_version
from fluxstead.checks.outside import online, web
from fluxstead.checks.outside.asked import ask
from fluxstead.checks.outside.distribution import NotAnswered, RegistryRepository
from fluxstead.checks.outside.evidence import Outside, Session
from fluxstead.checks.outside.pinned import OciReference, oci_reference_in
from fluxstead.checks.reading.applied_tree import read_applied_tree
from fluxstead.checks.reading.store import TextStore
from fluxstead.checks.rule import Remark, run
from fluxstead.cli.__main__ import main
from fluxstead.core.findings import Finding
from tests.checks.planted import DEPLOYMENT, SOURCE, WEB, layer, obj, release
from tests.checks.stand_in import DIGEST, Registry, serving

TAGS = ["1.26.3", "1.27.4", "1.27.5", "1.27.5-alpine", "1.27", "v1.27.9", "latest"]


@pytest.fixture
def registry() -> Iterator[Registry]:
    """One with an image and a chart."""
    with serving(web__site=TAGS, charts__podinfo=["6.8.0", "6.9.0_build.1"]) as one:
        yield one


def found(files: dict[str, str], session: Session | None = None) -> tuple[list[Finding], list[str]]:
    """What is found of these files, and what was not checked."""
    applied = read_applied_tree(TextStore(files), ["clusters/home"])
    said = list(run(Outside(applied, Path(), session or Session(None, online=True)), online.RULES))
    return (
        [one for one in said if isinstance(one, Finding)],
        [one.text.removeprefix("not checked: ") for one in said if isinstance(one, Remark)],
    )


def site(*images: str) -> dict[str, str]:
    """A layer of one Deployment for each image."""
    one = (
        DEPLOYMENT.replace("example.test/site:1.0.0", image).replace("name: site}\n", f"name: s{n}}}\n")
        for n, image in enumerate(images)
    )
    return layer("web", WEB, *one)


def test_a_missing_tag_is_told_with_the_nearest_of_its_form(registry: Registry) -> None:
    """Which is on a later page of the list, and behind a token."""
    image = f"{registry.address}/web/site:1.27.9"
    [finding], unchecked = found(site(image))
    assert finding.id == "online/no-such-image"
    assert f"runs {image}: there is no {image}" in finding.what
    assert finding.fix == f"{registry.address}/web/site:1.27.5"
    assert (finding.source.file, finding.source.line) == ("web/objects.yaml", 9)
    assert not unchecked
    assert [one.split("?")[0] for one in registry.asked] == [
        "HEAD /v2/web/site/manifests/1.27.9",
        "GET /token",
        "HEAD /v2/web/site/manifests/1.27.9",
        *["GET /v2/web/site/tags/list"] * 4,
    ]


@pytest.mark.parametrize("tokens", [True, False])
def test_what_exists_is_no_finding_and_is_asked_once(registry: Registry, tokens: bool) -> None:
    """Two objects with one image, a digest beside a wrong tag, and no tag at all."""
    registry.tokens = tokens
    name = f"{registry.address}/web/site"
    images = (f"{name}:1.27.4", f"{name}:1.27.4", f"{name}:9.9.9@{DIGEST}", name)
    assert found(site(*images)) == ([], [])
    heads = [one for one in registry.asked if one.startswith("HEAD")]
    assert sorted(set(heads)) == [f"HEAD /v2/web/site/manifests/{one}" for one in ("1.27.4", "latest", DIGEST)]
    assert len(heads) == 3 + tokens
    assert sum("/token" in one for one in registry.asked) == tokens


def test_clusters_of_one_run_share_the_answers(registry: Registry) -> None:
    """`--tree` on a repository of many clusters asks no more than on one."""
    session = Session(None, online=True)
    files = site(f"{registry.address}/web/site:1.27.9")
    first, _ = found(files, session)
    asked = len(registry.asked)
    assert found(files, session)[0] == first
    assert len(registry.asked) == asked


def test_every_container_of_every_workload_is_looked_up(registry: Registry) -> None:
    """Init and ephemeral containers, jobs, and images that are mounted."""
    name = f"{registry.address}/web/site"
    containers = (
        f"initContainers: [{{name: a, image: '{name}:2.0.1'}}], containers: [{{name: b, image: '{name}:2.0.2'}}], "
        f"ephemeralContainers: [{{name: c, image: '{name}:2.0.3'}}], volumes: [{{name: d, image: {{reference: '{name}:2.0.4'}}}}]"
    )
    job = f"spec: {{jobTemplate: {{spec: {{template: {{spec: {{{containers}}}}}}}}}}}"
    findings, _ = found(
        layer("web", WEB, obj("CronJob", "web/job", job, "batch/v1"), obj("Pod", "web/pod", f"spec: {{{containers}}}"))
    )
    assert len(findings) == 8
    assert {finding.what.rpartition(":")[2] for finding in findings} == {"2.0.1", "2.0.2", "2.0.3", "2.0.4"}


def test_missing_repositories_and_digests(registry: Registry) -> None:
    """A missing digest gets no suggestion."""
    [finding], _ = found(site(f"{registry.address}/web/sit:1.0.0"))
    assert f"{registry.address} has no web/sit" in finding.what
    [finding], _ = found(site(f"{registry.address}/web/site:1.27.5@sha256:{'b' * 64}"))
    assert "sha256:bbb" in finding.what
    assert "digest" in finding.fix


@pytest.mark.parametrize(
    ("name", "why"),
    [("private", "credentials"), ("forbidden", "credentials"), ("busy", "(429)"), ("broken", "status 500")],
)
def test_a_registry_that_does_not_say_is_no_finding(registry: Registry, name: str, why: str) -> None:
    """It is said once, with the reason and what it was about."""
    images = [f"{registry.address}/{name}/{one}:1.0.0" for one in ("a", "b")]
    findings, [line] = found(site(*images))
    assert not findings
    assert line.startswith(f"what {registry.address} has (")
    assert all(f"image {image}" in line for image in images)
    assert why in line


def test_a_registry_that_is_busy_is_left_alone(registry: Registry) -> None:
    """Each further question would make it worse."""
    session = Session(None, online=True)
    found(site(f"{registry.address}/busy/a:1"), session)
    asked = len(registry.asked)
    assert not found(site(f"{registry.address}/web/site:9"), session)[0]
    assert len(registry.asked) == asked


def test_what_is_no_registry_and_what_is_not_there(registry: Registry) -> None:
    """A web server says "not found" to everything; a port without a server says nothing."""
    registry.tokens = False
    registry.repositories.clear()
    assert "has no web/x" in found(site(f"{registry.address}/web/x:1"))[0][0].what
    registry.is_registry = False
    findings, [line] = found(site(f"{registry.address}/web/x:1"))
    assert not findings
    assert "does not answer like a registry" in line
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        address = f"127.0.0.1:{nobody.getsockname()[1]}"
    findings, [line] = found(site(f"{address}/web/x:1"))
    assert not findings
    assert "it does not answer: " in line


def test_a_registry_that_never_answers_ends_with_the_time(registry: Registry) -> None:
    """And the others' answers are there."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        never = [OciReference(f"127.0.0.1:{silent.getsockname()[1]}", f"web/{number}", "1") for number in range(20)]
        there = OciReference(registry.address, "web/site", "1.27.4")
        began = monotonic()
        answers = ask(Session(None, online=True), [*never[:3], there, *never[3:]], seconds=3)
        assert monotonic() - began < 20
    assert answers[there].there
    assert all(answers[one].why for one in never)


@pytest.mark.parametrize("field", ["realm", "moved_to"])
def test_nothing_is_sent_in_the_clear_to_other_machines(registry: Registry, field: str) -> None:
    """Neither where tokens are made nor where a manifest has moved; the address is one that nobody has (RFC 5737)."""
    setattr(registry, field, "http://192.0.2.1/x")
    findings, [line] = found(site(f"{registry.address}/web/site:1.27.4"))
    assert not findings
    assert "http://192.0.2.1 is not asked without encryption" in line


def test_other_registries_are_asked_over_https_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is dialled here: the URL is looked at where it would be."""
    opened: list[str] = []

    def not_dialled(request: object, **_: object) -> None:
        opened.append(request.full_url)  # type: ignore[attr-defined]
        raise OSError

    monkeypatch.setattr(web.OPENER, "open", not_dialled)
    for registry in ("docker.io", "registry.example.test:5000", "localhost:5000", "[::1]:5000"):
        with pytest.raises(NotAnswered):
            RegistryRepository(registry, "a", monotonic() + 9).has("1")
    assert [url.partition("/v2/")[0] for url in opened] == [
        "https://registry-1.docker.io",
        "https://registry.example.test:5000",
        "http://localhost:5000",
        "http://[::1]:5000",
    ]


def test_a_token_is_not_sent_to_where_a_manifest_has_moved(registry: Registry) -> None:
    """It is for the registry that asked for it."""
    with serving(web__site=["1.27.4"]) as other:
        other.tokens = False
        registry.moved_to = f"http://{other.address}"
        assert found(site(f"{registry.address}/web/site:1.27.4")) == ([], [])
    assert other.shown == [""]


def test_charts_in_registries(registry: Registry) -> None:
    """By a HelmRepository of type oci, and by an OCIRepository that a release refers to; Helm writes `+` as `_`."""
    url = f"oci://{registry.address}/charts"

    def of_type_oci(version: str) -> dict[str, str]:
        objects = release("web/site", "podinfo", version).replace("url: https://charts.example.test", f"type: oci, url: '{url}'")
        return layer("web", WEB, objects)

    def referred(ref: str) -> dict[str, str]:
        chart = "spec: {interval: 1h, chartRef: {kind: OCIRepository, name: podinfo}}"
        source = f"spec: {{interval: 1h, url: '{url}/podinfo', ref: {{{ref}}}}}"
        return layer(
            "web",
            WEB,
            obj("HelmRelease", "web/site", chart, "helm.toolkit.fluxcd.io/v2"),
            obj("OCIRepository", "web/podinfo", source, SOURCE),
        )

    for files in (of_type_oci("6.8.0"), of_type_oci("6.9.0+build.1"), referred("tag: 6.8.0"), referred(f"digest: '{DIGEST}'")):
        assert found(files) == ([], [])
    for files in (of_type_oci("6.8.3"), referred("tag: 6.8.3")):
        [finding], _ = found(files)
        assert (finding.id, finding.fix) == ("online/no-such-version", "6.8.0")
        assert f"there is no {registry.address}/charts/podinfo:6.8.3" in finding.what
        assert finding.source.file == "web/objects.yaml"
    assert found(referred("semver: 6.x")) == ([], [])


def test_offline_it_is_said_which_images_were_not_looked_up(registry: Registry) -> None:
    """In one line."""
    findings, [line] = found(site(*(f"{registry.address}/web/site:{n}" for n in range(7))), Session(None, online=False))
    assert not findings
    assert "and 2 more): ./run check --online asks their registries" in line
    assert not registry.asked


def test_images_that_a_kustomization_replaces_are_not_looked_up(registry: Registry) -> None:
    """The image in the manifest is not the one that will run."""
    files = site(f"{registry.address}/web/site:placeholder")
    files["web/kustomization.yaml"] = "resources: [objects.yaml]\nimages: [{name: x, newTag: 1.27.4}]\n"
    findings, [line] = found(files)
    assert not findings
    assert line == "whether the images in ./web exist: its kustomization may change them"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("nginx:1.27.5", "docker.io/library/nginx:1.27.5"),
        ("docker.io/nginx:1", "docker.io/library/nginx:1"),
        ("index.docker.io/grafana/grafana:1", "docker.io/grafana/grafana:1"),
        ("grafana/grafana:12.0.1", "docker.io/grafana/grafana:12.0.1"),
        ("ghcr.io/a/b/c:v1@" + DIGEST, f"ghcr.io/a/b/c@{DIGEST}"),
        ("localhost/a:1", "localhost/a:1"),
        ("registry:5000/a_b/c.d:1", "registry:5000/a_b/c.d:1"),
        ("[::1]:5000/a:1", "[::1]:5000/a:1"),
    ],
)
def test_names_of_images_mean_what_they_mean_to_container_runtimes(written: str, meant: str) -> None:
    """With the registry and the tag that are left out."""
    assert str(oci_reference_in(written)) == meant


@pytest.mark.parametrize(
    "written", ["", "Nginx:1", "a b", "nginx:", "${REGISTRY}/a:1", "ghcr.io/../x:1", "ghcr.io/a:1?x", "a@sha256:b"]
)
def test_what_is_no_name_of_an_image(written: str) -> None:
    """Nothing is asked for it."""
    assert oci_reference_in(written) is None


@pytest.mark.parametrize(
    ("wanted", "known", "near"),
    [
        ("1.8.3", ["1.8.1", "1.8.2", "1.9.0"], "1.8.2"),
        ("1.27.9-alpine", ["1.27.5", "1.27.5-alpine", "1.27.8-perl"], "1.27.5-alpine"),
        ("1.27.9-alpin", ["1.27.5", "1.27.5-alpine", "1.27"], "1.27.5"),
        ("v1.0.0", ["1.0.0", "v0.9.0"], "v0.9.0"),
        ("1.8.3", ["1.8", "latest"], "1.8"),
        ("stabel", ["stable", "edge"], "stable"),
        ("1.8.3", [], None),
    ],
)
def test_the_nearest_version(wanted: str, known: list[str], near: str | None) -> None:
    """Of the same form, where there is one."""
    assert nearest_version(wanted, known) == near


def test_from_the_command_line(registry: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`./run check --online --tree`."""
    for path, text in site(f"{registry.address}/web/site:1.27.9", f"{registry.address}/private/a:1.0.0").items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert main(["check", "--online", "--tree", str(tmp_path), "--format", "github"]) == 1
    answer = capsys.readouterr()
    assert "::error file=web/objects.yaml,line=9,title=online/no-such-image::" in answer.out
    assert (
        f"not checked: what {registry.address} has (image {registry.address}/private/a:1.0.0): it asks for credentials"
        in answer.err
    )
