"""nginx with the lines that ingress-nginx writes for the Ingresses of a tree; in which order what they say is done is nginx' own.

Sources: kubernetes/ingress-nginx rootfs/etc/nginx/template/nginx.tmpl ("SERVER"), internal/ingress/controller/template/template.go
(`buildLocation`, `buildProxyPass`, `buildAuthLocation`), internal/ingress/controller/location.go (a path of type Prefix is two
locations) and rootfs/etc/nginx/lua/lua_ingress.lua (`redirect_to_https`), at controller-v1.15.1. What the controller has Lua do is
an `if` here, in the same phase; requests go to a Service and not to its pods.
"""

from __future__ import annotations

import base64
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.e2e.cluster.api import Api, Json
from tests.e2e.cluster.control_plane import answers
from tests.e2e.cluster.processes import Processes

NAME = "nginx"
_NOTES = "nginx.ingress.kubernetes.io/"


class Location(NamedTuple):
    """One path of an Ingress."""

    ingress: Json
    path: str
    exact: bool
    target: str

    def note(self, name: str) -> str:
        """An annotation of ingress-nginx."""
        found: str = self.ingress["metadata"].get("annotations", {}).get(f"{_NOTES}{name}", "")
        return found


class Configuration(NamedTuple):
    """What nginx.conf is made from: the cluster, a folder for files, the ports, and where each Service answers."""

    api: Api
    folder: Path
    ports: Mapping[str, int]
    services: Mapping[str, str]
    values: Mapping[str, Any]
    """The chart's, of `controller`, as the tree has them."""

    def text(self) -> str:
        """The whole of nginx.conf."""
        default = self.values["extraArgs"]["default-ssl-certificate"]
        ingresses = sorted(self.api.list("networking.k8s.io/v1", "Ingress"), key=_host)
        servers = [self._server(host, list(of), default) for host, of in groupby(ingresses, _host)]
        return f"""
daemon off; pid {self.folder}/nginx.pid; error_log stderr info; worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
  fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  server {{ listen 127.0.0.1:{self.ports["ping"]}; location = /ping {{ return 200; }} }}
{"".join(servers)}
}}
"""

    def _server(self, host: str, ingresses: list[Json], default: str) -> str:
        named = [f"{one['metadata']['namespace']}/{tls['secretName']}" for one in ingresses for tls in one["spec"].get("tls", [])]
        pair = self._certificate(named[0] if named else default)
        locations = sorted(self._locations(ingresses), key=lambda one: len(one.path), reverse=True)
        regex = any(one.note("use-regex") == "true" or one.note("rewrite-target") for one in locations)
        ending = " default_server" if host == "_" else ""
        inside = "".join(self._location(number, one, regex=regex) for number, one in enumerate(locations))
        # What no route answers goes to the default backend, which redirects nowhere.
        rest = "" if any(one.path == "/" for one in locations) else "location / { return 404; }"
        return f"""
  server {{
    server_name {host};
    listen 127.0.0.1:{self.ports["http"]}{ending}; listen 127.0.0.1:{self.ports["https"]} ssl{ending};
    ssl_certificate {pair}.crt; ssl_certificate_key {pair}.key;
{inside}
    {rest}
  }}
"""

    def _locations(self, ingresses: Iterable[Json]) -> Iterator[Location]:
        for one in ingresses:
            for path in one["spec"]["rules"][0]["http"]["paths"]:
                service = path["backend"]["service"]
                target = f"http://{self.services[one['metadata']['namespace'] + '/' + service['name']]}:{service['port']['number']}"
                if path["pathType"] == "Prefix" and path["path"] != "/":
                    yield Location(one, f"{path['path']}/", exact=False, target=target)
                    yield Location(one, path["path"], exact=True, target=target)
                else:
                    yield Location(one, path["path"], exact=False, target=target)

    def _redirect(self) -> str:
        """To the port that nginx listens at, or to none (`redirect_to_https`), where it is told to."""
        config = self.values["config"]
        if config["force-ssl-redirect"] != "true":
            return ""
        port = f":{self.values['extraArgs']['https-port']}" if config["use-port-in-redirects"] == "true" else ""
        return f'if ($https = "") {{ return {config["http-redirect-code"]} https://$host{port}$request_uri; }}'

    def _location(self, number: int, one: Location, *, regex: bool) -> str:
        way = f'~* "^{one.path}"' if regex else f'= "{one.path}"' if one.exact else f'"{one.path}"'
        target = one.note("rewrite-target")
        rewrite = f'rewrite "(?i){one.path}" {target} break;' if target else ""
        guard, beside = self._guard(number, one)
        return f"""{beside}
    location {way} {{
      {self._redirect()}
      port_in_redirect on;
{guard}
      proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_http_version 1.1;
      {rewrite}
      proxy_pass {one.target};
    }}
"""

    def _guard(self, number: int, one: Location) -> tuple[str, str]:
        if one.note("auth-type") == "basic":
            namespace = one.ingress["metadata"]["namespace"]
            secret = self.api.get("v1", "Secret", one.note("auth-secret"), namespace)
            assert secret is not None
            people = self.folder / f"{namespace}-people"
            people.write_bytes(base64.b64decode(secret["data"]["auth"]))
            people.chmod(0o644)
            basic = f'auth_basic "{one.note("auth-realm")}"; auth_basic_user_file {people}; proxy_set_header Authorization "";'
            return basic, ""
        if allowed := one.note("whitelist-source-range"):
            return " ".join([*(f"allow {network};" for network in allowed.split(",")), "deny all;"]), ""
        if asked := re.fullmatch(r"http://([^.]+)\.([^.]+)\.svc\.cluster\.local(/.*)", one.note("auth-url")):
            return _asking(number, one, f"http://{self.services[f'{asked[2]}/{asked[1]}']}{asked[3]}")
        return "", ""

    def _certificate(self, secret: str) -> Path:
        namespace, _, name = secret.partition("/")
        found = self.api.get("v1", "Secret", name, namespace)
        assert found is not None, secret
        pair = self.folder / f"{namespace}-{name}"
        for key in ("crt", "key"):
            pair.with_name(f"{pair.name}.{key}").write_bytes(base64.b64decode(found["data"][f"tls.{key}"]))
        return pair


