"""The planted defects of how a tree is put together, by the id of the check that they are for."""

from __future__ import annotations

from collections.abc import Mapping

from tests.checks.planted import WEB, Planted, layer, obj, release

_COMPONENT = "components: [../common]\n"
_COMMON = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings, namespace: web}\ndata: {a: b}\n"

OF_TREES: Mapping[str, Planted] = {
    "versions/known-defect": Planted(
        files=layer("web", obj("Namespace", "ingress-nginx"), release("ingress-nginx/nginx", "ingress-nginx", "4.12.0")),
        cure=("version: 4.12.0", "version: 4.12.1"),
        says="ingress-nginx 4.12.0 has a known defect: every pod can run code in the controller",
    ),
    "references/bad-kustomization": Planted(
        files={**layer("web", WEB), "web/kustomization.yaml": "resources: [objects.yaml, .]\n"},
        cure=(", .", ""),
        says="web/kustomization.yaml lists its own folder: `.`",
    ),
    "ownership/system-namespace": Planted(
        files=layer("web", obj("Namespace", "flux-system")),
        cure=("metadata: {name: flux-system}\n", "metadata: {name: web}\n"),
        says="Flux may prune Namespace flux-system",
    ),
    "references/no-object": Planted(
        files={**layer("web", WEB), "web/values.yaml": "tag: 1.2.3\n"},
        cure=("tag: 1.2.3\n", "# none\n"),
        says="web/values.yaml holds no Kubernetes object: it has no kind",
    ),
    "tree/in-common": Planted(
        files={
            **layer("web", WEB),
            **layer("one", "", spec="dependsOn: [{name: web}]"),
            **layer("two", "", spec="dependsOn: [{name: web}]"),
            "one/kustomization.yaml": _COMPONENT,
            "two/kustomization.yaml": _COMPONENT + "# again\n",
            "common/kustomization.yaml": "kind: Component\nresources: [settings.yaml]\n",
            "common/settings.yaml": _COMMON,
        },
        cure=(f"{_COMPONENT}# again\n", "resources: [objects.yaml]\n"),
        says="ConfigMap web/settings in common/settings.yaml is applied by 2 Kustomizations: flux-system/one, flux-system/two",
    ),
    "versions/bounded-range": Planted(
        files=layer("web", WEB, release("web/site", "site", "'^55.0.0'")),
        cure=("'^55.0.0'", "55.5.0"),
        says="version `^55.0.0` of chart site",
    ),
    "versions/number": Planted(
        files=layer("web", WEB, release("web/site", "site", "1.10")),
        cure=("1.10", "'1.10.0'"),
        says="has the version 1.10, which YAML reads as the number 1.1",
        platform=None,
    ),
}
