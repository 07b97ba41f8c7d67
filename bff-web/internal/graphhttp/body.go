package graphhttp

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"unicode/utf8"

	"github.com/portico-bff/portico/edge/limits"
)

// refusal is a request that is not a GraphQL request at all.
type refusal struct {
	status  int
	code    string
	message string
	field   string // the field that is to blame; may be empty
}

// Error is the message. It never holds a part of the body.
func (r *refusal) Error() string { return r.message }

func malformed(message, field string) error {
	return &refusal{http.StatusBadRequest, "BAD_REQUEST", message, field}
}

// take takes in the body of a POST request; a GET request has none.
func take(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method == http.MethodGet {
		return nil, nil
	}
	if err := checkContent(r.Header); err != nil {
		return nil, err
	}
	if taken, ok := r.Body.(interface{ Whole() ([]byte, bool) }); ok {
		if body, whole := taken.Whole(); whole { // it lies in memory already
			return body, nil
		}
	}
	if n := r.ContentLength; n > 0 && n <= limits.MaxGraphQLBody {
		body := make([]byte, n)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, malformed("the body could not be read", "")
		}
		return body, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limits.MaxGraphQLBody))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return nil, &refusal{http.StatusRequestEntityTooLarge, "PAYLOAD_TOO_LARGE", "the body is larger than 32 KiB", ""}
	}
	if err != nil {
		return nil, malformed("the body could not be read", "")
	}
	return body, nil
}

// read reads the parameters of a POST request with body, or of a GET request.
func read(r *http.Request, body []byte) (*parameters, error) {
	if r.Method == http.MethodGet {
		return readURL(r.URL)
	}
	return decode(body)
}

func checkContent(h http.Header) error {
	if !isJSON(only(h["Content-Type"])) {
		return &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "the body must be application/json in UTF-8", ""}
	}
	if encoding := only(h["Content-Encoding"]); encoding != "" && encoding != "identity" {
		return &refusal{http.StatusUnsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", "the body must not be encoded", ""}
	}
	return nil
}

// only is a header's value, of several the first.
func only(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}

func isJSON(contentType string) bool {
	if contentType == jsonType { // what everyone sends
		return true
	}
	mediaType, params, err := mime.ParseMediaType(contentType)
	charset, named := params["charset"]
	return err == nil && mediaType == jsonType && (!named || charset == "utf-8" || charset == "UTF-8")
}

// readURL reads a GET request; its variables are JSON in a parameter.
func readURL(u *url.URL) (*parameters, error) {
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, malformed("the URL's query could not be read", "")
	}
	fields := map[string]json.RawMessage{}
	for _, name := range []string{"query", "documentId", "operationName"} {
		if values.Has(name) {
			text, _ := json.Marshal(values.Get(name)) // a string always encodes
			fields[name] = text
		}
	}
	for _, name := range []string{"variables", "extensions"} {
		if text := values.Get(name); text != "" {
			if err := shallow(text, maxParameterNesting, name); err != nil {
				return nil, err
			}
			fields[name] = json.RawMessage(text)
		}
	}
	return params(fields)
}

// decode reads a body strictly: one object, known fields in their exact spelling
// and once each, and nothing behind it. What it answers shares no memory with body.
func decode(body []byte) (*parameters, error) {
	if err := shallow(body, 1+maxParameterNesting, ""); err != nil { // the body is an object itself
		return nil, err
	}
	if p, ok := (&scan{text: body}).read(); ok {
		return p, nil
	}
	return strictly(body)
}

// strictly reads a body and says what is wrong with it.
func strictly(body []byte) (*parameters, error) {
	if !utf8.Valid(body) {
		return nil, malformed("the body is not UTF-8", "")
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); len(trimmed) > 0 && trimmed[0] == '[' {
		return nil, malformed("the body must be one object; batches are not supported", "")
	}
	if !json.Valid(body) {
		return nil, malformed("the body is not JSON", "")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, malformed("the body must be an object", "")
	}
	fields := map[string]json.RawMessage{}
	for dec.More() {
		token, err := dec.Token()
		name, ok := token.(string)
		if err != nil || !ok {
			return nil, malformed("the body is not JSON", "")
		}
		if !known[name] {
			return nil, malformed("unknown field in the body", clip(name))
		}
		if _, twice := fields[name]; twice {
			return nil, malformed("a field is there twice", name)
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, malformed("the body is not JSON", "")
		}
		fields[name] = value
	}
	return params(fields)
}

var known = map[string]bool{"query": true, "documentId": true, "variables": true, "operationName": true, "extensions": true}

// clip keeps a client's field name short enough to name it back.
func clip(name string) string {
	for i := range name {
		if i >= 64 {
			return name[:i]
		}
	}
	return name
}

func params(fields map[string]json.RawMessage) (*parameters, error) {
	var p parameters
	targets := []struct {
		name   string
		target any
		what   string
	}{
		{"query", &p.Query, "must be a string"},
		{"documentId", &p.document, "must be a string"},
		{"operationName", &p.OperationName, "must be a string"},
		{"variables", &p.Variables, "must be an object"},
		{"extensions", &p.Extensions, "must be an object"},
	}
	for _, t := range targets {
		value, ok := fields[t.name]
		if !ok || bytes.Equal(value, []byte("null")) {
			continue
		}
		dec := json.NewDecoder(bytes.NewReader(value))
		dec.UseNumber()
		if err := dec.Decode(t.target); err != nil || dec.More() {
			return nil, malformed(t.name+" "+t.what, t.name)
		}
	}
	return &p, nil
}
