package web

import "net/http"

// Counted calls count for each request that gets as far as this.
func Counted(count func()) Middleware {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			count()
			next.ServeHTTP(w, r)
		})
	}
}
