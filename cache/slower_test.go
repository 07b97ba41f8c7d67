//go:build !cachehash

package cache

// slower is by how much tests of many rounds take longer in this build.
const slower = 1
