"""What a person gets through Traefik and nginx: HTTPS for the trusted root alone, redirects with their port, in as described."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from fluxstead.assembly import Assembled
from fluxstead.secrets.vault import secret_object
from tests.e2e.cluster import api as asked
from tests.e2e.cluster import control_plane
from tests.e2e.cluster.control_plane import ControlPlane
from tests.e2e.cluster.processes import Processes
from tests.e2e.cluster.web import serving
from tests.e2e.isolation import free_port, scratch
from tests.e2e.ways_in import nginx, traefik
from tests.e2e.ways_in import site as ways_in
from tests.e2e.ways_in.browser import Answer, Browser, NotTrusted, curl
from tests.e2e.ways_in.provider import Provider
from tests.e2e.ways_in.site import ADDRESS, Given
from tests.e2e.ways_in.sites import Echo, Storage

Need = Callable[..., dict[str, Path]]
pytestmark = pytest.mark.flux

STACK = """\
config:
  fluxstead:flux: {{version: 2.9.5, sopsSecret: sops-age}}
  fluxstead:kubernetes: {{version: v1.36.3+k3s1, nodeCidr: 192.168.86.0/24, disable: [{disabled}]}}
  fluxstead:longhorn: {{version: 1.12.1, replicas: 1, nodeDrainPolicy: allow-if-replica-is-stopped, ui: {{path: /longhorn}}}}
  fluxstead:ingress: {controller}
  fluxstead:certificates: {{issuer: own, version: 1.21.1}}
  fluxstead:access:
    by: basic
    oidc: {{version: 10.7.0, issuer: 'https://id.example.test:{provider}', host: auth.example.test, groups: [staff]}}
  fluxstead:monitoring:
    version: 88.5.3
    prometheus: {{route: {{}}}}
    grafana: {{adminSecret: grafana-admin}}
  fluxstead:secrets:
    missing: [{{secret: monitoring/grafana-admin, reason: there is no Grafana here}}]
  fluxstead:apps:
    - name: wiki
      image: registry.example.test/wiki
      port: 3000
      environments:
        - {{name: live, tag: 1.0.0, route: {{host: wiki.example.test, access: {{by: oidc}}}}}}
        - {{name: draft, tag: 1.0.0, route: {{host: draft.example.test}}}}
        - {{name: lan, tag: 1.0.0, route: {{host: lan.example.test, access: {{by: network, networks: [127.0.0.2/32]}}}}}}
        - {{name: open, tag: 1.0.0, route: {{host: open.example.test, access: {{by: open, reason: it is for everybody}}}}}}
"""


def node_ports() -> Iterator[int]:
    """Ports of the range that nodes have and nobody here listens at."""
    for port in range(30100, 32767, 7):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                yield port


class Site(NamedTuple):
    """A cluster's ways in, and what people have."""

    controller: str
    ports: Mapping[str, int]
    root: Path
    people: Given
    provider: Provider
    plane: ControlPlane
    processes: Processes
    folder: Path
    stack: str
    services: Mapping[str, str]

    def tree(self, old: str, new: str) -> Assembled:
        """The tree of a changed description."""
        assert old in self.stack
        return ways_in.described(self.folder / "changed", self.stack.replace(old, new))

    def start(self, assembled: Assembled, tools: Mapping[str, Path]) -> None:
        """The controller, or nginx as the controller has it."""
        if self.controller == "traefik":
            traefik.start(self.plane, self.processes, tools[traefik.NAME], self.ports, self.folder / "hosts")
            return
        [release] = [
            one
            for one in ways_in.objects_of(assembled)
            if one["kind"] == "HelmRelease" and one["metadata"]["name"] == "ingress-nginx"
        ]
        values = release["spec"]["values"]
        conf = nginx.Configuration(self.plane.api, self.folder, self.ports, self.services, values["controller"])
        nginx.start(self.processes, conf.text(), self.folder, self.ports["ping"])

    def reload(self) -> None:
        """Traefik sees a change itself, and so does ingress-nginx, for which the tests write nginx' lines."""
        if self.controller == "nginx":
            self.processes.end(nginx.NAME)
            self.start(self.tree("{by: oidc}", "{by: basic}"), {})

    @property
    def http(self) -> int:
        """The port for HTTP."""
        return self.ports["http"]

    @property
    def https(self) -> int:
        """The port for HTTPS."""
        return self.ports["https"]

    @property
    def redirects(self) -> int:
        """How the controller sends from plain HTTP to HTTPS for the time being."""
        return {"traefik": 302, "nginx": 307}[self.controller]

    @property
    def login(self) -> tuple[str, str]:
        """What a person types."""
        return "--user", f"admin:{self.people.values['web-login']['auth.password']}"

    def read(self) -> bool:
        """Whether Traefik has read what it has of each of its kinds."""
        redirected = curl(self.url("open.example.test", plain=True)).status
        return (redirected, curl(self.url("draft.example.test"), "-k").status) == (self.redirects, 401)

    def url(self, host: str, path: str = "/", *, plain: bool = False) -> str:
        """A link to a route."""
        return f"http://{host}:{self.http}{path}" if plain else f"https://{host}:{self.https}{path}"


