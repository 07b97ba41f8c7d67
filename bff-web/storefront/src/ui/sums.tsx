import type { SumsFragment } from '../gql/graphql'

// Sums is what a cart or an order adds up to.
export function Sums({ totals }: { totals: SumsFragment }) {
  const rows: [string, SumsFragment['total']][] = [['Subtotal', totals.subtotal], ['Discount', totals.discount], ['Shipping', totals.shipping], ['Tax', totals.tax]]
  return (
    <dl className="sums">
      {rows.filter(([label, money]) => label === 'Subtotal' || Number(money.amount) !== 0).map(([label, money]) => (
        <div key={label}><dt>{label}</dt><dd>{money.formatted}</dd></div>
      ))}
      <div className="total"><dt>Total</dt><dd>{totals.total.formatted}</dd></div>
    </dl>
  )
}
