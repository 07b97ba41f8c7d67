// The bar above the contract, in development: who asks. What is chosen authorizes every request that is tried out.
'use strict'

const lasts = 50 * 60_000 // the sandbox signs for an hour
let chosen = { customer: '', until: 0 }

async function signIn(customer) {
  chosen = { customer, until: Date.now() + lasts }
  window.ui.authActions.logout(['customer'])
  if (!customer) {
    return
  }
  const response = await fetch('/docs/customers', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ customer }),
  })
  if (response.ok) {
    window.ui.preauthorizeApiKey('customer', (await response.json()).token)
  }
}

async function offer() {
  const customers = await (await fetch('/docs/customers')).json()
  const select = document.createElement('select')
  select.id = 'customer'
  const named = customers.map((c) => new Option(`${c.name} (${c.priceGroup}, ${c.orders} orders)`, c.customer))
  select.append(new Option('nobody, a guest', ''), ...named)
  select.addEventListener('change', () => signIn(select.value).then(() => { select.dataset.signedIn = select.value }))
  setInterval(() => chosen.customer && Date.now() > chosen.until && signIn(chosen.customer), 60_000)
  const label = document.createElement('label')
  label.className = 'customers'
  label.append('Try it out as ', select)
  document.body.prepend(label)
}

offer()
