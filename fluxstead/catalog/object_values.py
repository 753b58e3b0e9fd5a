"""Where charts take whole objects among their values, which they install besides their own.

Sources: the values.yaml of traefik-helm-chart, prometheus-community and grafana charts (`extraObjects`), bitnami/charts
(`extraDeploy`), kube-prometheus-stack (`extraManifests`): a list, or a mapping of names to objects; a text is a template of one.
"""

OBJECT_VALUES = ("extraObjects", "extraDeploy", "extraManifests")
