import { createContext, use, useCallback, useState, type ReactNode } from 'react'

const Context = createContext<(text: string) => void>(() => undefined)

// Announcer holds the live region by which changes are heard that are not where focus is.
export function Announcer({ children }: { children: ReactNode }) {
  const [said, setSaid] = useState({ text: '', turn: 0 })
  const say = useCallback((text: string) => setSaid(({ turn }) => ({ text, turn: turn + 1 })), [])
  return (
    <Context value={say}>
      {children}
      <div className="visually-hidden" role="status" aria-live="polite">
        <span key={said.turn}>{said.text}</span>
      </div>
    </Context>
  )
}

export function useAnnounce() {
  return use(Context)
}
