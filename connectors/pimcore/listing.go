package pimcore

import (
	"context"
	"slices"
	"strings"

	"github.com/portico-bff/portico/connectors/quick"
	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// SKUs implements [commerce.Listing].
func (c *connector) SKUs(ctx context.Context, _ commerce.Market, after commerce.SKU, first int) ([]commerce.SKU, error) {
	return listed(ctx, c, keys[commerce.SKU]{op: commerce.OpSKUs, column: "sku", parse: commerce.ParseSKU}, after, first)
}

// PageIDs implements [commerce.Listing].
func (c *connector) PageIDs(ctx context.Context, _ commerce.Market, after commerce.PageID, first int) ([]commerce.PageID, error) {
	return listed(ctx, c, keys[commerce.PageID]{op: commerce.OpPageIDs, column: c.prefix + "key", parse: commerce.ParsePageID}, after, first)
}

// keys is what listed needs to know of an operation.
type keys[K ~string] struct {
	op     commerce.Operation
	column string
	parse  func(field, text string) (K, error)
}

// listed asks for the objects that come behind after by a text column, which is one call unless none of them can
// be named. The database compares without case, so it would not find those that differ from after in
// case alone: they are left to the next answer with it.
func listed[K ~string](ctx context.Context, c *connector, of keys[K], after K, first int) ([]K, error) {
	first, err := commerce.ParseFirst("first", first)
	if err != nil {
		return nil, err
	}
	from, skipped := string(after), 0
	for {
		got, err := c.keysBehind(ctx, of.op, from, wireVariables{Filter: behind(of.column, from), First: first + 1, After: skipped})
		if err != nil {
			return nil, err
		}
		rows := got.nodes
		if got.rows > first {
			rows = whole(rows, first)
		}
		list := named(rows, of.parse)
		switch {
		case len(list) > 0 || got.rows <= first:
			return list, nil
		case len(rows) > 0:
			from, skipped = rows[len(rows)-1].Key, 0
		default: // all are hidden
			skipped += got.rows
		}
	}
}

// keysBehind is one call. A row without a key, or with the one behind which was asked, is no answer to it: it would never end.
func (c *connector) keysBehind(ctx context.Context, op commerce.Operation, after string, vars wireVariables) (fetched[wireKeyed], error) {
	doc := c.documents[op]
	var got fetched[wireKeyed]
	err := c.call(ctx, doc, vars, func(res *transport.Response) (err error) {
		if err = refused(doc.traits, res); err != nil {
			return err
		}
		if got, err = read(doc, res, &wireAnswer[wireKeyed]{}); err != nil {
			return err
		}
		for _, row := range got.nodes {
			if row.Key == "" || row.Key == after {
				return transport.BadAnswer(doc.traits, res, errNotBehind)
			}
		}
		return nil
	})
	return got, err
}

// whole is the first rows, but those of a key whose others come behind them. A key that fills them is cut.
func whole(rows []*wireKeyed, first int) []*wireKeyed {
	cut := min(first, len(rows))
	for cut > 1 && cut < len(rows) && strings.EqualFold(rows[cut-1].Key, rows[cut].Key) {
		cut--
	}
	return rows[:cut]
}

// named are the rows' keys, each once, without those that are none to us.
func named[K ~string](rows []*wireKeyed, parse func(field, text string) (K, error)) []K {
	list := make([]K, 0, len(rows))
	for _, row := range rows {
		if key, err := parse("key", row.Key); err == nil && !slices.Contains(list, key) {
			list = append(list, key)
		}
	}
	return list
}

// behind is a filter in Data Hub's language for texts greater than after. Rows without a text are not among them.
func behind(column, after string) []byte {
	filter := append(quick.AppendText([]byte{'{'}, column), `:{"$gt":`...)
	return append(quick.AppendText(filter, after), "}}"...)
}
