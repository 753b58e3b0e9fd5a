"""The tree as Flux sees it: files, documents, directories, Kustomizations, and what was committed before."""
