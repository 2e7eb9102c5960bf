package main

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"path/filepath"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/yuin/goldmark"
)

// Site answers pages; templates and content are read when they are asked for, so an editor sees a change at once.
type Site struct {
	Config Config
	Now    func() time.Time
}

func (s Site) render(w http.ResponseWriter, page string, data any) {
	files := []string{filepath.Join("templates", "layout.html"), filepath.Join("templates", page)}
	parsed, err := template.ParseFiles(files...)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	var out bytes.Buffer
	if err := parsed.ExecuteTemplate(&out, "layout", map[string]any{"Title": s.Config.Title, "Page": data}); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = out.WriteTo(w)
}

// Clock shows the date in every city of the configuration.
func (s Site) Clock(w http.ResponseWriter, _ *http.Request) {
	type row struct{ City, Date, Offset string }
	var rows []row
	for _, city := range s.Config.Cities {
		zone, err := time.LoadLocation(city.Zone)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		now := s.Now().In(zone)
		rows = append(rows, row{city.Name, now.Format("Monday, 2 January 2006"), now.Format("-07:00")})
	}
	s.render(w, "clock.html", rows)
}

// Article shows content/NAME.md.
func (s Site) Article(w http.ResponseWriter, r *http.Request) {
	text, err := fs.ReadFile(contentFolder(), filepath.Clean(chi.URLParam(r, "name"))+".md")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		http.NotFound(w, r)
		return
	}
	var out bytes.Buffer
	if err == nil {
		err = goldmark.Convert(text, &out)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	s.render(w, "article.html", template.HTML(out.String()))
}
