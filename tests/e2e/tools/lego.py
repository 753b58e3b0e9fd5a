"""lego, the ACME client in Traefik, without its two hundred DNS providers: some of their modules are on few module proxies.

No test has Traefik ask for a certificate.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.e2e.tools.flux_manifests import copy_of

_NONE = """\
// Package dns knows no providers.
package dns

import (
	"errors"

	"github.com/go-acme/lego/v5/challenge"
)

// NewDNSChallengeProviderByName finds none.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("there is no provider " + name)
}
"""


def lay_out(module: Path, tool: Path, folder: Path) -> None:
    """A copy of a tool's folder, with lego beside it, where its go.mod looks for it."""
    shutil.copytree(tool, folder)
    lego = folder / "lego"
    copy_of(module, lego)
    providers = lego / "providers/dns"
    shutil.rmtree(providers)
    providers.mkdir()
    (providers / "none.go").write_text(_NONE)
