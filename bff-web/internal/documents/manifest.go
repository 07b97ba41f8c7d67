package documents

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Bounds of what is loaded.
const (
	MaxManifestBytes = 4 << 20  // of one manifest
	MaxManifests     = 256      // of one source
	MaxEntries       = 2_000    // documents of one manifest
	MaxTextBytes     = 32 << 20 // of all documents together, each text once
	maxID            = 128      // letters of an id
	maxProblems      = 20       // told of one manifest
)

var (
	errNoOperation = errors.New("holds no operation")
	errNotUTF8     = errors.New("is not UTF-8")
	errNotObject   = errors.New("is no JSON object of ids and documents")
)

// ids are letters that need no escaping in a URL, so that one can be sent by GET as it is.
var ids = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:~-]{0,127}$`)

// digits are those of a SHA-256. In capitals they stand for nothing: we write them small.
var digits = regexp.MustCompile(`^[0-9A-Fa-f]{64}$`)

// entry is one document as a manifest has it.
type entry struct {
	id   string
	text string
	hash [sha256.Size]byte // of text
}

// issue is what is wrong with a manifest; id is empty when it is about all of it.
type issue struct {
	id    string
	cause string
}

// parse reads a manifest: a JSON object of ids and documents, as graphql-codegen's
// client preset writes it. It is strict: an id that claims to be a SHA-256 has to be
// that of its document, and no id stands for two documents.
func parse(data []byte) ([]entry, []issue) {
	if len(data) > MaxManifestBytes {
		return nil, []issue{{cause: tooLarge(len(data))}}
	}
	if !utf8.Valid(data) { // the decoder would replace what is not
		return nil, []issue{{cause: errNotUTF8.Error()}}
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, []issue{{cause: errNotObject.Error()}}
	}
	p := &parsing{texts: map[string]string{}}
	for dec.More() {
		if err := p.member(dec); err != nil {
			return nil, append(p.issues, issue{cause: err.Error()})
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, append(p.issues, issue{cause: notJSON(dec)})
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, append(p.issues, issue{cause: "holds more than one JSON object"})
	}
	if len(p.entries) == 0 && len(p.issues) == 0 {
		p.issues = append(p.issues, issue{cause: "holds no documents"})
	}
	return p.entries, p.issues
}

func tooLarge(size int) string {
	return fmt.Sprintf("has %d bytes; a manifest has at most %d", size, MaxManifestBytes)
}

func notJSON(dec *json.Decoder) string {
	return fmt.Sprintf("is not JSON: the text ends or breaks at byte %d", dec.InputOffset())
}

// parsing is a manifest that is being read.
type parsing struct {
	entries []entry
	issues  []issue
	texts   map[string]string // by id
}

// member reads one id with its document. An error ends the reading.
func (p *parsing) member(dec *json.Decoder) error {
	token, err := dec.Token()
	id, ok := token.(string)
	if err != nil || !ok {
		return errors.New(notJSON(dec))
	}
	token, err = dec.Token()
	if err != nil {
		return errors.New(notJSON(dec))
	}
	text, ok := token.(string)
	if !ok {
		return fmt.Errorf("%w: what stands for %q is no text", errNotObject, clip(id))
	}
	if len(p.texts) >= MaxEntries {
		return fmt.Errorf("holds more than %d documents", MaxEntries)
	}
	p.add(id, text)
	return nil
}

func (p *parsing) add(id, text string) {
	before, twice := p.texts[id]
	e := entry{id: id, text: text, hash: sha256.Sum256([]byte(text))}
	switch {
	case twice && before == text:
		return
	case twice:
		p.refuse(id, "stands there twice, with different documents")
		return
	case !ids.MatchString(id):
		p.refuse(clip(id), fmt.Sprintf("an id is at most %d letters, digits and any of . _ : ~ -", maxID))
	case claimsHash(id) && strings.TrimPrefix(id, prefix) != hex.EncodeToString(e.hash[:]):
		p.refuse(id, "the document's SHA-256 is "+hex.EncodeToString(e.hash[:]))
	default:
		p.entries = append(p.entries, e)
	}
	p.texts[id] = text
}

// claimsHash tells whether an id is read as a SHA-256 by whoever asks for it, with the
// word before it or without: such an id is the text's own, so that nobody's manifest
// answers for a document of another.
func claimsHash(id string) bool { return strings.HasPrefix(id, prefix) || digits.MatchString(id) }

func (p *parsing) refuse(id, cause string) { p.issues = append(p.issues, issue{id, cause}) }

// clip keeps an id of who knows what short enough to be told.
func clip(id string) string {
	for i := range id {
		if i >= maxID {
			return id[:i] + "…"
		}
	}
	return id
}
