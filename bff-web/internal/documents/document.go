package documents

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/portico-bff/portico/bff-web/internal/scope"
)

// prefix begins an id that says how it was made.
const prefix = "sha256:"

// Document is a published document, ready to be executed. It is shared by all
// requests and read-only but for its notes. There is one value for each text, which stays the same for
// as long as any manifest holds the text, so that it may be a key.
type Document struct {
	Hash [sha256.Size]byte // of Text
	Name string            // of its first operation; the beginning of its hash when that has none
	Text string            // as the manifest has it
	AST  *ast.QueryDocument
	// Notes are what those who execute the document have found out about it, under keys of
	// their own; they go with it.
	Notes sync.Map
}

// ID names the document by its text: "sha256:" and 64 hexadecimal digits.
func (d *Document) ID() string { return prefix + hex.EncodeToString(d.Hash[:]) }

type key struct{}

// Asked is r that named d.
func Asked(r *http.Request, d *Document) *http.Request { return scope.Put(r, key{}, d) }

// From is the document that a request named, or nil when it brought a text of its own.
func From(ctx context.Context) *Document {
	d, _ := ctx.Value(key{}).(*Document)
	return d
}

// Rules is what documents are held to when they are loaded.
type Rules struct {
	Schema *ast.Schema
	Tokens int                               // of a document, at most; 0 sets no bound
	Limit  func(text string) *gqlerror.Error // refuses what asks for too much; may be nil
	// Validation makes the rules of one validation; nil makes the specification's.
	Validation func() *rules.Rules
}

// document makes a document ready.
func (r Rules) document(text string, hash [sha256.Size]byte) (*Document, error) {
	tree, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, r.Tokens)
	if err != nil {
		return nil, fmt.Errorf("does not parse: %w", err)
	}
	if len(tree.Operations) == 0 {
		return nil, errNoOperation
	}
	if r.Limit != nil {
		if err := r.Limit(text); err != nil {
			return nil, fmt.Errorf("exceeds the limits: %s", err.Message)
		}
	}
	validation := r.Validation
	if validation == nil {
		validation = rules.NewDefaultRules
	}
	if errs := validator.ValidateWithRules(r.Schema, tree, validation()); len(errs) > 0 {
		return nil, fmt.Errorf("does not validate: %w", errs[0])
	}
	d := &Document{Hash: hash, Name: tree.Operations[0].Name, Text: text, AST: tree}
	if d.Name == "" {
		d.Name = hex.EncodeToString(hash[:6])
	}
	return d, nil
}
