"""F22: plain secrets next to encrypted ones."""

from __future__ import annotations

from tests.failures.refusal import refused


def test_a_secret_in_plain_text_is_refused() -> None:
    """In any directory that the tree includes."""
    refused("F22", "secrets/plain")


def test_a_secret_for_other_recipients_is_refused() -> None:
    """The cluster could not read it."""
    refused("F22", "secrets/recipients")


def test_a_secret_that_is_not_decrypted_is_refused() -> None:
    """Flux would apply the ciphertext."""
    refused("F22", "secrets/no-decryption")


def test_a_token_in_any_file_is_refused() -> None:
    """By what it looks like."""
    refused("F22", "secrets/in-text")


def test_a_password_among_a_charts_values_is_warned_of() -> None:
    """By its name."""
    refused("F22", "secrets/in-values")


def test_a_password_among_a_containers_variables_is_warned_of() -> None:
    """Also in manifests that people wrote."""
    refused("F22", "secrets/in-environment")


def test_a_password_in_a_config_map_is_warned_of() -> None:
    """A ConfigMap is shown to everybody who may look into the namespace."""
    refused("F22", "secrets/in-config-map")
