//go:build cachehash

package bffmobile

// slower is by how much tests of many requests, one after the other, take longer in this
// build, which hashes values whenever they are looked at, mostly under the race detector.
const slower = 10
