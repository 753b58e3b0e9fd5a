"""Findings in the forms that people and programs read: text, JSON, GitHub's annotations and SARIF."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from fluxstead.core.findings import Finding, report
from fluxstead.roster import all_checks

FORMATS = ("text", "json", "github", "sarif")
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m"}


def formatted(findings: Sequence[Finding], how: str) -> str:
    """The findings, sorted, in one of `FORMATS`."""
    found = sorted(findings)
    match how:
        case "json":
            return json.dumps([as_json(finding) for finding in found], indent=1, ensure_ascii=False)
        case "github":
            return "\n".join(map(_annotation, found))
        case "sarif":
            return json.dumps(_sarif(found), indent=1, ensure_ascii=False)
        case _:
            return report(found) if found else ""


def coloured(text: str) -> str:
    """The text form, for a terminal: each finding's severity stands out (ECMA-48, SGR)."""
    return re.sub(
        r"^(.+?:\d+: )(error|warning)( \[)",
        lambda found: f"{found[1]}{_COLOURS[found[2]]}{found[2]}\x1b[0m{found[3]}",
        text,
        flags=re.MULTILINE,
    )


def as_json(finding: Finding) -> dict[str, str | int]:
    """A finding for programs to read."""
    return {
        "id": finding.id,
        "severity": str(finding.severity),
        "file": finding.source.file,
        "line": finding.source.line,
        "what": finding.what,
        "why": finding.why,
        "write": finding.fix,
    }


def _annotation(finding: Finding) -> str:
    """Shown beside the line in a pull request."""
    message = f"{finding.what}\nbecause: {finding.why}\nwrite: {finding.fix}"
    return workflow_command(
        str(finding.severity), message, file=finding.source.file, line=str(finding.source.line), title=finding.id
    )


def workflow_command(command: str, message: str, **properties: str) -> str:
    """A line that GitHub Actions reads, escaped as its toolkit does (actions/toolkit, packages/core/src/command.ts)."""
    said = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{command} {said}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _sarif(findings: Sequence[Finding]) -> dict[str, Any]:
    """SARIF 2.1.0 (OASIS), which code scanning and editors read."""
    used = {finding.id for finding in findings}
    rules = [
        {"id": check.id, "shortDescription": {"text": check.says}, "properties": {"protects": check.protects}}
        for check in all_checks()
        if check.id in used
    ]
    results = [
        {
            "ruleId": finding.id,
            "level": str(finding.severity),
            "message": {"text": f"{finding.what}; because {finding.why}; write: {finding.fix}"},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": finding.source.file},
                        "region": {"startLine": finding.source.line},
                    }
                }
            ],
        }
        for finding in findings
    ]
    return {
        "version": "2.1.0",
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "runs": [{"tool": {"driver": {"name": "fluxstead", "rules": rules}}, "results": results}],
    }
