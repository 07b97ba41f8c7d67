import { useId } from 'react'
import type { ProductPageQuery } from '../gql/graphql'
import { go } from '../router'

type Product = NonNullable<ProductPageQuery['product']>

// Variants are the choices, a radio group for each axis. A choice that no variant has with the others goes to the nearest that has it.
export function Variants({ sku, variants, axes }: { sku: string; variants: Product['variants']; axes: Product['optionAxes'] }) {
  const name = useId()
  const own = variants.find((variant) => variant.sku === sku)
  const chosen = new Map(own?.options.map(({ code, value }) => [code, value]))
  const has = (variant: Product['variants'][number], code: string, value: string | undefined) =>
    variant.options.some((option) => option.code === code && option.value === value)
  const nearest = (code: string, value: string) => {
    const close = (variant: Product['variants'][number]) => axes.filter((axis) => axis.code !== code && has(variant, axis.code, chosen.get(axis.code))).length
    return variants.filter((variant) => has(variant, code, value)).sort((a, b) => close(b) - close(a))[0]
  }
  return axes.map(({ code, label, values }) => values.length > 1 && (
    <fieldset key={code} className="options">
      <legend>{label}</legend>
      {values.map((value) => {
        const to = nearest(code, value)
        return (
          <label key={value}>
            <input type="radio" name={`${name}-${code}`} value={value} checked={chosen.get(code) === value} disabled={!to}
              onChange={() => to && go(`/product/${to.sku}`, { replace: true })} />
            <span>{value}</span>
          </label>
        )
      })}
    </fieldset>
  ))
}
