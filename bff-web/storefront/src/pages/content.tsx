import { useHeading } from '../router'

export default function ContentPage(_: { id?: string; number?: string }) {
  const heading = useHeading('Content')
  return <h1 ref={heading} tabIndex={-1}>Content</h1>
}
