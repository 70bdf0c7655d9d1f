package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
)

// A browser gets a random cookie with the page, and what it uploads belongs to
// it: other users of this machine reach the same address, but see nothing of
// it. Only the cookie's hash is kept.
const cookieName = "holdfast-webui"

// ensureOwner gives a browser its cookie, once.
func ensureOwner(w http.ResponseWriter, r *http.Request) {
	if ownerOf(r) != "" {
		return
	}
	http.SetCookie(w, &http.Cookie{
		Name: cookieName, Value: rand.Text(), Path: "/", MaxAge: 400 * 24 * 60 * 60, // the longest that browsers keep
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
	})
}

func ownerOf(r *http.Request) string {
	cookie, err := r.Cookie(cookieName)
	if err != nil || len(cookie.Value) < len(rand.Text()) {
		return ""
	}
	sum := sha256.Sum256([]byte(cookie.Value))
	return hex.EncodeToString(sum[:])
}

type ownedHandler func(w http.ResponseWriter, r *http.Request, owner string)

// owned is for what a browser that had the page may do.
func (s *server) owned(next ownedHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		owner := ownerOf(r)
		if owner == "" {
			refuse(w, r, http.StatusUnauthorized, "this browser is not known here any more; load the page again")
			return
		}
		next(w, r, owner)
	}
}

// ownJob is for what the owner of a job may do to it.
func (s *server) ownJob(next func(http.ResponseWriter, *http.Request, *job)) http.HandlerFunc {
	return s.owned(func(w http.ResponseWriter, r *http.Request, owner string) {
		j, ok := s.board.get(owner, r.PathValue("id"))
		if !ok {
			refuse(w, r, http.StatusNotFound, "there is no such job; it may have been deleted")
			return
		}
		next(w, r, j)
	})
}
