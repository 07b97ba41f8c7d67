package documents

import (
	"net/http"
	"regexp"
)

// Client is who sends a request, by its own account: it proves nothing and decides
// nothing, and is for counting only. The zero value is a client that does not say, or
// says it in letters that are not allowed.
type Client struct {
	Name    string `json:"client"`
	Version string `json:"version"`
}

// The headers in which a client names itself, in their canonical form; ours count
// where there are both.
const (
	nameHeader    = "X-Client-Name"
	versionHeader = "X-Client-Version"
	apolloName    = "Apollographql-Client-Name"
	apolloVersion = "Apollographql-Client-Version"
)

// names are what clients, and in them versions, may be called: they become parts of
// paths, of Redis fields and of metrics.
var names = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)

// ClientOf is who a request's headers name.
func ClientOf(h http.Header) Client {
	c := Client{said(h, nameHeader, apolloName), said(h, versionHeader, apolloVersion)}
	if c.Name == "" || c.Version == "" || !names.MatchString(c.Name) || !names.MatchString(c.Version) {
		return Client{}
	}
	return c
}

// said is the one value of the first of two headers that is there.
func said(h http.Header, own, other string) string {
	values := h[own]
	if len(values) == 0 {
		values = h[other]
	}
	if len(values) != 1 {
		return ""
	}
	return values[0]
}