CONTROLLERS = {
    "traefik": (
        "{{controller: traefik, httpPort: {http}, httpsPort: {https}, keepSourceAddresses: true}}",
        "servicelb, local-storage",
    ),
    "nginx": (
        "{{controller: ingress-nginx, version: 4.15.1, httpPort: {http}, httpsPort: {https}, keepSourceAddresses: true}}",
        "traefik, servicelb, local-storage",
    ),
}


@pytest.fixture(scope="module", params=CONTROLLERS)
def site(need: Need, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Everything that answers, once for all tests of a controller; none of them changes what the next one sees."""
    controller: str = request.param
    tools = need(*control_plane.API_TOOLS, *ways_in.TOOLS, *(["traefik"] if controller == "traefik" else []))
    free = node_ports()
    ports = {"http": next(free), "https": next(free), "ping": free_port(), "provider": free_port()}
    section, disabled = CONTROLLERS[controller]
    written = STACK.format(controller=section.format(**ports), disabled=disabled, **ports)
    people = ways_in.given()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch())
        folder.chmod(0o755)  # nginx' workers are nobody's
        assembled = ways_in.described(folder / "ways", written)
        plane, processes = stack.enter_context(ways_in.applied(folder, tools, assembled, people))
        root = folder / "root.pem"
        root.write_text(people.root)
        answering = {"longhorn-frontend": Storage, ways_in.PROXY: None}
        services = stack.enter_context(ways_in.behind(plane.api, lambda name: answering.get(name, Echo)))
        proxy = services[f"{ways_in.PROXY}/{ways_in.PROXY}"]
        (folder / "hosts").write_text(
            f"127.0.0.1 localhost id.example.test\n{proxy} {ways_in.PROXY}.{ways_in.PROXY}.svc.cluster.local\n"
        )
        provider = Provider(f"https://id.example.test:{ports['provider']}", ("cluster", "s3cret"), ["staff"])
        tls = ways_in.certified(plane, folder, "id.example.test")
        stack.enter_context(serving(provider.handler(), ("127.0.0.1", ports["provider"]), tls))
        ways_in.start_proxy(
            processes, tools[ways_in.PROXY], ways_in.release_of(assembled, ways_in.PROXY), people, folder=folder, address=proxy
        )
        site = Site(controller, ports, root, people, provider, plane, processes, folder, written, services)
        site.start(assembled, tools)
        asked.eventually("every part of it is read", 60, site.read, lambda: processes.tail(controller, 20))
        yield site


HOSTS = ("wiki.example.test", "draft.example.test", "lan.example.test", "open.example.test", "auth.example.test")


@pytest.mark.parametrize("host", [*HOSTS, ADDRESS, "k3s1"])
def test_its_certificate_is_for_whoever_trusts_the_root_and_for_nobody_else(site: Site, host: str) -> None:
    """By name, by the machine's name, and by its address."""
    assert curl(site.url(host), root=site.root).status
    with pytest.raises(NotTrusted):
        curl(site.url(host))


@pytest.mark.parametrize("host", [*HOSTS, ADDRESS, "a.name.that.nobody.described"])
@pytest.mark.parametrize("path", ["/", "/longhorn", "/longhorn/", "/grafana?a=b", "/prometheus/graph"])
def test_plain_http_only_redirects_and_asks_for_no_password(site: Site, host: str, path: str) -> None:
    """To the port of HTTPS, whatever is asked for; ingress-nginx says of what nobody described that there is nothing."""
    answer = curl(site.url(host, path, plain=True), *site.login)
    nothing = site.controller == "nginx" and path == "/" and host not in HOSTS
    assert "www-authenticate" not in answer.headers
    assert "strict-transport-security" not in answer.headers
    if nothing:
        assert answer.status == 404
        return
    assert (answer.status, answer.location) == (site.redirects, site.url(host, path))


GUARDED = [(ADDRESS, "/longhorn/"), (ADDRESS, "/prometheus/"), ("draft.example.test", "/")]


@pytest.mark.parametrize(("host", "path"), GUARDED)
def test_nobody_comes_in_without_the_password(site: Site, host: str, path: str) -> None:
    """With it, everybody."""
    for login in ((), ("--user", "admin:wrong"), ("--user", "root:" + site.login[1].partition(":")[2])):
        answer = curl(site.url(host, path), *login, root=site.root)
        assert answer.status == 401
        assert answer.headers["www-authenticate"].startswith("Basic")
        assert "Volumes" not in answer.body
    assert curl(site.url(host, path), *site.login, root=site.root).status == 200


def test_the_password_goes_no_further(site: Site) -> None:
    """What is behind the route has passwords of its own."""
    said = json.loads(curl(site.url("draft.example.test"), *site.login, root=site.root).body)
    assert "authorization" not in said


def test_grafana_reads_the_header_itself(site: Site) -> None:
    """Nothing is in front of it that takes the password away."""
    said = json.loads(curl(site.url(ADDRESS, "/grafana/login"), *site.login, root=site.root).body)
    assert said["authorization"].startswith("Basic ")
    assert said["path"] == "/grafana/login"


def test_a_network_comes_in_and_no_other(site: Site) -> None:
    """By the address from which the connection comes, and not by what a request says of it."""
    forged = ("--header", "X-Forwarded-For: 127.0.0.2", "--header", "X-Real-Ip: 127.0.0.2")
    assert curl(site.url("lan.example.test"), *forged, root=site.root).status == 403
    assert curl(site.url("lan.example.test"), root=site.root, source="127.0.0.2").status == 200


def test_the_path_without_its_slash_leads_to_the_page(site: Site) -> None:
    """Once whoever asks is in; host and port stay (F21)."""
    answer = curl(site.url(ADDRESS, "/longhorn?tab=1"), *site.login, root=site.root)
    assert (answer.status, answer.location) == (302, site.url(ADDRESS, "/longhorn/?tab=1"))
    # nginx rewrites before it asks; there is nothing to see where that leads without a password.
    assert curl(site.url(ADDRESS, "/longhorn"), root=site.root).status == {"traefik": 401, "nginx": 302}[site.controller]


def logged_in(site: Site, jar: Path, path: str = "/", hops: list[str] | None = None) -> Answer:
    """What somebody gets in the end who follows where they are sent, and keeps cookies."""
    url = site.url("wiki.example.test", path)
    for _ in range(8):
        if hops is not None:
            hops.append(url)
        answer = curl(url, "--cookie", str(jar), "--cookie-jar", str(jar), root=site.root)
        if answer.status not in {302, 307}:
            break
        url = answer.location
    return answer


def test_who_is_not_logged_in_is_sent_to_the_provider_and_comes_back(site: Site) -> None:
    """Through the whole flow, as a browser goes it; then the site is told who it is."""
    hops: list[str] = []
    back = site.url("auth.example.test", "/oauth2/callback")
    answer = logged_in(site, site.folder / "cookies", "/pages/1?print=yes", hops)
    said = json.loads(answer.body)
    assert said["path"] == "/pages/1?print=yes"
    assert said["x-auth-request-email"] == "ada@example.test"
    ways = [
        next(number for number, hop in enumerate(hops) if hop.startswith(place))
        for place in (f"{site.provider.issuer}/authorize", back)
    ]
    assert ways == sorted(ways)
    assert hops[-1] == hops[0]


def test_who_is_in_no_group_does_not_come_in(site: Site) -> None:
    """The provider knows them, and this cluster does not want them."""
    site.provider.groups = ["visitors"]
    try:
        assert logged_in(site, site.folder / "others").status == 403
    finally:
        site.provider.groups = ["staff"]


def test_a_forged_header_says_nothing(site: Site) -> None:
    """Who somebody is, is what the provider says."""
    answer = curl(site.url("wiki.example.test"), "--header", "X-Auth-Request-Email: ada@example.test", root=site.root)
    assert answer.status == 302


def test_a_browser_shows_the_page_below_its_path(site: Site, tmp_path: Path) -> None:
    """Its parts are found, and its socket tells it of the volumes; who does not trust the root sees a warning in its place."""
    trusting = Browser(tmp_path, site.root)
    password = site.login[1].partition(":")[2]
    shown = trusting.page(site.url(f"admin:{password}@{ADDRESS}", "/longhorn/"))
    assert "Volumes" in shown
    assert "told: volumes: 12" in shown
    assert "Volumes" not in trusting.page(site.url(ADDRESS, "/longhorn/"))
    assert "Volumes" not in Browser(tmp_path, None).page(site.url(f"admin:{password}@{ADDRESS}", "/longhorn/"))


def test_a_browser_logs_in_at_the_provider(site: Site, tmp_path: Path) -> None:
    """And lands where it wanted to go."""
    shown = Browser(tmp_path, site.root).page(site.url("wiki.example.test", "/start"))
    assert "ada@example.test" in shown
    assert "/start" in shown


def test_the_night_on_which_the_provider_is_down(site: Site) -> None:
    """As its page says: who is known comes in, nobody else can log in; another word in the description, and the password counts."""
    known = site.folder / "known"
    assert "ada@example.test" in logged_in(site, known).body
    site.provider.down = True
    try:
        assert curl(site.url("wiki.example.test"), "--cookie", str(known), root=site.root).status == 200
        stranger = site.folder / "stranger"
        assert logged_in(site, stranger).status != 200
        changed = [
            one for one in ways_in.objects_of(site.tree("{by: oidc}", "{by: basic}")) if one["kind"] in {"Ingress", "Middleware"}
        ]
        password = {key: value for key, value in site.people.values["web-login"].items() if key == "auth"}
        site.plane.api.create(dict(secret_object("wiki-live", "web-login", password)))
        for obj in changed:
            site.plane.api.apply(obj)
        site.reload()
        asked.eventually("the password counts", 30, lambda: curl(site.url("wiki.example.test"), root=site.root).status == 401, str)
        assert curl(site.url("wiki.example.test"), *site.login, root=site.root).status == 200
    finally:
        site.provider.down = False
