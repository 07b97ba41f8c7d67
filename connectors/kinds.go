// Package connectors lists the kinds of systems Portico can speak to.
package connectors

import (
	"fmt"
	"strings"

	"github.com/portico-bff/portico/connectors/elasticsearch"
	"github.com/portico-bff/portico/connectors/magento"
	"github.com/portico-bff/portico/connectors/odoo"
	"github.com/portico-bff/portico/connectors/openloyalty"
	"github.com/portico-bff/portico/connectors/pimcore"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// Kinds is every kind, by name. A new kind of system is one package and one line here.
var Kinds = []Kind{
	kind("pimcore", pimcore.New, pimcore.Changes),
	kind("elasticsearch", elasticsearch.New, elasticsearch.Changes),
	kind("odoo", odoo.New, odoo.Changes),
	// What it answers belongs to one customer and is never kept.
	silent("openloyalty", openloyalty.New, "its answers are kept for nobody"),
	kind("magento", magento.New, magento.Changes),
}

// Kind is a kind of system.
type Kind struct {
	Name   string
	Config any // a zero Config of the kind, to document its variables and read their names
	Read   func(decode Decode) (Settings, error)

	// Changes maps an event of such a system to the tags of the answers that it made
	// out of date, maybe none. Its errors are [commerce.InputError]s. nil: the kind
	// knows no events, and NoChanges says why it needs none.
	Changes   Changes
	NoChanges string
}

// Changes maps an event to tags.
type Changes = func(commerce.ChangeEvent) ([]commerce.Tag, error)

// Decode fills a pointer to a kind's Config from wherever settings are kept.
type Decode func(target any) error

// Settings are one system's settings, read and ready to connect with.
type Settings struct {
	Kind   string
	Config any // the kind's Config, filled; two systems with deeply equal settings are the same
	Open   func(deps transport.Deps) (commerce.Ports, error)
}

// Find is the kind of that name; the error lists the names there are.
func Find(name string) (Kind, error) {
	names := make([]string, len(Kinds))
	for i, k := range Kinds {
		if k.Name == name {
			return k, nil
		}
		names[i] = k.Name
	}
	return Kind{}, fmt.Errorf("is not a known kind; known are %s", strings.Join(names, ", "))
}

// silent makes a table entry of a kind whose changes nobody needs to hear of, and why.
func silent[C any](name string, open func(C, transport.Deps) (commerce.Ports, error), why string) Kind {
	k := kind(name, open, nil)
	k.NoChanges = why
	return k
}

// kind makes a table entry of a kind's name, its constructor and its mapper of events.
func kind[C any](name string, open func(C, transport.Deps) (commerce.Ports, error), changes Changes) Kind {
	var zero C
	read := func(decode Decode) (Settings, error) {
		var cfg C
		if err := decode(&cfg); err != nil {
			return Settings{}, err
		}
		return Settings{
			Kind:   name,
			Config: cfg,
			Open:   func(deps transport.Deps) (commerce.Ports, error) { return open(cfg, deps) },
		}, nil
	}
	return Kind{Name: name, Config: zero, Read: read, Changes: changes}
}
