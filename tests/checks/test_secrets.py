"""Secrets in plain text, in every place that a tree is made of; and files that SOPS encrypted."""

from __future__ import annotations

import base64

import pytest

from fluxstead.core.findings import Finding
from tests.checks.planted import CONFIG, WEB, Planted, layer, look, obj, release

_TOKEN = "ghp" + "_0123456789abcdefghij"
_DECRYPTS = "decryption: {provider: sops, secretRef: {name: sops-age}}"
_LISTING = "web/kustomization.yaml"
_ENV = "PASSWORD=ENC[AES256_GCM,data:x]\nsops_age__list_0__map_recipient=age1ours\nsops_mac=ENC[AES256_GCM,data:x]\n"
_OBJECT = "{apiVersion: v1, kind: Secret, metadata: {name: a, namespace: web}, stringData: {password: hunter2}}"
_PATCH = f"patches: [{{patch: '{_OBJECT}'}}]"
_OPERATION = "[{op: add, path: /stringData/password, value: hunter2}]"


def told(*objects: str, spec: str = "", **more: str) -> list[Finding]:
    """What is said about secrets."""
    files = {**layer("web", WEB, *objects, spec=spec), **more}
    return [one for one in look(Planted(files=files, cure=("", ""), says=""), files) if one.id.startswith("secrets/")]


def places(found: list[Finding]) -> list[tuple[str, str]]:
    return [(one.id.removeprefix("secrets/"), str(one.source)) for one in found]


def generating(entry: str, **files: str) -> list[Finding]:
    listing = f"resources: [objects.yaml]\nsecretGenerator:\n- name: a\n  namespace: web\n  {entry}\n"
    return told(**{_LISTING: listing, **files})


@pytest.mark.parametrize(
    ("entry", "text", "expected"),
    [
        ("envs: [a.txt]", "# x\nLOG=\nPASSWORD=hunter2\n", [("plain", "web/a.txt:3")]),
        ("env: a.txt", "PASSWORD=hunter2\n", [("plain", "web/a.txt:1")]),
        ("files: [password=a.txt]", "hunter2\n", [("plain", "web/a.txt:1")]),
        ("files: [a.txt]", f"\n{_TOKEN}\n", [("in-text", "web/a.txt:2")]),
        ("files: [a.txt]", "[db]\nuser = web\npassword = hunter2\n", [("suspected", "web/a.txt:3")]),
        ("files: [a.txt]", "[db]\nuser = web\n", []),
        ("files: [ca.crt=a.txt]", "-----BEGIN CERTIFICATE-----\nMIIE\n", []),
        ("literals: [password=hunter2]", "", [("plain", "web/kustomization.yaml:5")]),
    ],
)
def test_what_kustomize_generates_secrets_of(entry: str, text: str, expected: list[tuple[str, str]]) -> None:
    """F22. A file of settings is often made a Secret because a chart asks for one; what is in it decides."""
    found = generating(entry, **{"web/a.txt": text})
    assert places(found) == expected
    assert not any(word in one.text() for one in found for word in ("hunter2", "0123456789"))


def test_encrypted_files_that_secrets_are_generated_of() -> None:
    """kustomize-controller decrypts them, if it is told to; without a MAC nobody sees changes."""
    listing = {_LISTING: "resources: [objects.yaml]\nsecretGenerator: [{name: a, namespace: web, envs: [a.env]}]\n"}
    assert not told(spec=_DECRYPTS, **listing, **{"web/a.env": _ENV})
    assert places(told(**listing, **{"web/a.env": _ENV})) == [("no-decryption", "web/a.env:1")]
    without = _ENV.replace("sops_mac", "sops_max")
    assert places(told(spec=_DECRYPTS, **listing, **{"web/a.env": without})) == [("no-mac", "web/a.env:1")]


def test_a_token_beside_what_sops_encrypted() -> None:
    """Comments are not encrypted, and neither is what the rule in .sops.yaml leaves out."""
    sops = "sops: {age: [{recipient: age1}], mac: 'ENC[x]', version: 3.9.0}"
    found = told(
        obj("Secret", "web/a", f"# {_TOKEN}\nstringData: {{a: 'ENC[AES256_GCM,data:x]', b: hunter2}}\n{sops}"), spec=_DECRYPTS
    )
    assert {one.id for one in found} == {"secrets/in-text", "secrets/plain"}
    assert "holds `b` in" in " ".join(one.what for one in found)


@pytest.mark.parametrize(
    "listing",
    [
        f"{_PATCH}\n",
        f"patchesStrategicMerge:\n- |\n  {_OBJECT}\n",
        "patchesStrategicMerge: [patch.yaml]\n",
        "patches: [{path: patch.yaml}]\n",
        f'patches: [{{target: {{kind: Secret}}, patch: "{_OPERATION}"}}]\n',
        "patches: [{target: {kind: Secret}, path: operations.yaml}]\n",
    ],
)
def test_patches_of_secrets(listing: str) -> None:
    """Inline, in files, merged and by operations."""
    files = {"web/patch.yaml": _OBJECT, "web/operations.yaml": "[{op: add, path: /data, value: {password: aHVudGVyMg==}}]"}
    found = told(**{_LISTING: f"resources: [objects.yaml]\n{listing}", **files})
    assert [one.id for one in found] == ["secrets/plain"]
    assert not any("hunter2" in one.text() for one in found)


