import { useQuery } from '@apollo/client/react'
import { ContentPageDocument } from '../gql/graphql'
import { Link, useHeading } from '../router'
import { useFreshness } from '../session'
import { Part, Skeleton } from '../ui/part'
import { Picture } from '../ui/picture'

const root = { __typename: 'Query' }

// ContentPage is editorial content: plain text, paragraphs between blank lines.
export default function ContentPage({ id }: { id: string }) {
  const { data, loading, refetch } = useQuery(ContentPageDocument, { variables: { id } })
  const page = data?.page
  const mark = useFreshness(root, 'page')
  const title = page?.title ?? (loading ? undefined : mark ? 'Page' : 'Nothing here')
  const heading = useHeading(title)
  return (
    <article className="text">
      <h1 ref={heading} tabIndex={-1}>{title ?? '\u00a0'}</h1>
      <Part mark={mark} missing={!page} pending={loading} what="This page" retry={refetch} skeleton={<Skeleton className="text" />}>
        {page ? page.body.split('\n\n').map((text) => <p key={text}>{text}</p>) : <p>There is no such page. <Link href="/">Go to the shop</Link></p>}
        {page?.image && <Picture image={page.image} />}
      </Part>
    </article>
  )
}
