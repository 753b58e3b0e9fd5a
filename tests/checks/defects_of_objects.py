"""Planted defects of what objects hold and name, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.planted import CONFIG, DEPLOYMENT, WEB, Planted, layer

_IMAGE = "image: 'example.test/site:1.0.0'"

OF_OBJECTS: Mapping[str, Planted] = {
    "secrets/in-environment": Planted(
        files=layer("web", WEB, DEPLOYMENT.replace(_IMAGE, f"{_IMAGE}, env: [{{name: DB_PASSWORD, value: hunter2}}]")),
        cure=("value: hunter2", "value: $(OTHER)"),
        says="sets the variable DB_PASSWORD to a value in plain text (7 characters)",
    ),
    "secrets/in-config-map": Planted(
        files=layer("web", WEB, CONFIG.replace("color: blue", "db-password: hunter2")),
        cure=("db-password: hunter2", "db-password-file: hunter2"),
        says="holds db-password in plain text (7 characters)",
    ),
}
