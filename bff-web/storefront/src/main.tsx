import { createRoot } from 'react-dom/client'
import { App } from './app'
import { CartProvider } from './cart'
import { SessionProvider } from './session'
import './shop.css'

createRoot(document.getElementById('shop')!).render(
  <SessionProvider>
    <CartProvider>
      <App />
    </CartProvider>
  </SessionProvider>,
)
