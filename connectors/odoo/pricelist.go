package odoo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/portico-bff/portico/connectors/reference"
	"github.com/portico-bff/portico/schema/commerce"
)

// priceList is a price list's rules, ready to be looked up.
type priceList struct {
	id       recordID
	currency string

	variants   map[recordID][]*rule // by product, in the order of evaluation
	templates  map[recordID][]*rule
	categories map[recordID][]*rule
	global     []*rule
	bases      []recordID // lists that rules start from
	needsCost  bool       // some rule starts from the product's cost
}

// rule is a line of a price list.
type rule struct {
	wireRule

	least *big.Rat // the smallest quantity it is for
	from  int      // the smallest whole quantity it is for
}

// The values of Odoo's selections.
const (
	onVariant  = "0_product_variant"
	onTemplate = "1_product"
	onCategory = "2_product_category"
	onAll      = "3_global"

	computeFixed   = "fixed"
	computePercent = "percentage"
	computeFormula = "formula"

	baseList  = "list_price"
	baseCost  = "standard_price"
	baseOther = "pricelist"
)

const (
	rulesPerPage = 2_000
	maxRulePages = 50
	maxListDepth = 5 // lists that start from lists that start from lists
)

// listsFor reads the list, which is being asked for, and every list that its rules start from.
func (c *connector) listsFor(ctx context.Context, op commerce.Operation, id recordID, asked askedList) (map[recordID]*priceList, error) {
	lists := map[recordID]*priceList{}
	list, err := asked.Value(ctx)
	if err != nil {
		return nil, err
	}
	lists[id] = list
	wanted := others(list.bases, lists)
	for depth := 1; len(wanted) > 0; depth++ {
		if depth > maxListDepth {
			return nil, badAnswer(op, errors.New("price lists that start from each other"))
		}
		var next []recordID
		for _, id := range wanted {
			list, err := c.askList(ctx, op, id).Value(ctx)
			if err != nil {
				return nil, err
			}
			lists[id] = list
			next = append(next, list.bases...)
		}
		wanted = others(next, lists)
	}
	return lists, nil
}

// others are those of ids that are not among lists.
func others(ids []recordID, lists map[recordID]*priceList) []recordID {
	var left []recordID
	for _, id := range ids {
		if lists[id] == nil {
			left = append(left, id)
		}
	}
	return left
}

type askedList = reference.Asked[recordID, *priceList]

// askList asks for one price list: its head and its rules at the same time, since with a slow Odoo one after the other is most of a
// request's time. One that does not exist is a wrong setting, not an absence.
func (c *connector) askList(ctx context.Context, op commerce.Operation, id recordID) askedList {
	return c.lists.Ask(ctx, id, func(ctx context.Context, id recordID) (*priceList, error) {
		var heads []wirePriceList
		var rules []wireRule
		// A group without a context: cancelled by its sibling's refusal, a breaker's probe would tell nothing.
		var g errgroup.Group
		g.Go(func() (err error) {
			heads, err = search[wirePriceList](ctx, c, op, query{
				model: "product.pricelist", Domain: domain{leaf{"id", "=", id}}, Fields: []string{"currency_id"},
			})
			return err
		})
		g.Go(func() (err error) { rules, err = c.rulesOf(ctx, op, id); return err })
		if err := g.Wait(); err != nil {
			return nil, err
		}
		if len(heads) != 1 || heads[0].ID != id || !commerce.IsCurrency(heads[0].Currency.Name) {
			return nil, misconfigured(op, fmt.Errorf("there is no price list %d", id))
		}
		return newPriceList(op, id, heads[0].Currency.Name, rules)
	})
}

// rulesOf reads all rules of a list, page after page by id.
func (c *connector) rulesOf(ctx context.Context, op commerce.Operation, id recordID) ([]wireRule, error) {
	var rules []wireRule
	last := recordID(0)
	for range maxRulePages {
		page, err := search[wireRule](ctx, c, op, query{
			model: "product.pricelist.item", Domain: domain{leaf{"pricelist_id", "=", id}, leaf{"id", ">", last}},
			Fields: ruleFields, Order: "id", Limit: rulesPerPage,
		})
		if err != nil {
			return nil, err
		}
		rules = append(rules, page...)
		if len(page) < rulesPerPage {
			return rules, nil
		}
		last = page[len(page)-1].ID
	}
	return nil, badAnswer(op, errors.New("a price list with too many rules"))
}

