"""Ingress controllers whose Ingresses share one address, so that two of them without a host answer the same requests.

Others give each Ingress an address or a name of its own: Tailscale's and Cloudflare's operators, the load balancers of clouds.
Sources: the `controller` of the IngressClass in each project's chart, and the name that the chart gives to the class.
"""

SHARING_CONTROLLERS = frozenset(
    {
        "haproxy-ingress.github.io/controller",
        "haproxy.org/ingress-controller/haproxy",
        "k8s.io/ingress-nginx",
        "projectcontour.io/projectcontour/contour",
        "traefik.io/ingress-controller",
    }
)
SHARING_CLASSES = frozenset({"contour", "haproxy", "nginx", "traefik"})
