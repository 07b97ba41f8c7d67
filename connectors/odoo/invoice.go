package odoo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/portico-bff/portico/connectors/transport"
	"github.com/portico-bff/portico/schema/commerce"
)

type wireInvoice struct {
	ID       recordID `json:"id"`
	Name     text     `json:"name"`
	Type     text     `json:"move_type"`
	Origin   text     `json:"invoice_origin"`
	Date     moment   `json:"invoice_date"`
	Due      moment   `json:"invoice_date_due"`
	Total    number   `json:"amount_total"`
	Residual number   `json:"amount_residual"`
	Currency relation `json:"currency_id"`
}

func (w wireInvoice) check() error {
	return errors.Join(w.ID.check(), w.Currency.check(), w.Total.check(), w.Residual.check())
}

var invoiceFields = []string{
	"name", "move_type", "invoice_origin", "invoice_date", "invoice_date_due", "amount_total", "amount_residual", "currency_id",
}

const (
	typeInvoice = "out_invoice"
	typeRefund  = "out_refund"
)

// Invoices answers the posted invoices and refunds of the principal and of the contacts below its partner.
func (c *connector) Invoices(ctx context.Context, p commerce.Principal, page commerce.Cursor) (*commerce.InvoicePage, error) {
	const op = commerce.OpInvoices
	from, err := start(cursorInvoices, page)
	if err != nil {
		return nil, err
	}
	partner, err := c.partner(ctx, op, p)
	if errors.Is(err, commerce.ErrNotFound) {
		return &commerce.InvoicePage{}, nil
	}
	if err != nil {
		return nil, err
	}
	q := query{
		model: "account.move",
		Domain: domain{
			leaf{"partner_id", "child_of", partner}, leaf{"move_type", "in", []string{typeInvoice, typeRefund}}, leaf{"state", "=", "posted"},
		},
		Fields: invoiceFields, Order: "invoice_date desc, id desc", Limit: page.First + 1,
	}
	records, total, err := paged[wireInvoice](ctx, c, op, q, from.behind("invoice_date", dateLayout))
	if err != nil {
		return nil, err
	}
	answer := &commerce.InvoicePage{Total: total, HasNext: len(records) > page.First}
	records = records[:min(len(records), page.First)]
	if answer.Invoices, err = c.invoices(ctx, op, records); err != nil {
		return nil, err
	}
	for _, w := range records {
		answer.EndCursor = position{at: w.Date.Time, id: w.ID}.cursor(cursorInvoices)
		answer.Cursors = append(answer.Cursors, answer.EndCursor)
	}
	return answer, nil
}

func (c *connector) invoices(ctx context.Context, op commerce.Operation, records []wireInvoice) ([]*commerce.Invoice, error) {
	origins := map[string]bool{}
	for _, w := range records {
		if w.Origin != "" {
			origins[string(w.Origin)] = true
		}
	}
	numbers, err := c.numbersOf(ctx, op, sortedKeys(origins))
	if err != nil {
		return nil, named(op, err)
	}
	invoices := make([]*commerce.Invoice, len(records))
	for i, w := range records {
		if invoices[i], err = invoiceOf(w, numbers); err != nil {
			return nil, badAnswer(op, fmt.Errorf("invoice %d: %w", w.ID, err))
		}
	}
	return invoices, nil
}

// numbersOf answers the checkout's numbers of orders that invoices name as Odoo does.
// An invoice for several orders names them in one text, which no order has.
func (c *connector) numbersOf(ctx context.Context, op commerce.Operation, names []string) (map[string]commerce.OrderNumber, error) {
	return c.orderRefs.GetAll(ctx, names, func(ctx context.Context, missing []string) (map[string]commerce.OrderNumber, error) {
		return transport.Batch(ctx, traitsOf(op), missing, func(ctx context.Context, batch []string) (map[string]commerce.OrderNumber, error) {
			records, err := search[wireOrderNames](ctx, c, op, query{
				model: "sale.order", Domain: domain{leaf{"name", "in", batch}}, Fields: []string{"name", "client_order_ref"}, Order: "id",
			})
			found := make(map[string]commerce.OrderNumber, len(records))
			for name, w := range transport.Join(batch, records, func(w wireOrderNames) string { return string(w.Name) }) {
				found[name] = w.number()
			}
			return found, err
		})
	})
}

func invoiceOf(w wireInvoice, numbers map[string]commerce.OrderNumber) (*commerce.Invoice, error) {
	code := w.Currency.Name
	invoice := &commerce.Invoice{
		Number: string(w.Name), Order: numbers[string(w.Origin)], IssuedAt: w.Date.Time, DueAt: w.Due.Time, Refund: w.Type == typeRefund,
	}
	var err error
	if invoice.Total, err = w.Total.price(code); err != nil {
		return nil, err
	}
	if invoice.Due, err = w.Residual.price(code); err != nil {
		return nil, err
	}
	invoice.Paid = invoice.Due.IsZero()
	return invoice, nil
}

func sortedKeys[K interface{ ~int64 | ~string }](set map[K]bool) []K {
	return slices.Sorted(maps.Keys(set))
}
