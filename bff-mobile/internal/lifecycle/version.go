package lifecycle

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Version is the version of an app: up to four numbers, the first one counting most.
// What is not written is 0, so that 2.4 and 2.4.0 are the same.
type Version [4]int

var versionPattern = regexp.MustCompile(`^[0-9]{1,4}(\.[0-9]{1,4}){0,3}$`)

// ParseVersion reads one to four numbers of up to four digits with dots between; ok is
// false for anything else.
func ParseVersion(text string) (v Version, ok bool) {
	if !versionPattern.MatchString(text) {
		return Version{}, false
	}
	for i, part := range strings.Split(text, ".") {
		v[i], _ = strconv.Atoi(part) // digits, and few of them
	}
	return v, true
}

// Compare is negative when v is older than other, positive when it is newer, else 0.
func (v Version) Compare(other Version) int {
	return slices.CompareFunc(v[:], other[:], cmp.Compare[int])
}
