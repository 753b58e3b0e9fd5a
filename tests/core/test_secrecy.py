"""What may be a secret by its name, and what only says where one is."""

from __future__ import annotations

import pytest

from fluxstead.core.secrecy import may_be_secret


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter2"),
        ("db-password", "12345678"),
        ("dbPassword", "password"),
        ("POSTGRES_PASSWORD_1", "a-b-c"),
        ("API_TOKEN", "dev-token-9"),
        ("API_KEY", "c0ffee"),
        ("apiKey", "5f3c8a1e-0000-4000-8000-000000000000"),
        ("CLIENT_SECRET", "Zm9vYmFy"),
        ("SECRET_KEY_BASE", "c0ffee"),
        ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI"),
    ],
)
def test_what_stands_there_to_be_read(name: str, value: str) -> None:
    """F22: in the manifests that people write."""
    assert may_be_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD_FILE", "hunter2"),
        ("DB_PASSWORD", "/run/secrets/db"),
        ("DB_PASSWORD", "$(OTHER)"),
        ("DB_PASSWORD", "${OTHER}"),
        ("DB_PASSWORD", "x-$(OTHER)"),
        ("DB_PASSWORD", "{{ .Values.password }}"),
        ("DB_PASSWORD", "vault:secret/data/db#password"),
        ("DB_PASSWORD", "op://home/db/password"),
        ("DB_PASSWORD", "ENC[AES256_GCM,data:x]"),
        ("DB_PASSWORD", "a sentence about it"),
        ("DB_PASSWORD", ""),
        ("ALLOW_EMPTY_PASSWORD", "yes"),
        ("existingSecret", "hunter2-db"),
        ("secretName", "hunter2"),
        ("passwordKey", "hunter2"),
        ("passwordSecretKey", "admin-password"),
        ("passwordSecretKey", "password"),
        ("CLIENT_SECRET", "web-oauth"),
        ("TOKEN", "3600"),
        ("TOKEN", "15m"),
        ("MAX_TOKENS", "hunter2"),
        ("OAUTH_TOKEN", "https://example.test/token"),
        ("ADMIN_KEY", "ssh-ed25519 AAAA"),
        ("ROOT_KEY", "-----BEGIN PUBLIC KEY-----"),
        ("STRIPE_PUBLIC_KEY", "c0ffee"),
        ("LOG_LEVEL", "debug"),
    ],
)
def test_what_says_where_a_secret_is_or_is_none(name: str, value: str) -> None:
    """A name proves nothing."""
    assert not may_be_secret(name, value)
