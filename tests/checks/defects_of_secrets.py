"""Planted defects of what is a secret and can be read, or cannot be decrypted, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from fluxstead.core.findings import Source
from fluxstead.tree.asks import SecretNeed
from tests.checks.planted import CONFIG, WEB, Planted, layer, obj, release

_SOPS = "sops: {age: [{recipient: age1other, enc: x}], mac: 'ENC[AES256_GCM,data:y]', version: 3.9.0}"
ENCRYPTED = obj("Secret", "web/settings", "stringData: {color: 'ENC[AES256_GCM,data:x]'}\n" + _SOPS)
_TOKEN = "ghp" + "_0123456789abcdefghij"
DECRYPTS = "decryption: {provider: sops, secretRef: {name: sops-age}}"

_NEED = SecretNeed(namespace="web", name="settings", layer="web", purpose="a test", source=Source("Pulumi.home.yaml", 3))
_LISTED = {
    **layer("web", WEB, spec=DECRYPTS),
    "web/kustomization.yaml": "resources: [objects.yaml, ../secrets/home/web]\n",
    "secrets/home/web/kustomization.yaml": "resources: [settings.sops.yaml]\n",
}

OF_SECRETS: Mapping[str, Planted] = {
    "moves/secret": Planted(
        files={**_LISTED, "secrets/home/web/kustomization.yaml": "resources: []\n"},
        cure=("secrets", "secrets"),
        says="secrets/home/web/settings.sops.yaml is gone",
        before={**_LISTED, "secrets/home/web/settings.sops.yaml": ENCRYPTED},
        more={"ciphertexts": {"secrets/home/web/settings.sops.yaml": _NEED}},
    ),
    "secrets/plain": Planted(
        files=layer("web", WEB, obj("Secret", "web/settings", "stringData: {password: hunter2}")),
        cure=("hunter2", "''"),
        says="holds `password` in plain text",
    ),
    "secrets/plain-settings": Planted(
        files=layer("web", WEB, obj("Secret", "web/settings", "stringData: {AWS_REGION: eu-central-1}")),
        cure=("eu-central-1", "''"),
        says="holds `AWS_REGION` in plain text, which need be no secret",
    ),
    "secrets/recipients": Planted(
        files=layer("web", WEB, ENCRYPTED, spec=DECRYPTS),
        cure=("age1other", "age1ours"),
        says="is not encrypted for age1ours",
        more={"recipients": frozenset({"age1ours"})},
    ),
    "secrets/no-decryption": Planted(
        files=layer("web", WEB, ENCRYPTED),
        cure=("  wait: true\n", f"  wait: true\n  {DECRYPTS}\n"),
        says="flux-system/web does not decrypt",
    ),
    "secrets/no-metadata": Planted(
        files=layer("web", WEB, ENCRYPTED.replace(_SOPS, ""), spec=DECRYPTS),
        cure=("'ENC[AES256_GCM,data:x]'", "''"),
        says="holds ENC[…] and no `sops` section",
    ),
    "secrets/no-mac": Planted(
        files=layer("web", WEB, ENCRYPTED.replace("mac:", "max:"), spec=DECRYPTS),
        cure=("max:", "mac:"),
        says="is encrypted, and has no MAC",
    ),
    "secrets/suspected": Planted(
        files=layer("web", WEB, CONFIG.replace("blue", "postgres://web:web@db")),
        cure=("web:web@db", "db"),
        says="may be a secret: a URL with a password",
    ),
    "secrets/in-text": Planted(
        files=layer("web", WEB, CONFIG.replace("blue", _TOKEN)),
        cure=(_TOKEN, "blue"),
        says="looks like a key",
    ),
    "secrets/in-values": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.0.0", ", values: {auth: {adminPassword: hunter2}}")),
        cure=("hunter2", "''"),
        says="sets auth.adminPassword",
    ),
}
