"""The Gateway API's kinds, which k3s brings, and some charts (kubernetes-sigs/gateway-api, config/crd/standard)."""

from __future__ import annotations

from fluxstead.catalog.brings.model import kinds

GATEWAY_API = kinds("gateway.networking.k8s.io", "GatewayClass Gateway GRPCRoute HTTPRoute ReferenceGrant")
GATEWAY_API_1_4 = GATEWAY_API | kinds("gateway.networking.k8s.io", "BackendTLSPolicy")
GATEWAY_API_1_5 = GATEWAY_API_1_4 | kinds("gateway.networking.k8s.io", "ListenerSet TLSRoute")
"""The standard channel as it grew; 1.4 and 1.5 are its own versions."""
