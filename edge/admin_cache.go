package edge

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"strings"

	"github.com/portico-bff/portico/cache"
	"github.com/portico-bff/portico/edge/config"
	"github.com/portico-bff/portico/schema/commerce"
)

// AdminConfig says what the admin address may change.
type AdminConfig struct {
	Token commerce.Secret `env:"ADMIN_TOKEN" doc:"Bearer token of POST /invalidate on the admin address, of at least 16 characters; without one there is no such endpoint."`
}

// leastAdminToken is how many characters the token has at least.
const leastAdminToken = 16

// Validate checks the token's length.
func (c AdminConfig) Validate() error {
	if c.Token != "" && len(c.Token) < leastAdminToken {
		return config.Bad("ADMIN_TOKEN", "must have at least 16 characters")
	}
	return nil
}

// mountCache adds what the admin address says of the cache.
func (b *Backend) mountCache(mux *http.ServeMux) {
	mux.HandleFunc("GET /cache", b.cacheState)
	mux.HandleFunc("GET /cache/explain", b.cacheExplain)
	if b.Config.Admin.Token != "" {
		mux.HandleFunc("POST /invalidate", b.invalidate)
	}
}

// cacheState answers how the cache stands: [cache.State] and [cache.AnswersState], one
// line for each operation.
func (b *Backend) cacheState(w http.ResponseWriter, _ *http.Request) {
	state := b.cache.Inspect()
	var p sheet
	p.member("memory", state.Memory)
	p.member("redis", state.Redis)
	p.member("invalidations", state.Invalidations)
	p.member("answers", b.Answers.Inspect())
	lines(&p, "operations", state.Operations)
	answer(w, http.StatusOK, "application/json; charset=utf-8", p.bytes())
}

// cacheExplain answers [cache.Explanation], one line for each entry and flight.
func (b *Backend) cacheExplain(w http.ResponseWriter, r *http.Request) {
	if values, err := url.ParseQuery(r.URL.RawQuery); err == nil && values.Has("tag") {
		b.cacheTagged(w, values)
		return
	}
	q, err := readQuery(r.URL.RawQuery)
	var told cache.Explanation
	if err == nil {
		told, err = b.cache.Explain(r.Context(), q, b.places())
	}
	if err != nil {
		refuse(w, invalidInput(err))
		return
	}
	entries, flights := told.Entries, told.Flights
	told.Entries, told.Flights = nil, nil
	var p sheet
	p.head(told, `,"entries":null,"flights":null`)
	lines(&p, "entries", entries)
	lines(&p, "flights", flights)
	answer(w, http.StatusOK, "application/json; charset=utf-8", p.bytes())
}

// maxTag bounds a tag that is asked about, in bytes.
const maxTag = 128

// cacheTagged answers [cache.Tagged], one line for each entry and answer.
func (b *Backend) cacheTagged(w http.ResponseWriter, values url.Values) {
	tag := values.Get("tag")
	switch {
	case len(values) > 1 || len(values["tag"]) > 1:
		refuse(w, invalidInput(&commerce.InputError{Field: "tag", Code: commerce.CodeInvalid, Message: "must be the only parameter"}))
		return
	case tag == "" || len(tag) > maxTag:
		refuse(w, invalidInput(&commerce.InputError{Field: "tag", Code: commerce.CodeInvalid, Message: "must have 1 to 128 bytes"}))
		return
	}
	told := b.cache.Tagged(commerce.Tag(tag), b.Answers)
	var p sheet
	p.member("tag", told.Tag)
	p.member("more", told.More)
	lines(&p, "entries", told.Entries)
	lines(&p, "answers", told.Answers)
	answer(w, http.StatusOK, "application/json; charset=utf-8", p.bytes())
}

