package world

import (
	"fmt"
	"strings"
	"time"
)

// odooOffset keeps the ERP's partner ids apart from the checkout's customer ids, so that a mix-up shows.
const odooOffset = 50_000

func (f *facts) loadCustomers() error {
	addresses, err := loadAddresses()
	if err != nil {
		return err
	}
	stores := map[int]string{}
	err = eachRow("Store", func(t *table) { stores[t.number("BusinessEntityID")] = t.text("Name") })
	if err != nil {
		return err
	}
	err = eachRow("Customer", func(t *table) {
		c := madeUpPerson(t.number("CustomerID"))
		c.Number = t.text("AccountNumber")
		store := t.number("StoreID")
		c.Addresses = addresses[t.number("PersonID")]
		if store != 0 {
			c.Group, c.CompanyName, c.Addresses = Wholesale, stores[store], addresses[store]
			c.Email = strings.Replace(c.Email, "@", "@shops.", 1)
		}
		f.customers = append(f.customers, c)
	})
	f.indexCustomers()
	return err
}

func (f *facts) indexCustomers() {
	n := len(f.customers)
	f.customerByNumber = make(map[string]*Customer, n)
	f.customerByEmail = make(map[string]*Customer, n)
	f.customerByMagento = make(map[int]*Customer, n)
	f.customerByOdoo = make(map[int]*Customer, n)
	f.customerByLoyalty = make(map[string]*Customer, n)
	for _, c := range f.customers {
		f.customerByNumber[c.Number] = c
		f.customerByEmail[c.Email] = c
		f.customerByMagento[c.MagentoID] = c
		f.customerByOdoo[c.OdooID] = c
		f.customerByLoyalty[c.LoyaltyID] = c
	}
}

// madeUpPerson makes up what the data lacks of the customer with the id.
func madeUpPerson(id int) *Customer {
	rnd := random(streamPeople, id)
	first, last := firstNames[rnd.IntN(len(firstNames))], lastNames[rnd.IntN(len(lastNames))]
	earned := min(rnd.IntN(9000), rnd.IntN(9000), rnd.IntN(9000))
	return &Customer{
		MagentoID: id, OdooID: odooOffset + id,
		LoyaltyID: fmt.Sprintf("%08x-%04x-4%03x-8%03x-%012x",
			rnd.Uint32(), rnd.IntN(1<<16), rnd.IntN(1<<12), rnd.IntN(1<<12), id),
		FirstName: first, LastName: last,
		Email:  fmt.Sprintf("%s.%s%d@example.test", strings.ToLower(first), strings.ToLower(last), id),
		Phone:  fmt.Sprintf("+1 555 01%02d %04d", rnd.IntN(100), rnd.IntN(10_000)),
		Group:  Retail,
		Earned: earned, Points: earned - rnd.IntN(earned/2+1), Level: level(earned),
		CreatedAt: time.Date(2022, 1, 3, 8, 0, rnd.IntN(36_000), 0, time.UTC).AddDate(0, 0, rnd.IntN(900)),
	}
}

// level is the highest rank that points ever earned reach.
func level(earned int) int {
	reached := 0
	for i, l := range Levels {
		if earned >= l.Points {
			reached = i
		}
	}
	return reached
}

// loadAddresses answers the addresses of people and stores by the data's business entity.
func loadAddresses() (map[int][]Address, error) {
	states, err := loadStates()
	if err != nil {
		return nil, err
	}
	types := map[int]string{}
	err = eachRow("AddressType", func(t *table) { types[t.number("AddressTypeID")] = t.text("Name") })
	if err != nil {
		return nil, err
	}
	byID := make(map[int]Address, 20_000)
	err = eachRow("Address", func(t *table) {
		id, s := t.number("AddressID"), states[t.number("StateProvinceID")]
		byID[id] = Address{
			ID: id, Street: t.text("AddressLine1"), Street2: t.text("AddressLine2"), City: t.text("City"),
			RegionCode: s.code, RegionName: s.name, Postcode: t.text("PostalCode"), Country: s.country,
		}
	})
	if err != nil {
		return nil, err
	}
	byOwner := make(map[int][]Address, 20_000)
	return byOwner, eachRow("BusinessEntityAddress", func(t *table) {
		a, owner := byID[t.number("AddressID")], t.number("BusinessEntityID")
		a.Type = types[t.number("AddressTypeID")]
		byOwner[owner] = append(byOwner[owner], a)
	})
}
