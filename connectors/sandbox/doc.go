// Package sandbox imitates every upstream in its own dialect over one shared
// [world.World], and lets faults be set while it runs. It is a set of
// [http.Handler]s first (tests use httptest) and a binary second.
//
// Below /_sandbox/ it is controlled: faults, counted calls, sent bytes, tokens.
// See [Server.Handler] for the routes.
package sandbox