// readQuery takes each parameter once and none that is not known: a misspelt one
// would answer about something else.
func readQuery(raw string) (cache.Query, error) {
	values, err := url.ParseQuery(raw)
	if err != nil {
		return cache.Query{}, &commerce.InputError{Code: commerce.CodeInvalid, Message: "the query cannot be read"}
	}
	var q cache.Query
	targets := map[string]*string{
		"operation": (*string)(&q.Operation), "key": &q.Key, "group": (*string)(&q.Group),
		"channel": &q.Market.Channel, "locale": &q.Market.Locale, "currency": &q.Market.Currency, "country": &q.Market.Country,
	}
	for name, list := range values {
		target, known := targets[name]
		switch {
		case !known:
			return q, &commerce.InputError{Code: commerce.CodeUnsupported, Message: "parameters are operation, key, channel, locale, currency, country, group"}
		case len(list) != 1:
			return q, &commerce.InputError{Field: name, Code: commerce.CodeInvalid, Message: "must be there once"}
		}
		*target = list[0]
	}
	if q.Operation == "" {
		return q, &commerce.InputError{Field: "operation", Code: commerce.CodeRequired, Message: "is required"}
	}
	return q, nil
}

// places are the configured markets, each of whose combinations may be in Redis.
func (b *Backend) places() cache.Places {
	cfg := b.Config.Markets
	p := cache.Places{Locales: cfg.Locales, Currencies: cfg.Currencies, Countries: cfg.Countries, Groups: []commerce.PriceGroup{"retail"}}
	for _, text := range cfg.Channels {
		name, _, _ := strings.Cut(strings.TrimSpace(text), "=")
		p.Channels = append(p.Channels, name)
	}
	for _, text := range cfg.PriceGroups {
		if _, group, ok := strings.Cut(strings.TrimSpace(text), "="); ok {
			p.Groups = append(p.Groups, commerce.PriceGroup(group))
		}
	}
	return p
}

// adminProblem is an answer of RFC 9457.
type adminProblem struct {
	Type        string        `json:"type"`
	Title       string        `json:"title"`
	Status      int           `json:"status"`
	Detail      string        `json:"detail,omitempty"`
	Field       string        `json:"field,omitempty"`
	Code        commerce.Code `json:"code,omitempty"`
	Invalidated int           `json:"invalidated,omitempty"`
}

// invalidInput names what is wrong with a request; no value that was sent is in it.
func invalidInput(err error) adminProblem {
	p := adminProblem{Type: "/problems/invalid-input", Title: "Invalid input", Status: http.StatusBadRequest}
	if wrong, ok := errors.AsType[*commerce.InputError](err); ok {
		p.Detail, p.Field, p.Code = wrong.Message, wrong.Field, wrong.Code
	}
	return p
}

func refuse(w http.ResponseWriter, p adminProblem) {
	body, _ := json.Marshal(p) // texts and numbers
	answer(w, p.Status, "application/problem+json", append(body, '\n'))
}

// sheet writes an object for people who look at it with curl: each member on a line.
type sheet struct {
	out   bytes.Buffer
	count int
}

func (p *sheet) begin(name string) {
	start := "{"
	if p.count > 0 {
		start = ",\n "
	}
	p.count++
	p.out.WriteString(start)
	p.out.WriteString(`"` + name + `": `)
}

func (p *sheet) member(name string, v any) {
	p.begin(name)
	p.out.Write(marshalled(v))
}

// head writes v's own members but those at its end.
func (p *sheet) head(v any, but string) {
	p.count++
	p.out.Write(bytes.TrimSuffix(marshalled(v), []byte(but+"}")))
}

func (p *sheet) bytes() []byte {
	p.out.WriteString("}\n")
	return p.out.Bytes()
}

// lines writes a list, each item on a line.
func lines[T any](p *sheet, name string, list []T) {
	p.begin(name)
	p.out.WriteByte('[')
	for i, item := range list {
		separate(&p.out, i, "\n  ")
		p.out.Write(marshalled(item))
	}
	p.out.WriteByte(']')
}

// marshalled is v, whose type always can be written.
func marshalled(v any) []byte {
	line, err := json.Marshal(v)
	if err != nil {
		slog.Error("state cannot be written", slog.Any("error", err))
		return []byte("null")
	}
	return line
}
