package main

import (
	"embed"
	"net/http"
)

//go:embed page
var page embed.FS

func (s *server) getPage(w http.ResponseWriter, r *http.Request) {
	ensureOwner(w, r)
	http.ServeFileFS(w, r, page, "page/index.html")
}

func pageFiles() http.Handler { return http.FileServerFS(page) }
