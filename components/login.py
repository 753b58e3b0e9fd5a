"""The login for a bucket on the server that sends copies there, as a Pulumi resource.

Its inputs say which machine and which ciphertext; it decrypts when it acts, and the login goes over the operator's own ssh alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import dynamic

from components.acting import described_at, node_of
from fluxstead.hosts.ssh import Errand, ask_node
from fluxstead.secrets.operator import values_of
from fluxstead.secrets.operator_needs import SQLITE_BACKUP_S3
from fluxstead.secrets.tools import ToolTrouble


class LoginProvider(dynamic.ResourceProvider):
    """Hands the login over, and again where it or the machine is another."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> dynamic.CreateResult:
        """Leave it there."""
        _hand_over(props)
        return dynamic.CreateResult(props["node"], props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> dynamic.UpdateResult:
        """Leave another one there."""
        _hand_over(news)
        return dynamic.UpdateResult(news)


class LoginResource(dynamic.Resource, module="fluxstead", name="Login"):
    """The login on one server."""

    def __init__(self, name: str, inputs: Mapping[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(LoginProvider(), name, dict(inputs), opts)


def _hand_over(props: Mapping[str, Any]) -> None:
    root, description, scope = described_at(props["project"], props["stack"])
    node = node_of(description, props["node"])
    try:
        answer = ask_node(node, root, Errand("login", login=values_of(scope, SQLITE_BACKUP_S3)))
    except ToolTrouble as error:
        raise RuntimeError(str(error)) from None
    if answer.refused:
        raise RuntimeError(f"{node.name} did not take the login of its bucket: {'; '.join(answer.why)}")
