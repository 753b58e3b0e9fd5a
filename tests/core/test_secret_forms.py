"""What shows by its form that it is a secret, what only suggests it, and what stands in for one. All values are made up."""

from __future__ import annotations

import base64

import pytest

from fluxstead.core.secret_forms import is_random, masked, sightings


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_PEM = "-----BEGIN EC PRIVATE " + "KEY-----\nMHcCAQEEIDx8Zk2n4XyAbCd0\n"
_HEADER = _PEM.splitlines()[0]
_HEX = "0c4b8f3a9d7e5126"
_GITHUB = "ghp" + "_0123456789abcdefghij"
_K3S = "K10" + _HEX * 4
_AGE = "AGE-SECRET" + "-KEY-1QYQSZQGPQYQSZQGPZ3X4C5"
SECRETS = {
    "an empty name in a URL": "redis://:s3cr3t@h",
    "a URL in a comment": "# postgres://web:tr0ub4dor@db",
    "a repository's URL": "https://user:t0k3n@git.example.org/r.git",
    "a token as a URL's user": f"https://{_GITHUB}@github.com/a/b",
    "a token": _GITHUB,
    "a token in base64": encoded(f"prefix of some length: {_GITHUB}"),
    "a token in base64 with other words": encoded(f"# created: today\n{_AGE}\n"),
    "an age key": _AGE,
    "a private key": _PEM,
    "a private key in JSON": '"private_key": "' + _PEM.replace("\n", "\\n") + '"',
    "a private key in a comment": "# " + _PEM.replace("\n", "\n# "),
    "a kubeconfig's key": f"    client-key-data: {encoded(_PEM)}",
    "a kubeconfig's token": "token: eyJhbGciOiJSUzI1NiJ9."
    + encoded('{"iss":"kubernetes/serviceaccount"}').rstrip("=")
    + "."
    + _HEX * 2,
    "a token as the user of a URL": f"https://{_HEX}{_HEX}@git.example.org/r.git",
    "a k3s token of a server": f"{_K3S}::server:{_HEX}",
    "a k3s token of an agent": f"{_K3S}::abc123.{_HEX}",
    "a bootstrap token": f"K3S_TOKEN=abc123.{_HEX}",
    "Docker's login": '{"auths": {"ghcr.io": {"auth": "' + encoded("me:hunter2x") + '"}}}',
    "Docker's login in base64": encoded('{"auths": {"ghcr.io": {"auth": "' + encoded("me:hunter2x") + '"}}}'),
    "a header": f"curl -H 'Authorization: Basic {encoded('me:hunter2x')}'",
    "Slack's webhook": "https://hooks.slack" + ".com/services/T0001/B0002/abcdEFGH1234ijklMNOP5678",
    "Discord's webhook": "https://discord" + ".com/api/webhooks/123456789012345678/aB3dE5fG7hI9jK1lM3nO5pQ7rS9tU1vW",
    "a webhook's token": f"https://chat.example.test/notify?token={_HEX}",
    "an AWS key": "AWS_SECRET_ACCESS_KEY: wJalrXUtn" + "FEMI/K7MDENG/bPxRfiCYzzzzzzKEYa",
}
SUSPICIONS = {
    "a name as its own password": "postgres://postgres:postgres@db",
    "a word as a password": "postgres://web:changeme@db",
    "a token of a few signs": "ghp" + "_" + "ab" * 18,
    "a signed token": "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.dc_X5iR_VP_qT0zsiyj_I_OZ2T9",
    "a short token in a query": "https://push.example.test/message?token=AbCdEf12",
    "a webhook": "https://chat.example.test/hooks/n7q8w9e4r5t6y1u2i3o0pa",
    "an AWS key's id": "AK" + "IAQ3EGTUVWXYZ23456",
}
NONE = {
    "words in a comment": "# postgres://user:password@host",
    "words in capitals": "postgres://USER:PASSWORD@HOST",
    "an @ in a query": "https://h.example.test/x?mail=a:b@c",
    "an @ behind a port": "https://h.example.test:8080/x?to=me@example.org",
    "an @ in a path": "https://h.example.test:8080/@vite/client",
    "what Kubernetes fills in": "amqp://web:$(PASSWORD)@mq",
    "what Flux fills in": "amqp://web:${PASSWORD}@mq",
    "what a chart fills in": "amqp://web:{{ .Values.password }}@mq",
    "what a person fills in": "https://<user>:<token>@git.example.org/r.git",
    "a pattern": "https?://([^:]*):([^@]*)@",
    "a path with hooks": "https://git.example.org/web/hooks/the-folder-of-all-hooks",
    "a bucket": "s3://backups-0c4b8f3a9d7e5126ab@eu-central-1/",
    "several hosts": "mongodb://a:27017,b:27017/x?user=a@b",
    "a repository": "ssh://git@github.com:22/a/b",
    "a digest": f"image@sha256:{_HEX * 4}",
    "a made-up token": "ghp_xxxxxxxxxxxxxxxxxxxx",
    "AWS' own example": "AKIAIOSFODNN7EXAMPLE",
    "kubeadm's own example": "token: abcdef.0123456789abcdef",
    "a certificate": _PEM.replace("EC PRIVATE KEY", "CERTIFICATE"),
    "a key that has a passphrase": _PEM.replace("EC PRIVATE", "ENCRYPTED PRIVATE"),
    "a key that is left out": "-----BEGIN PRIVATE " + "KEY-----\n...\n",
    "what SOPS encrypted": f"password: ENC[AES256_GCM,data:{encoded(_HEX)},iv:x,tag:y,type:str]",
    "what people say is none": f"{_GITHUB} # gitleaks:allow",
    "a header that is looked for": f"grep -q '{_HEADER}' /etc/ssl/private/server1Key.pem",
    "a header that is written": f"echo '{_HEADER}'\ncat Body2 >> key",
    "a header in a list of patterns": f"- {_HEADER}\n- AGE-SECRET-KEY-1\n",
    "a header that is explained": f'description: "PEM, {_HEADER} BASE64ENCODED4096BITSofakey"'.replace("4096BITSofakey", ""),
    "a header around a format": f'printf "{_HEADER}\\n%s\\n" "$KEY"',
    "a header around a command": f"{_HEADER}\n$(cat key.pem)\n",
    "a key that is cut off": f"{_HEADER}\nMIIEpAIBAAKCAQEA7x2Kd9Fz...\n",
    "a key that is cut off after a line": f"{_HEADER}\nMIIEpAIBAAKCAQEA7x2Kd9FzQ8bN\n...\n",
    "formats of printf": 'printf "https://%s:%-10s@%s" && printf "https://u:%02d@h" && printf "https://u:%1$s@h"',
    "a positional argument": "https://u:$1@h",
    "marks of templates": "https://u:%PASSWORD%@h https://u:__PASSWORD__@h https://u:@PASSWORD@@h",
    "a password that is cut off": "https://u:abc...@h https://u:s3cr\u2026@h https://u:****@h",
    "a k3s token with a format": "K10abcdef0123456789::server:%s-abcdefgh",
    "a token that goes on": "xoxb-123456-7890123-%s and glpat-0c4b8f3a9d7e5126$(cat rest) and ghp_0c4b8f3a9d7e5126ab{{ .rest }}",
    "a token of counted signs": "ghp" + "_1234567890abcdefghijklmnopqrstuvwxyz",
    "a token in a query that is filled in": "https://h.test/x?token=__TOKEN__ https://h.test/x?api_key=%7B%7Bkey%7D%7D",
    "a suspicion in a comment": "# postgres://postgres:postgres@db",
}


