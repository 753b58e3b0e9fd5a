module fluxstead/tests/e2e/tools/flux

go 1.26.0

tool github.com/fluxcd/flux2/v2/cmd/flux

require github.com/fluxcd/flux2/v2 v2.9.5
