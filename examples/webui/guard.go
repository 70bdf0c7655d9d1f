package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// policy is strict because the page needs nothing else: no script, style or
// connection that does not come from this server, no frame around it, and text
// becomes mark-up nowhere (trusted types).
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// guard lets in only who addresses this machine by one of its own names and
// does not come from another site's page, and gives every request a time limit.
//
// The server listens on the loopback interface, but any page that the user
// visits can send requests there. A page under a name of its own that resolves
// to 127.0.0.1 (DNS rebinding) is known by the Host header.
func (s *server) guard(next http.Handler) http.Handler {
	names := map[string]bool{}
	for _, name := range []string{"localhost", "127.0.0.1", "[::1]"} {
		names[name+":"+strconv.Itoa(s.Port)] = true
		if s.Port == 80 {
			names[name] = true // a browser leaves that port out
		}
	}
	var crossOrigin http.CrossOriginProtection
	crossOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		refuse(w, r, http.StatusForbidden, "the request comes from another site's page")
	}))
	inner := crossOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		s.allowTime(w)
		switch site := r.Header.Get("Sec-Fetch-Site"); {
		case !names[r.Host]:
			refuse(w, r, http.StatusForbidden, "open this page as http://localhost:%d/", s.Port)
		case (site == "cross-site" || site == "same-site") && r.Header.Get("Sec-Fetch-Mode") != "navigate":
			refuse(w, r, http.StatusForbidden, "the request comes from another site's page")
		default:
			inner.ServeHTTP(w, r)
		}
	})
}

// allowTime gives what is short by nature its time. Uploads, downloads and
// streams go on as long as they move, see pace.go.
func (s *server) allowTime(w http.ResponseWriter) {
	until := time.Now().Add(s.Limits.window)
	control := http.NewResponseController(w)
	control.SetReadDeadline(until)
	control.SetWriteDeadline(until)
}

// refuse answers with an error, in OpenAI's shape where their clients ask.
func refuse(w http.ResponseWriter, r *http.Request, status int, format string, args ...any) {
	message := fmt.Sprintf(format, args...)
	if isOpenAI(r) {
		refuseOpenAI(w, status, "", message)
		return
	}
	answer(w, status, map[string]string{"error": message})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body) // to a client that is gone: nothing to do
}
