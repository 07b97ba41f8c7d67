package graphhttp

import (
	"encoding/json"
	"net/http"
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/portico-bff/portico/bff-web/graph"
	"github.com/portico-bff/portico/bff-web/graph/compiled"
	"github.com/portico-bff/portico/bff-web/graph/load"
	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/limits"
)

// multipart writes an answer in parts, each as soon as it is there.
type multipart struct {
	out     *writer
	private bool
	begun   bool
	over    bool // what was sent is no answer in parts
	size    int  // of all parts so far, in bytes
}

// What stands around the parts. A part is complete, to who reads it, once the delimiter
// behind it has come: it is sent with the part.
const (
	opening   = "---\r\n"
	partHead  = "Content-Type: application/json; charset=utf-8\r\n\r\n"
	delimiter = "\r\n---\r\n"
	closing   = "\r\n-----\r\n"
)

var multipartType = []string{`multipart/mixed; boundary="-"; deferSpec=` + deferSpec}

// first sends what is answered at once; more says that other parts follow. It answers false
// when nobody reads them.
func (m *multipart) first(made outcome, more bool) bool {
	m.begun = true
	doc := made.document()
	doc.whole = nil
	body, ok := render(doc)
	if !ok {
		m.over = true
		m.out.Header().Set("Cache-Control", "no-store")
		m.out.body(http.StatusInternalServerError, body)
		return false
	}
	m.out.remember(made)
	m.out.timed(made.spent, cache.Bypass)
	h := m.out.Header()
	h["Content-Type"] = multipartType
	h["X-Content-Type-Options"] = nosniff
	h["Cache-Control"] = []string{"no-store"}
	if m.private {
		h["Cache-Control"] = []string{ownersOnly}
	}
	h["X-Accel-Buffering"] = []string{"no"} // a proxy on the way must not wait for the rest
	m.out.WriteHeader(http.StatusOK)
	rest := `,"hasNext":false}`
	if more {
		rest = `,"hasNext":true}`
	}
	return m.send(opening, append(body[:len(body)-1:len(body)-1], rest...), !more)
}

// incremental is a deferred fragment of one object.
type incremental struct {
	Label      *string         `json:"label,omitempty"`
	Path       []any           `json:"path"`
	Errors     gqlerror.List   `json:"errors,omitempty"`
	Data       json.RawMessage `json:"data"` // null: it must be
	Extensions map[string]any  `json:"extensions,omitempty"`
}

type payload struct {
	Incremental []incremental  `json:"incremental,omitempty"`
	HasNext     bool           `json:"hasNext"`
	Extensions  map[string]any `json:"extensions,omitempty"`
}

// later sends parts that have come since, each with what is said of the freshness in it.
func (m *multipart) later(parts []compiled.Part, freshness []load.Report, more bool) bool {
	p := payload{HasNext: more}
	about := compiled.ByPlace(freshness, len(parts[0].Path), func(r load.Report) ast.Path { return r.Path })
	for i := range parts {
		p.Incremental = append(p.Incremental, incrementalOf(&parts[i], about[parts[i].Path.String()]))
	}
	body, err := json.Marshal(p)
	if err != nil || m.size+len(body) > limits.MaxResponseBytes {
		for i := range p.Incremental {
			p.Incremental[i].Data, p.Incremental[i].Extensions = nil, nil
			p.Incremental[i].Errors = gqlerror.List{{Message: "the answer is too large", Path: parts[i].Path, Extensions: map[string]any{"code": graph.CodeTooLarge}}}
		}
		if body, err = json.Marshal(p); err != nil {
			return false
		}
	}
	var errs gqlerror.List
	for i := range p.Incremental {
		errs = append(errs, p.Incremental[i].Errors...)
	}
	m.out.note(errs, freshness, len(parts[0].Path) == 0 && p.Incremental[0].Data == nil)
	return m.send("", body, !more)
}

func incrementalOf(part *compiled.Part, freshness []load.Report) incremental {
	in := incremental{Label: part.Label, Path: []any{}, Errors: part.Errors, Data: part.Data}
	for _, step := range part.Path {
		in.Path = append(in.Path, step)
	}
	if len(freshness) > 0 {
		in.Extensions = map[string]any{"freshness": freshness}
	}
	return in
}

// last ends an answer with what is said of all of it.
func (m *multipart) last(extensions map[string]any) {
	if m.over {
		return
	}
	if body, err := json.Marshal(payload{Extensions: extensions}); err == nil {
		m.send("", body, true)
	}
}

// send sends a part and flushes it. It answers false when nobody reads it.
func (m *multipart) send(before string, body []byte, last bool) bool {
	m.size += len(body)
	behind := delimiter
	if last {
		behind = closing
	}
	text := slices.Concat([]byte(before), []byte(partHead), body, []byte(behind))
	if _, err := m.out.Write(text); err != nil {
		return false
	}
	return http.NewResponseController(m.out.ResponseWriter).Flush() == nil
}
