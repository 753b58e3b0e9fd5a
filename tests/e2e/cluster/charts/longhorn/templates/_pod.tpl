{{- /* A pod that nobody runs: the tests' nodes only say so. */ -}}
{{- define "pod" -}}
metadata:
  labels:
    app: {{ . }}
spec:
  containers:
    - name: {{ . }}
      image: example.test/{{ . }}:1
{{- end }}
