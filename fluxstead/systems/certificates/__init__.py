"""Certificates: cert-manager with its issuer, or given ones, for every way in."""

from fluxstead.systems.certificates.manifests import issuer_of, plan
from fluxstead.systems.certificates.system import CERTIFICATES

__all__ = ["CERTIFICATES", "issuer_of", "plan"]
