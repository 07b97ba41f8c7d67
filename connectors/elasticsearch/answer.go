package elasticsearch

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

// Why an answer was of no use. Constant texts: what the upstream says may repeat what was searched.
var (
	errNoIndex = errors.New("no such index")
	errPartial = errors.New("answered for a part of the index only")
	errShape   = errors.New("answered without what was asked for")
)

// header is what every call says of itself. Nobody changes it.
var header = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}

// fetch makes the one call of a search.
func (c *connector) fetch(ctx context.Context, s *search) (*commerce.SearchResult, error) {
	var result *commerce.SearchResult
	_, err := c.client.Do(ctx, c.traits, transport.Request{
		Method: http.MethodPost,
		Path:   []string{c.model.cfg.Index, "_search"},
		Header: header,
		Body:   s.body,
		Read: func(res *transport.Response) (err error) {
			result, err = c.read(s, res)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	return result, nil
}

// read is what an answer says. A 200 that does not speak for the whole index is no answer.
func (c *connector) read(s *search, res *transport.Response) (*commerce.SearchResult, error) {
	switch {
	case res.Status == http.StatusOK:
	case res.Status == http.StatusNotFound:
		return nil, transport.Failed(c.traits, commerce.ErrUnavailable, errNoIndex)
	case res.Status == http.StatusBadRequest && s.query.After != "":
		// The one part of a search that goes to the index as the client sent it.
		return nil, errCursor
	default:
		return nil, transport.Refused(c.traits, res)
	}
	in := enter()
	defer in.leave()
	answer := wireAnswer{skuField: c.model.cfg.SKUField, room: in}
	if err := transport.DecodeJSON(system, c.traits, res, &answer); err != nil {
		return nil, err
	}
	result, err := c.result(s, &answer, in)
	if err != nil {
		return nil, transport.BadAnswer(c.traits, res, err)
	}
	return result, nil
}

func (w *wireAnswer) whole() error {
	if w.TimedOut == nil || w.Shards == nil || w.Hits == nil || w.Hits.Total == nil {
		return errShape
	}
	if *w.TimedOut || w.Shards.Failed != "0" || w.Hits.Total.Relation != "eq" {
		return errPartial
	}
	return nil
}

// result reads an answer. One hit more than the page holds tells that there is a next page.
func (c *connector) result(s *search, answer *wireAnswer, in *room) (*commerce.SearchResult, error) {
	if err := answer.whole(); err != nil {
		return nil, err
	}
	total, err := count(answer.Hits.Total.Value)
	hits := answer.Hits.Hits
	if err != nil || hits == nil || len(hits) > s.query.First+1 || total < len(hits) {
		return nil, errShape
	}
	r := &commerce.SearchResult{Total: total, HasNext: len(hits) > s.query.First}
	hits = hits[:min(len(hits), s.query.First)]
	if len(hits) > 0 {
		r.SKUs, r.Cursors = make([]commerce.SKU, 0, len(hits)), make([]string, 0, len(hits))
	}
	cursors := newCursors(s.sum, hits)
	for _, hit := range hits {
		sku, ok := c.model.sku(hit)
		if !ok || !s.sort.fits(hit.Sort) {
			return nil, errShape
		}
		r.EndCursor = cursors.after(hit)
		if _, twice := in.met[sku]; !twice {
			in.met[sku] = struct{}{}
			r.SKUs, r.Cursors = append(r.SKUs, sku), append(r.Cursors, r.EndCursor)
		}
	}
	if s.query.NoFacets {
		return r, nil
	}
	r.Facets, err = c.model.facetsOf(s, answer.Aggregations)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// count reads a number of documents.
func count(n json.Number) (int, error) {
	i, err := strconv.Atoi(n.String())
	if err != nil || i < 0 {
		return 0, errShape
	}
	return i, nil
}

// sku reads the SKU in a hit's source, whose field may lie in objects.
func (m *model) sku(hit wireHit) (commerce.SKU, bool) {
	if hit.sku != "" {
		return commerce.SKU(hit.sku), commerce.IsSKU(hit.sku)
	}
	source := hit.Source
	for name := range strings.SplitSeq(m.cfg.SKUField, ".") {
		var parts map[string]json.RawMessage
		if json.Unmarshal(source, &parts) != nil {
			return "", false
		}
		source = parts[name]
	}
	var text string
	if json.Unmarshal(source, &text) != nil {
		return "", false
	}
	sku, err := commerce.ParseSKU("sku", text)
	return sku, err == nil
}

// facetsOf reads all facets, in the order of the settings, prices last.
func (m *model) facetsOf(s *search, aggs map[string]wireFacet) ([]commerce.Facet, error) {
	all := make([]commerce.Facet, 0, len(m.facets)+1)
	for _, f := range m.facets {
		all = append(all, commerce.Facet{Code: f.code, Label: f.label})
	}
	if len(m.steps) > 0 {
		all = append(all, commerce.Facet{Code: priceFacet, Label: priceLabel})
	}
	for i := range all {
		agg := aggs[all[i].Code]
		if agg.Values == nil {
			return nil, errShape
		}
		chosen := s.query.Filter.Facets[all[i].Code]
		labeled := i < len(m.facets) && m.facets[i].labels != ""
		values, err := valuesOf(agg.Values.Buckets, chosen, labeled, max(maxValues, len(m.steps)))
		if err != nil {
			return nil, err
		}
		all[i].Values = values
	}
	return all, nil
}

// valuesOf reads a facet's values, of more than most those that come first. What is chosen stays, even when
// nothing is left of it; what nobody has and nobody chose is left out.
func valuesOf(buckets []wireBucket, chosen []string, labeled bool, most int) ([]commerce.FacetValue, error) {
	values := make([]commerce.FacetValue, 0, min(len(buckets), most))
	for _, b := range buckets {
		n, err := count(b.Count)
		if err != nil {
			return nil, err
		}
		v := commerce.FacetValue{Value: b.text(), Count: n}
		v.Label = v.Value
		if labeled {
			if id, label, ok := strings.Cut(v.Value, "|"); ok {
				v.Value, v.Label = id, label
			}
		}
		v.Selected = slices.Contains(chosen, v.Value)
		if v.Value == "" || !v.Selected && (n == 0 || len(values) >= most) || holds(values, v.Value) {
			continue
		}
		values = append(values, v)
	}
	for _, value := range chosen {
		if !holds(values, value) {
			values = append(values, commerce.FacetValue{Value: value, Label: value, Selected: true})
		}
	}
	return values, nil
}

// holds tells whether a value is among values, which are few.
func holds(values []commerce.FacetValue, value string) bool {
	return slices.ContainsFunc(values, func(v commerce.FacetValue) bool { return v.Value == value })
}

// text is a bucket's key as it is filtered by.
func (b wireBucket) text() string {
	if b.KeyAsString != "" {
		return b.KeyAsString
	}
	if isString(b.Key) && bytes.IndexByte(b.Key, '\\') < 0 {
		return string(b.Key[1 : len(b.Key)-1])
	}
	var s string
	if json.Unmarshal(b.Key, &s) == nil {
		return s
	}
	return string(b.Key)
}