func newPriceList(op commerce.Operation, id recordID, code string, rules []wireRule) (*priceList, error) {
	l := &priceList{
		id: id, currency: code,
		variants: map[recordID][]*rule{}, templates: map[recordID][]*rule{}, categories: map[recordID][]*rule{},
	}
	for _, w := range rules {
		if err := l.add(w); err != nil {
			return nil, badAnswer(op, fmt.Errorf("price list rule %d: %w", w.ID, err))
		}
	}
	for _, group := range []map[recordID][]*rule{l.variants, l.templates, l.categories} {
		for _, rules := range group {
			slices.SortFunc(rules, inOrder)
		}
	}
	slices.SortFunc(l.global, inOrder)
	return l, nil
}

// inOrder is the order of evaluation among rules of one rank: the largest quantity first, then the youngest.
func inOrder(a, b *rule) int {
	if n := b.least.Cmp(a.least); n != 0 {
		return n
	}
	return cmp.Compare(b.ID, a.ID)
}

func (l *priceList) add(w wireRule) error {
	r := &rule{wireRule: w}
	var err error
	if r.least, r.from, err = wholeQuantity(w.MinQuantity); err != nil {
		return err
	}
	switch w.Compute {
	case computeFixed, computePercent, computeFormula:
	default:
		return errors.New("a way to compute that is not known")
	}
	if w.Compute != computeFixed {
		if err := l.startsFrom(w); err != nil {
			return err
		}
	}
	switch w.AppliedOn {
	case onVariant:
		l.variants[w.Product.ID] = append(l.variants[w.Product.ID], r)
	case onTemplate:
		l.templates[w.Template.ID] = append(l.templates[w.Template.ID], r)
	case onCategory:
		l.categories[w.Category.ID] = append(l.categories[w.Category.ID], r)
	case onAll:
		l.global = append(l.global, r)
	default:
		return errors.New("a rank that is not known")
	}
	return nil
}

func (l *priceList) startsFrom(w wireRule) error {
	switch string(w.Base) {
	case baseList, "":
	case baseCost:
		l.needsCost = true
	case baseOther:
		if w.BaseList.ID == 0 {
			return errors.New("it starts from a list that it does not name")
		}
		l.bases = append(l.bases, w.BaseList.ID)
	default:
		return errors.New("a base that is not known")
	}
	return nil
}

// wholeQuantity answers a minimum exactly, and as the first whole number that reaches it.
func wholeQuantity(n number) (*big.Rat, int, error) {
	least, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return nil, 0, errWire
	}
	whole := new(big.Int).Quo(least.Num(), least.Denom())
	if least.Sign() > 0 && !least.IsInt() {
		whole.Add(whole, big.NewInt(1))
	}
	if !whole.IsInt64() {
		return nil, 0, errWire
	}
	return least, max(0, int(min(whole.Int64(), commerce.MaxQuantity+1))), nil
}

// rules adds to all the rules that can apply to p at now, for any quantity, in the
// documented order: by rank, then by quantity, by the category's full name, and by id.
func (l *priceList) rules(all []*rule, p product, tree categoryTree, now time.Time) []*rule {
	all = addAt(all, now, l.variants[p.id])
	all = addAt(all, now, l.templates[p.template])
	begin := len(all)
	if len(l.categories) > 0 {
		for id := range tree.above(p.category) {
			all = addAt(all, now, l.categories[id])
		}
	}
	slices.SortFunc(all[begin:], func(a, b *rule) int {
		if n := b.least.Cmp(a.least); n != 0 {
			return n
		}
		if n := strings.Compare(string(tree[b.Category.ID].FullName), string(tree[a.Category.ID].FullName)); n != 0 {
			return n
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return addAt(all, now, l.global)
}

// addAt adds to all those of rules that are in force.
func addAt(all []*rule, now time.Time, rules []*rule) []*rule {
	for _, r := range rules {
		if (r.Start.IsZero() || !now.Before(r.Start.Time)) && (r.End.IsZero() || !now.After(r.End.Time)) {
			all = append(all, r)
		}
	}
	return all
}
