//go:build !cachehash

package bffmobile

// slower is by how much tests of many requests, one after the other, take longer in this build.
const slower = 1
