package edge

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/schema/commerce"
)

const (
	maxInvalidateBody = 64 << 10
	maxInvalidated    = 1000
)

// invalidate drops what was made of the tags, or known of the keys, that a request
// names: {"tags": ["product:…"], "keys": [{"operation": "catalog.products", "key": "…"}]}.
func (b *Backend) invalidate(w http.ResponseWriter, r *http.Request) {
	if !b.admitted(r.Header.Values("Authorization")) {
		b.Log.LogAttrs(r.Context(), slog.LevelWarn, "invalidation refused")
		w.Header().Set("WWW-Authenticate", "Bearer")
		refuse(w, adminProblem{Type: "/problems/unauthenticated", Title: "Unauthenticated", Status: http.StatusUnauthorized})
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxInvalidateBody))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		refuse(w, adminProblem{Type: "/problems/too-large", Title: "Body too large", Status: http.StatusRequestEntityTooLarge, Detail: "A body may hold at most 65536 bytes."})
		return
	}
	if err != nil {
		refuse(w, adminProblem{Type: "/problems/request-timeout", Title: "Request too slow", Status: http.StatusRequestTimeout})
		return
	}
	tags, err := readInvalidation(body)
	if err != nil {
		refuse(w, invalidInput(err))
		return
	}
	err = b.cache.Invalidate(r.Context(), commerce.WithReference(tags)...)
	b.Log.LogAttrs(r.Context(), slog.LevelInfo, "invalidated by hand", slog.Int("tags", len(tags)), slog.Bool("told", err == nil))
	if err != nil {
		refuse(w, adminProblem{
			Type: "/problems/unavailable", Title: "Other processes do not know yet", Status: http.StatusServiceUnavailable, Invalidated: len(tags),
			Detail: "This process gives none of it any more. Redis cannot be told now; it is, as soon as it answers. There is no need to repeat the request.",
		})
		return
	}
	answer(w, http.StatusOK, "application/json; charset=utf-8", fmt.Appendf(nil, "{\"invalidated\":%d}\n", len(tags)))
}

// admitted tells whether a request brings the token. How long it takes says nothing
// about how near a wrong one is.
func (b *Backend) admitted(headers []string) bool {
	if len(headers) != 1 {
		return false
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	sent, want := sha256.Sum256([]byte(token)), sha256.Sum256([]byte(b.Config.Admin.Token))
	good := subtle.ConstantTimeCompare(sent[:], want[:]) == 1
	return good && strings.EqualFold(scheme, "Bearer") && b.Config.Admin.Token != ""
}

// invalidation reads a request, strictly: what is misspelt must not pass for done.
type invalidation struct {
	*json.Decoder
	tags []commerce.Tag
	seen map[commerce.Tag]bool
	n    int
}

// readInvalidation answers each tag once.
func readInvalidation(body []byte) ([]commerce.Tag, error) {
	if !utf8.Valid(body) || !json.Valid(body) {
		return nil, &commerce.InputError{Code: commerce.CodeInvalid, Message: "the body must be one JSON object in UTF-8"}
	}
	in := invalidation{Decoder: json.NewDecoder(bytes.NewReader(body)), seen: map[commerce.Tag]bool{}}
	err := in.object("", map[string]func(string) error{
		"tags": func(at string) error { return in.list(at, in.tag) },
		"keys": func(at string) error { return in.list(at, in.key) },
	})
	if err == nil && len(in.tags) == 0 {
		err = &commerce.InputError{Field: "tags", Code: commerce.CodeRequired, Message: "tags or keys must name something"}
	}
	return in.tags, err
}

func (in *invalidation) add(tag commerce.Tag) {
	if !in.seen[tag] {
		in.seen[tag] = true
		in.tags = append(in.tags, tag)
	}
}

func (in *invalidation) tag(at string) error {
	text, err := in.text(at)
	if err != nil {
		return err
	}
	tag, err := commerce.ParseTag(text)
	if err != nil {
		return placed(at, err)
	}
	in.add(tag)
	return nil
}

func (in *invalidation) key(at string) error {
	var op, text string
	err := in.object(at, map[string]func(string) error{
		"operation": func(at string) (err error) { op, err = in.text(at); return err },
		"key":       func(at string) (err error) { text, err = in.text(at); return err },
	})
	if err != nil {
		return err
	}
	tag, err := cache.TagOfKey(commerce.Operation(op), text)
	if wrong, ok := errors.AsType[*commerce.InputError](err); ok {
		return placed(at+"."+wrong.Field, err)
	}
	in.add(tag)
	return err
}

// object reads an object with none but the given members, each at most once.
func (in *invalidation) object(at string, members map[string]func(at string) error) error {
	if !in.opens('{') {
		return &commerce.InputError{Field: at, Code: commerce.CodeInvalid, Message: "must be an object"}
	}
	seen := map[string]bool{}
	for in.More() {
		token, _ := in.Token() // the body is JSON
		name, _ := token.(string)
		read, known := members[name]
		if !known || seen[name] {
			return &commerce.InputError{Field: at, Code: commerce.CodeUnsupported, Message: "has a member that is not known, or one twice"}
		}
		seen[name] = true
		if err := read(strings.TrimPrefix(at+"."+name, ".")); err != nil {
			return err
		}
	}
	_, _ = in.Token()
	return nil
}

func (in *invalidation) list(at string, item func(at string) error) error {
	if !in.opens('[') {
		return &commerce.InputError{Field: at, Code: commerce.CodeInvalid, Message: "must be an array"}
	}
	for i := 0; in.More(); i++ {
		if in.n++; in.n > maxInvalidated {
			return &commerce.InputError{Field: at, Code: commerce.CodeOutOfRange, Message: "tags and keys may be at most 1000"}
		}
		if err := item(fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	_, _ = in.Token()
	return nil
}

func (in *invalidation) opens(with json.Delim) bool {
	token, err := in.Token()
	return err == nil && token == with
}

func (in *invalidation) text(at string) (string, error) {
	token, _ := in.Token()
	text, ok := token.(string)
	if !ok {
		return "", &commerce.InputError{Field: at, Code: commerce.CodeInvalid, Message: "must be a text"}
	}
	return text, nil
}

// placed is an input error at another place.
func placed(at string, err error) error {
	wrong, ok := errors.AsType[*commerce.InputError](err)
	if !ok {
		return err
	}
	there := *wrong
	there.Field = at
	return &there
}