def test_patches_by_flux_itself() -> None:
    """Of a Kustomization, and after a release was rendered."""
    assert [one.id for one in told(spec=_PATCH)] == ["secrets/plain"]
    rendered = f", postRenderers: [{{kustomize: {{{_PATCH}}}}}]"
    assert [one.id for one in told(release("web/site", "site", "1.0.0", rendered))] == ["secrets/plain"]
    assert not told(spec=_PATCH.replace("stringData: {password: hunter2}", "$patch: delete"))


@pytest.mark.parametrize("kind", ["List", "SecretList"])
def test_secrets_in_lists(kind: str) -> None:
    """Also in a list in a list."""
    inner = f"{{apiVersion: v1, kind: {kind}, items: [{_OBJECT}]}}"
    assert [one.id for one in told(f"apiVersion: v1\nkind: List\nitems:\n- {inner}\n")] == ["secrets/plain"]


def test_every_key_and_every_line_is_told_of() -> None:
    """Whoever repairs the first one believes to be done."""
    [finding] = told(obj("Secret", "web/a", "stringData: {user: web, password: hunter2}"))
    assert "`user`, `password`" in finding.what
    lines = "".join(f"  k{number}: redis://:s3cr3t{number}@h\n" for number in range(7))
    found = told(obj("ConfigMap", "web/a", f"data:\n{lines}"))
    assert [one.source.line for one in found] == [10, 11, 12, 13, 14]
    assert "and 2 more" in found[-1].what
    assert not any("s3cr3t" in one.text() for one in found)


def test_certificates_are_public() -> None:
    """Also in base64; a key beside one is not."""
    pem = "-----BEGIN CERTIFICATE-----\nMIIE\n"
    encoded = base64.b64encode(pem.encode()).decode()
    assert not told(obj("Secret", "web/a", f"data: {{ca.crt: {encoded}}}"))
    key = base64.b64encode(("-----BEGIN PRIVATE " + "KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n").encode()).decode()
    assert {one.id for one in told(obj("Secret", "web/a", f"data: {{ca.crt: {encoded}, k: {key}}}"))} == {
        "secrets/plain",
        "secrets/in-text",
    }


def test_what_is_said_of_a_config_map_of_variables() -> None:
    listing = "resources: [objects.yaml]\nconfigMapGenerator: [{name: a, namespace: web, envs: [a.env]}]\n"
    assert places(told(**{_LISTING: listing, "web/a.env": "A=1\nDB_PASSWORD=hunter2\n"})) == [("suspected", "web/a.env:2")]
    assert not told(**{_LISTING: listing, "web/a.env": "A=1\nDB_PASSWORD=\n"})


def test_the_descriptions_own_comments() -> None:
    """They are in the same repository."""
    files = layer("web", WEB, CONFIG)
    more = {"description": {"Pulumi.home.yaml": f"config:\n  # {_TOKEN}\n"}}
    found = look(Planted(files=files, cure=("", ""), says="", more=more), files)
    assert [(one.id, str(one.source)) for one in found if one.id.startswith("secrets/")] == [
        ("secrets/in-text", "Pulumi.home.yaml:2")
    ]


@pytest.mark.parametrize(
    ("data", "ids"),
    [
        ("stringData: {AWS_REGION: eu-central-1}", ["secrets/plain-settings"]),
        ("stringData: {a.yaml: 'url: x\n\n  kind: y\n\n  '}", ["secrets/plain-settings"]),
        ("data: {a.yaml: dXJsOiB4CmtpbmQ6IHkK}", ["secrets/plain-settings"]),
        ("stringData: {a.yaml: 'url: x\n\n  password: hunter2\n\n  '}", ["secrets/plain"]),
        ("stringData: {AWS_REGION: eu-central-1, password: hunter2}", ["secrets/plain"]),
        ("stringData: {something: hunter2}", ["secrets/plain"]),
    ],
)
def test_a_secret_of_mere_settings(data: str, ids: list[str]) -> None:
    """Some charts and operators take their settings from Secrets only: an error has to be true."""
    assert [one.id for one in told(obj("Secret", "web/a", data))] == ids


def test_one_file_of_many_secrets_is_told_of_once() -> None:
    """It is one line that has to change."""
    files = {
        "all/kustomization.yaml": "kind: Component\nresources: [a.yaml]\n",
        "all/a.yaml": obj("Secret", "a", "stringData: {password: hunter2}"),
        **{f"{name}/kustomization.yaml": f"namespace: {name}\ncomponents: [../all]\n" for name in ("b", "c")},
        _LISTING: "resources: [objects.yaml, ../b, ../c]\n",
    }
    assert places(told(**files)) == [("plain", "all/a.yaml:4")]
