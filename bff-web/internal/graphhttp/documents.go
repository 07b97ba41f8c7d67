package graphhttp

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/portico-bff/portico/bff-web/internal/documents"
	"github.com/portico-bff/portico/cache"
)

// The codes in extensions.code of requests that name no document that is published.
const (
	CodeDocumentUnknown  = "DOCUMENT_UNKNOWN"
	CodeDocumentRequired = "DOCUMENT_REQUIRED"
)

// parameters are what a request asks for.
type parameters struct {
	graphql.RawParams
	document string // documentId; empty when there is none
}

// sha256Pattern is a hash as clients of persisted queries send it: bare, or as codegen
// names the document.
var sha256Pattern = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// trusted has r carry the document that it names, and p its text. What is no published
// document is refused here, before anything is parsed. A text of its own is taken in
// open mode only, and there as it is.
func (t *Transport) trusted(r *http.Request, p *parameters) (*http.Request, error) {
	hash, err := p.persisted()
	switch {
	case err != nil:
		return r, err
	case !t.Documents.Opens() && (p.Query != "" || p.document == "" && hash == ""):
		t.Documents.Refused()
		return r, &refusal{http.StatusBadRequest, CodeDocumentRequired, "free text is not answered here: send the documentId of a published document, and no query", "documentId"}
	case p.Query != "" && p.document != "":
		return r, malformed("send either documentId or query", "documentId")
	case p.Query != "":
		return r, nil
	case p.document == "" && hash == "":
		return r, malformed("query is required", "query")
	case p.document != "" && hash != "" && strings.TrimPrefix(p.document, "sha256:") != hash:
		return r, malformed("documentId and extensions.persistedQuery name two documents", "documentId")
	}
	return t.found(r, p, hash)
}

// found is r with the document that p names by its id, or else by its hash.
func (t *Transport) found(r *http.Request, p *parameters, hash string) (*http.Request, error) {
	id, field := p.document, "documentId"
	if id == "" {
		id, field = hash, "extensions.persistedQuery.sha256Hash"
	}
	ready := t.Documents.Ready()
	d := t.Documents.Find(id)
	switch {
	case d == nil && !ready:
		return r, &refusal{http.StatusServiceUnavailable, "UNAVAILABLE", "the published documents are not loaded yet", field}
	case d == nil:
		return r, &refusal{http.StatusBadRequest, CodeDocumentUnknown, "no published document has this id; texts are never registered by a request", field}
	}
	p.Query = d.Text
	delete(p.Extensions, "persistedQuery") // it has been answered, and asks for nothing else
	return documents.Asked(r, d), nil
}

// persisted is the hash of the form in which Apollo's clients name a document, or
// empty: {"persistedQuery":{"version":1,"sha256Hash":"…"}} in extensions.
func (p *parameters) persisted() (string, error) {
	value, ok := p.Extensions["persistedQuery"]
	if !ok {
		return "", nil
	}
	form, _ := value.(map[string]any)
	hash, _ := form["sha256Hash"].(string)
	if form["version"] != json.Number("1") || !sha256Pattern.MatchString(hash) {
		return "", malformed("persistedQuery must be {version: 1, sha256Hash: 64 hexadecimal digits}", "extensions.persistedQuery")
	}
	return strings.TrimPrefix(hash, "sha256:"), nil
}

// used counts a request that is answered from d, or nil, which is none: what is refused
// uses nothing.
func (t *Transport) used(r *http.Request, d *documents.Document) {
	if d != nil {
		t.Documents.Used(documents.ClientOf(r.Header), d, t.cameIn(r.Context()))
	}
}

// usedAgain counts a request that was answered by its letters: the answer knows of
// which document it is.
func (t *Transport) usedAgain(r *http.Request, answer *cache.Answer) {
	d, _ := answer.Of.(*documents.Document)
	t.used(r, d)
}

// letters are those of a request, after the edition of what is published: it
// decides which letters are answered, so that they are worth nothing once it has changed.
func (in *received) letters(b []byte, r *http.Request) []byte {
	return lettersOf(appendEdition(b, in.edition), r, in.body)
}

func appendEdition(b []byte, edition uint64) []byte {
	return binary.LittleEndian.AppendUint64(b, edition)
}

// hashOf names a text; that of a published document is known.
func hashOf(ctx context.Context, text string) [sha256.Size]byte {
	if d := documents.From(ctx); d != nil {
		return d.Hash
	}
	return sha256.Sum256([]byte(text))
}

// Queries is a cache of parsed queries to which a published document is known before
// anything is parsed.
type Queries struct {
	graphql.Cache[*ast.QueryDocument]
}

// Get is the parsed document that the request named, or what is kept of its text.
func (q Queries) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	if d := documents.From(ctx); d != nil {
		return d.AST, true
	}
	return q.Cache.Get(ctx, text)
}
