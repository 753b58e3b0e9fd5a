"""The rules that only `./run check` lets look outside."""

from __future__ import annotations

from fluxstead.checks.outside import built, k3s_binaries, listed, online

RULES = (*built.RULES, *online.RULES, *k3s_binaries.RULES)
OF_FILES = listed.RULES
