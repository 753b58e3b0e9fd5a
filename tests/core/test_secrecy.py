"""What may be a secret by its name, and what only says where one is."""

from __future__ import annotations

import pytest

from fluxstead.core.secrecy import is_password, may_be_secret, named_in


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
        ("ROUTING_KEY", "7d5c0f3e9b8a4162"),
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
        ("ROUTING_KEY", "orders.created"),
        ("FOREIGN_KEY", "user_id"),
        ("S3_KEY", "uploads/logo.png"),
        ("SORT_KEY", "created-at"),
        ("EXISTING_SECRET", "hunter2"),
        ("TLS_SECRET", "hunter2"),
        ("CSRF_TOKEN", "X-CSRF-Token"),
        ("CLIENT_SECRET", "ClientSecret"),
        ("RESET_PASSWORD", "disabled"),
        ("VAPID_PUBLIC_KEY", "7d5c0f3e9b8a4162"),
        ("LOG_LEVEL", "debug"),
        ("TOKEN", "%s"),
        ("TOKEN", "%s.%s"),
        ("DB_PASSWORD", "%-10d"),
        ("DB_PASSWORD", "__DB_PASSWORD__"),
        ("DB_PASSWORD", "%DB_PASSWORD%"),
        ("API_TOKEN", "c0ffee..."),
    ],
)
def test_what_says_where_a_secret_is_or_is_none(name: str, value: str) -> None:
    """A name proves nothing."""
    assert not may_be_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value", "one"),
    [
        ("DB_PASSWORD", "hunter2", True),
        ("DB_PASSWORD", "required", False),
        ("HASH_PASSWORD", "sha256", False),
        ("PIN_PASSWORD", "1234", False),
        ("API_TOKEN", "hunter2", False),
    ],
)
def test_a_password_that_somebody_chose(name: str, value: str, *, one: bool) -> None:
    """The name and the value together."""
    assert is_password(name, value) is one


def test_names_in_files_of_settings() -> None:
    """With their lines, in the forms of shells, YAML, JSON and TOML."""
    text = (
        '# TOKEN=c0ffee\nexport API_TOKEN=\'c0ffee\'\npassword: hunter2 # x\n"secret": "c0ffee",\nb_token = "c0ffee"\nHOME=/root\n'
    )
    assert list(named_in(text)) == [(2, "API_TOKEN"), (3, "password"), (4, "secret"), (5, "b_token")]
    assert not list(named_in("token: ${{ secrets.TOKEN }}\npassword: $1\ntokens: 3\nPASSWORD=\nkey: |\n"))
