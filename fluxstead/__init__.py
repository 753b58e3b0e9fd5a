"""fluxstead: one typed description becomes prepared disks and a checked Flux tree."""
