// Package commercetest holds the executable contract of every port, and a fake
// company that keeps them all.
//
// A connector runs the contract of each port it offers against its upstream's
// imitation; the cache runs them through its decorators; the fake runs them too,
// so that what is asked of others is known to be possible. A contract reads what
// to ask for from a [Fixture].
package commercetest
