import type { SaidFragment } from '../gql/graphql'

type Failed = { errors?: { message: string; extensions?: { code?: string; field?: string } }[] }

// inputError is what an error says about a field of what was sent, if it does: input that cannot be right is refused before anything is called.
export function inputError(error: unknown): SaidFragment['userErrors'][number] | undefined {
  const [first] = (error as Failed | undefined)?.errors ?? []
  const { field, code = '' } = first?.extensions ?? {}
  return field ? { __typename: 'UserError', code, message: first.message.replace(`${field}: `, ''), field } : undefined
}
