import { useHeading } from '../router'

export default function AccountPage(_: { id?: string; number?: string }) {
  const heading = useHeading('Account')
  return <h1 ref={heading} tabIndex={-1}>Account</h1>
}