@pytest.mark.parametrize("text", SECRETS.values(), ids=list(SECRETS))
def test_a_form_that_proves_a_secret(text: str) -> None:
    assert any(one.proves for one in sightings(f"a: b\n{text}\n"))


@pytest.mark.parametrize("text", SUSPICIONS.values(), ids=list(SUSPICIONS))
def test_a_form_that_only_suggests_one(text: str) -> None:
    assert {one.proves for one in sightings(text)} == {False}


@pytest.mark.parametrize("text", NONE.values(), ids=list(NONE))
def test_what_stands_in_for_a_secret(text: str) -> None:
    assert not list(sightings(text))


def test_every_line_is_told_of_and_no_value() -> None:
    """A second one in the same file is one too."""
    text = f"{SECRETS['an empty name in a URL']}\n\n{_GITHUB}\n"
    found = list(sightings(text))
    assert [(one.line, one.name) for one in found] == [(1, "a URL with a password"), (3, "a GitHub token")]
    assert not any(word in str(found) for word in ("s3cr3t", "0123"))


@pytest.mark.parametrize(
    ("value", "random"),
    [(_HEX, True), ("aB3dE5fG7hI9jK1lM3", True), ("orders.created", False), ("uploads/logo-2024.png", False), ("a1" * 20, False)],
)
def test_what_nobody_would_choose(value: str, *, random: bool) -> None:
    assert is_random(value) is random


def test_what_a_finding_quotes() -> None:
    """Nothing of a secret, also where two forms overlap."""
    assert masked("the URL redis://:s3cr3t@h, twice: redis://:s3cr3t@h") == (
        "the URL redis(a URL with a password)h, twice: redis(a URL with a password)h"
    )
    assert not any(word in masked(f"https://{_GITHUB}:{_GITHUB}@h/?token={_HEX}") for word in (_GITHUB, _HEX))
    assert masked("Secret web/a is not in the tree") == "Secret web/a is not in the tree"
