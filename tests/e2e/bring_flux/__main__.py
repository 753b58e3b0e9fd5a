"""A program that only brings Flux in, into a cluster that is there already: its kubeconfig is named by FLUXSTEAD_KUBECONFIG."""

import os
from pathlib import Path

import pulumi

from components.engine import project, quiet_interrupt
from components.flux import register_flux
from fluxstead.embedded import run_program

root, stack = project()
assembled = run_program(root, stack).assembled
if assembled is None:
    raise pulumi.RunError("the description has errors")
quiet_interrupt()
register_flux(assembled, Path(root), os.environ["FLUXSTEAD_KUBECONFIG"])
