"""How Longhorn's API, its driver and its managers are called."""

from __future__ import annotations

API = "apis/longhorn.io/v1beta2"
PROVISIONER = "driver.longhorn.io"
MANAGERS = "app=longhorn-manager"
"""The managers' pods, by their label (longhorn/longhorn: chart/templates/daemonset-sa.yaml)."""
