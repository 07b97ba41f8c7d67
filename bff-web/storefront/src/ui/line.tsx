import type { ReactNode } from 'react'
import { Link } from '../router'
import { Picture } from './picture'

type Line = { sku: string; name: string; unit: { formatted: string }; total: { formatted: string }; product?: { images: { url: string }[] } | null }

// LineRow is a product in a cart or an order.
export function LineRow({ line, children }: { line: Line; children?: ReactNode }) {
  const image = line.product?.images[0]
  return (
    <li className="line-row">
      <Picture image={image && { url: image.url, alt: '' }} />
      <div>
        <h3>{line.sku ? <Link href={`/product/${line.sku}`}>{line.name}</Link> : line.name}</h3>
        <p className="faint"><bdi>{line.unit.formatted}</bdi> each</p>
        {children}
      </div>
      <p className="unit">{line.total.formatted}</p>
    </li>
  )
}
