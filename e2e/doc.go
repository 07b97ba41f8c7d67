// Package e2e holds the tests that need servers: real processes, real sockets, a
// real Redis. They carry the build tag e2e, so that `go test work` needs none:
//
//	make e2e
package e2e