def _host(ingress: Json) -> str:
    return str(ingress["spec"]["rules"][0].get("host") or "_")


def _asking(number: int, one: Location, url: str) -> tuple[str, str]:
    # A module that nginx has only from others escapes the path; those of the tests need it not.
    sign_in = one.note("auth-signin").replace("$escaped_request_uri", "$request_uri")
    headers = "".join(
        f"auth_request_set $asked{index} $upstream_http_{name.lower().replace('-', '_')}; proxy_set_header {name} $asked{index};"
        for index, name in enumerate(one.note("auth-response-headers").split(","))
    )
    guard = f"auth_request /_external-auth-{number}; auth_request_set $auth_cookie $upstream_http_set_cookie; {headers}"
    guard += f" add_header Set-Cookie $auth_cookie; error_page 401 = @sign-in-{number};"
    beside = f"""
    location = /_external-auth-{number} {{
      internal; proxy_pass_request_body off; proxy_set_header Content-Length "";
      proxy_set_header X-Original-URL $scheme://$http_host$request_uri; proxy_set_header X-Auth-Request-Redirect $request_uri;
      proxy_pass {url};
    }}
    location @sign-in-{number} {{ internal; add_header Set-Cookie $auth_cookie; return 302 {sign_in}; }}
"""
    return guard, beside


def start(processes: Processes, conf: str, folder: Path, ping: int) -> None:
    """nginx, as the package of the distribution has it."""
    program = shutil.which("nginx")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("nginx is missing: apt-get install nginx-light")
        pytest.skip("there is no nginx")
    (folder / "nginx.conf").write_text(conf)
    processes.start(NAME, [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"])
    processes.wait(NAME, lambda: answers(f"http://127.0.0.1:{ping}/ping"))
