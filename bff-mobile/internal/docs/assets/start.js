// No validator: the page works without a network and tells nobody about the contract.
// A key that is still the contract's example is made anew for each write that is tried
// out: sent twice, it would be the same tap.
const exampleKey = '3f2c0f4e-6f0a-4a44-9e3e-0a8f4f9f4c11'

window.ui = SwaggerUIBundle({
  url: '/openapi.yaml',
  dom_id: '#swagger-ui',
  validatorUrl: null,
  deepLinking: true,
  persistAuthorization: false,
  requestInterceptor: (request) => {
    if (request.headers['Idempotency-Key'] === exampleKey) {
      request.headers['Idempotency-Key'] = crypto.randomUUID()
    }
    return request
  },
})
