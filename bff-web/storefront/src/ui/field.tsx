import { useId, type InputHTMLAttributes } from 'react'

// Field is a labelled text with what is wrong with it right below.
export function Field({ label, error, ...input }: { label: string; error?: string } & InputHTMLAttributes<HTMLInputElement>) {
  const id = useId()
  return (
    <div className="field">
      <label htmlFor={id}>{label}{!input.required && <span className="faint"> (optional)</span>}</label>
      <input id={id} aria-invalid={error ? true : undefined} aria-describedby={error ? `${id}-error` : undefined} {...input} />
      {error && <p id={`${id}-error`} className="bad">{error}</p>}
    </div>
  )
}
