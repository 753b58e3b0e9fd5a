"""What takes more than the files: kustomize, chart repositories and registries, asked only with `--online` or where installed."""
