package events

import (
	"context"
	"strings"

	"github.com/portico-bff/portico/schema/commerce"
)

// Change is an event that was understood: what it is known by, and the tags of what
// is out of date.
type Change struct {
	ID     string // the sender's
	Source string // the role: "pim"
	Type   string
	Tags   []commerce.Tag // maybe none

	mapped bool // the system's own mapper has seen it
}

// Apply has the answers of all changes dropped. With an error some nodes may not
// know of it yet: the changes have to come again.
type Apply func(ctx context.Context, changes []Change) error

// Queue takes changes that were received.
type Queue interface {
	// Put takes a change. It is false, and nothing happens, when one with its source
	// and id was put within the last quarter of an hour. With an error, which is
	// [commerce.ErrUnavailable], the sender has to send it again.
	Put(ctx context.Context, change Change) (fresh bool, err error)
}

// Source hands over changes that wait somewhere: a stream, a broker.
type Source interface {
	// Run hands changes to apply until ctx ends, and waits for the last one. What
	// apply refuses is handed over again later. It outlives outages by itself.
	Run(ctx context.Context, apply Apply)
}

// Mapper is what is known of the events of a system.
type Mapper struct {
	Kind    string // of the system: "pimcore"
	Changes func(commerce.ChangeEvent) ([]commerce.Tag, error)
}

// TypeInvalidate is the type of events whose data names tags itself.
const TypeInvalidate = "portico.invalidate"

// maxTags bounds what one event may name.
const maxTags = 100

// mappers knows every source.
type mappers struct {
	byRole map[string]Mapper
	names  map[string]string // what senders call themselves → role
}

// understand maps an event to the tags of what it touched. Its errors are
// [commerce.InputError]s that name the event's field.
func (m mappers) understand(e commerce.ChangeEvent) (Change, error) {
	role := e.Source
	if named, ok := m.names[e.Source]; ok {
		role = strings.ToLower(named)
	}
	mapper, ok := m.byRole[role]
	if !ok {
		return Change{}, &commerce.InputError{Field: "source", Code: commerce.CodeUnsupported, Message: "is no system of this process"}
	}
	e.Source = role
	var err error
	change := Change{ID: e.ID, Source: role, Type: e.Type}
	switch {
	case e.Type == TypeInvalidate:
		change.Tags, err = named(e)
	case mapper.Changes == nil:
		err = e.Unknown()
	default:
		change.mapped = true
		change.Tags, err = mapper.Changes(e)
	}
	return change, err
}

// named reads the tags that an event names itself.
func named(e commerce.ChangeEvent) ([]commerce.Tag, error) {
	var sent struct {
		Tags []string `json:"tags"`
	}
	if err := e.Decode(&sent); err != nil {
		return nil, err
	}
	if len(sent.Tags) == 0 {
		return nil, e.Lacks("tags")
	}
	if len(sent.Tags) > maxTags {
		return nil, &commerce.InputError{Field: "data.tags", Code: commerce.CodeOutOfRange, Message: "must hold at most 100 tags"}
	}
	tags := make([]commerce.Tag, len(sent.Tags))
	for i, text := range sent.Tags {
		tag, err := commerce.ParseTag(text)
		if err != nil {
			return nil, &commerce.InputError{Field: "data.tags", Code: commerce.CodeInvalid, Message: "must be tags of 1 to 128 visible ASCII characters"}
		}
		tags[i] = tag
	}
	return commerce.WithReference(tags), nil
}

// instead is everything of a change's system: what is dropped when nobody can tell
// what the change was about.
func (m mappers) instead(role string) commerce.Tag {
	if mapper, ok := m.byRole[role]; ok {
		return commerce.TagSystem(mapper.Kind)
	}
	return commerce.TagAll
}
