//go:build cachehash

package cache

// slower is by how much tests of many rounds take longer in this build, which hashes values
// whenever they are looked at, mostly under the race detector.
const slower = 20
