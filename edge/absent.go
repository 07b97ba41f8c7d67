package edge

import (
	"context"

	"github.com/portico-bff/portico/schema/commerce"
)

// notConfigured stands for the system of a port that no system offers.
const notConfigured = "unconfigured"

// absent is every port of a system that is not there.
type absent struct{}

func gone(ctx context.Context, op commerce.Operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &commerce.CallError{System: notConfigured, Operation: op, Kind: commerce.ErrUnavailable, Reason: commerce.ReasonUnavailable}
}

func (absent) Products(ctx context.Context, _ commerce.Market, _ []commerce.SKU) (map[commerce.SKU]*commerce.Product, error) {
	return nil, gone(ctx, commerce.OpProducts)
}

func (absent) Related(ctx context.Context, _ commerce.Market, _ []commerce.SKU) (map[commerce.SKU][]commerce.RelatedProduct, error) {
	return nil, gone(ctx, commerce.OpRelated)
}

func (absent) Tree(ctx context.Context, _ commerce.Market) (*commerce.CategoryTree, error) {
	return nil, gone(ctx, commerce.OpCategoryTree)
}

func (absent) Pages(ctx context.Context, _ commerce.Market, _ []commerce.PageID) (map[commerce.PageID]*commerce.Page, error) {
	return nil, gone(ctx, commerce.OpPages)
}

func (absent) SKUs(ctx context.Context, _ commerce.Market, _ commerce.SKU, _ int) ([]commerce.SKU, error) {
	return nil, gone(ctx, commerce.OpSKUs)
}

func (absent) PageIDs(ctx context.Context, _ commerce.Market, _ commerce.PageID, _ int) ([]commerce.PageID, error) {
	return nil, gone(ctx, commerce.OpPageIDs)
}

func (absent) Reviews(ctx context.Context, _ commerce.Market, _ []commerce.SKU) (map[commerce.SKU]*commerce.ReviewSummary, error) {
	return nil, gone(ctx, commerce.OpReviews)
}

func (absent) Recommend(ctx context.Context, _ commerce.Shopper, _ []commerce.SKU, _ int) ([]commerce.SKU, error) {
	return nil, gone(ctx, commerce.OpRecommend)
}

func (absent) Search(ctx context.Context, _ commerce.Market, _ commerce.SearchQuery) (*commerce.SearchResult, error) {
	return nil, gone(ctx, commerce.OpSearch)
}

func (absent) Prices(ctx context.Context, _ commerce.Market, _ commerce.PriceGroup, _ []commerce.PriceKey) (map[commerce.PriceKey]*commerce.Price, error) {
	return nil, gone(ctx, commerce.OpPrices)
}

func (absent) Availability(ctx context.Context, _ commerce.Market, _ []commerce.SKU) (map[commerce.SKU]*commerce.Availability, error) {
	return nil, gone(ctx, commerce.OpAvailability)
}

func (absent) Orders(ctx context.Context, _ commerce.Principal, _ commerce.Cursor) (*commerce.OrderPage, error) {
	return nil, gone(ctx, commerce.OpOrders)
}

func (absent) Order(ctx context.Context, _ commerce.Principal, _ commerce.OrderNumber) (*commerce.Order, error) {
	return nil, gone(ctx, commerce.OpOrder)
}

func (absent) GuestOrder(ctx context.Context, _ commerce.OrderNumber) (*commerce.Order, error) {
	return nil, gone(ctx, commerce.OpGuestOrder)
}

func (absent) Invoices(ctx context.Context, _ commerce.Principal, _ commerce.Cursor) (*commerce.InvoicePage, error) {
	return nil, gone(ctx, commerce.OpInvoices)
}

func (absent) Customer(ctx context.Context, _ commerce.Principal) (*commerce.Customer, error) {
	return nil, gone(ctx, commerce.OpCustomer)
}

func (absent) Loyalty(ctx context.Context, _ commerce.Principal) (*commerce.LoyaltyAccount, error) {
	return nil, gone(ctx, commerce.OpLoyalty)
}

func (absent) Notify(ctx context.Context, _ commerce.Principal, _ string, _ map[string]string) error {
	return gone(ctx, commerce.OpNotify)
}

func (absent) Create(ctx context.Context, _ commerce.Shopper) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpCartCreate)
}

func (absent) Cart(ctx context.Context, _ commerce.Shopper, _ commerce.CartID) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpCartRead)
}

func (absent) Merge(ctx context.Context, _ commerce.Shopper, _ commerce.CartID) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpCartMerge)
}

func (absent) AddLine(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ commerce.SKU, _ int) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpLineAdd)
}

func (absent) SetLine(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ commerce.LineID, _ int) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpLineSet)
}

func (absent) RemoveLine(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ commerce.LineID) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpLineRemove)
}

func (absent) ApplyCoupon(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ string) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpCouponApply)
}

func (absent) RemoveCoupon(ctx context.Context, _ commerce.Shopper, _ commerce.CartID) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpCouponRemove)
}

func (absent) ShippingOptions(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ commerce.Address) ([]commerce.ShippingOption, error) {
	return nil, gone(ctx, commerce.OpShippingOptions)
}

func (absent) SetShipping(ctx context.Context, _ commerce.Shopper, _ commerce.CartID, _ commerce.ShippingChoice) (*commerce.Cart, error) {
	return nil, gone(ctx, commerce.OpShippingSet)
}

func (absent) Prepare(ctx context.Context, _ commerce.Shopper, _ commerce.CartID) (commerce.CheckoutRef, error) {
	return commerce.CheckoutRef{}, gone(ctx, commerce.OpPrepare)
}

func (absent) Place(ctx context.Context, _ commerce.Shopper, _ commerce.CheckoutRef, _ string) (*commerce.PlacedOrder, error) {
	return nil, gone(ctx, commerce.OpPlace)
}

func (absent) Reconcile(ctx context.Context, _ commerce.Shopper, _ commerce.CheckoutRef) (*commerce.PlacedOrder, error) {
	return nil, gone(ctx, commerce.OpReconcile)
}
