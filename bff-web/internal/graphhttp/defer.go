package graphhttp

import (
	"mime"
	"net/http"
	"strings"
)

// An operation that defers fragments is answered in parts, as multipart/mixed: the form of
// GraphQL's incremental delivery that its proposal of 2022-08-24 describes.

// deferSpec names that form among the parameters of a media type.
const deferSpec = "20220824"

// CodeDeferNotAccepted is extensions.code of an operation that defers fragments, of a
// client that does not take parts.
const CodeDeferNotAccepted = "DEFER_NOT_ACCEPTED"

var errWhole = &refusal{
	http.StatusNotAcceptable, CodeDeferNotAccepted,
	"the operation defers fragments: accept multipart/mixed;deferSpec=" + deferSpec + ", or ask without @defer", "Accept",
}

// otherSpecs are parameters of multipart/mixed by which a client asks for a form of parts
// that is not ours.
var otherSpecs = []string{"incrementalspec", "subscriptionspec"}

// takesParts tells whether a client takes answers in parts: it must name their type. Who does
// not say in which form takes this one. Named tells that it asks for this form and no other.
func takesParts(h http.Header) (takes, named bool) {
	for part := range strings.SplitSeq(strings.Join(h["Accept"], ","), ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil || mediaType != "multipart/mixed" || quality(params["q"]) == 0 {
			continue
		}
		spec, own := params["deferspec"]
		if own && spec != deferSpec || !own && hasAny(params, otherSpecs) {
			continue
		}
		takes, named = true, named || own
	}
	return takes, named
}

func hasAny(params map[string]string, names []string) bool {
	for _, name := range names {
		if _, ok := params[name]; ok {
			return true
		}
	}
	return false
}

// answersIn is the media type of answers in one part: JSON for who asks for parts alone.
func answersIn(h http.Header) string {
	mediaType := negotiate(only(h["Accept"]))
	if mediaType != "" {
		return mediaType
	}
	if _, named := takesParts(h); named {
		return jsonType
	}
	return ""
}
