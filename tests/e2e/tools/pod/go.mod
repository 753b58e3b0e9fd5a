module fluxstead/tests/e2e/tools/pod

go 1.22
