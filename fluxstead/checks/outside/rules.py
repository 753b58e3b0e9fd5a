"""The rules that only `./run check` lets look outside."""

from __future__ import annotations

from fluxstead.checks.outside import built, listed, online

RULES = (*built.RULES, *online.RULES)
OF_FILES = listed.RULES
