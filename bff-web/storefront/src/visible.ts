import { useSyncExternalStore } from 'react'

function subscribe(changed: () => void) {
  document.addEventListener('visibilitychange', changed)
  return () => document.removeEventListener('visibilitychange', changed)
}

// useVisible tells whether somebody looks: what nobody sees need not be live, and a browser has few connections to a host.
export function useVisible() {
  return useSyncExternalStore(subscribe, () => document.visibilityState === 'visible')
}
