package graph

import (
	"github.com/portico-bff/portico/bff-web/graph/model"
	"github.com/portico-bff/portico/schema/commerce"
)

// orderConnection is a page of orders that was read behind after.
func orderConnection(page *commerce.OrderPage, after string) *model.OrderConnection {
	c := &model.OrderConnection{
		Nodes: page.Orders, Edges: make([]model.OrderEdge, len(page.Orders)),
		PageInfo: model.InfoOf(page.Cursors, after, page.HasNext), TotalCount: page.Total,
	}
	for i, order := range page.Orders {
		c.Edges[i] = model.OrderEdge{Cursor: page.Cursors[i], Node: order}
	}
	return c
}

// invoiceConnection is a page of invoices that was read behind after.
func invoiceConnection(page *commerce.InvoicePage, after string) *model.InvoiceConnection {
	c := &model.InvoiceConnection{
		Nodes: page.Invoices, Edges: make([]model.InvoiceEdge, len(page.Invoices)),
		PageInfo: model.InfoOf(page.Cursors, after, page.HasNext), TotalCount: page.Total,
	}
	for i, invoice := range page.Invoices {
		c.Edges[i] = model.InvoiceEdge{Cursor: page.Cursors[i], Node: invoice}
	}
	return c
}
