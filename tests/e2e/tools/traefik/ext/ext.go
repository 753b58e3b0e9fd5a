// Package ext is what Traefik's module leaves out of its published files: a place for extensions, of which there are none.
package ext

// HTTP extends the configuration of HTTP.
type HTTP struct{}

// Router extends a router.
type Router struct{}
