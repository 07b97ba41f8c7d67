type Shown = { image: { url: string; alt: string } | undefined | null; eager?: boolean; timing?: string }

// Picture holds the place of a photo until it is there; the catalogue's are 240 by 149. Without a photo it says nothing.
export function Picture({ image, eager = false, timing }: Shown) {
  if (!image) return <NoPicture />
  return (
    <span className="photo">
      <img src={image.url} alt={image.alt} width={240} height={149} loading={eager ? 'eager' : 'lazy'} decoding="async"
        fetchPriority={eager ? 'high' : 'auto'} {...(timing && { elementtiming: timing })} />
    </span>
  )
}

function NoPicture() {
  return (
    <span className="photo none">
      <svg viewBox="0 0 48 32" fill="none" stroke="currentColor" strokeWidth="2" aria-hidden="true">
        <circle cx="11" cy="22" r="8" /><circle cx="37" cy="22" r="8" /><path d="m11 22 8-14h13l5 14M19 8l6 14h-14M25 22 33 8M16 8h6M31 4h5" />
      </svg>
    </span>
  )
}
