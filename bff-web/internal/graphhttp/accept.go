package graphhttp

import (
	"mime"
	"strconv"
	"strings"
)

// The media types of answers.
const (
	jsonType  = "application/json"
	graphType = "application/graphql-response+json"
)

// negotiate picks the answer's media type from an Accept header: what the client
// likes best, JSON when it does not say, and empty when it takes neither.
func negotiate(accept string) string {
	switch accept {
	case "", "*/*", jsonType: // what most send is not taken apart
		return jsonType
	case graphType:
		return graphType
	}
	if strings.TrimSpace(accept) == "" {
		return jsonType
	}
	best, bestQ := "", 0.0
	for _, part := range strings.Split(accept, ",") {
		mediaType, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		offer := mediaType
		if mediaType == "*/*" || mediaType == "application/*" {
			offer = jsonType
		}
		if offer != jsonType && offer != graphType {
			continue
		}
		if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
			continue
		}
		if q := quality(params["q"]); q > bestQ {
			best, bestQ = offer, q
		}
	}
	return best
}

func quality(text string) float64 {
	if text == "" {
		return 1
	}
	q, err := strconv.ParseFloat(text, 64)
	if err != nil || q < 0 || q > 1 {
		return 0
	}
	return q
}
