// Almanac is a small site: today's date around the world, and a few articles.
package main

import (
	"context"
	"errors"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
	"gopkg.in/yaml.v3"
)

// City is a place with its time zone's name.
type City struct {
	Name string `yaml:"name"`
	Zone string `yaml:"zone"`
}

// Config is config.yaml.
type Config struct {
	Title  string `yaml:"title"`
	Cities []City `yaml:"cities"`
}

func contentFolder() fs.FS { return os.DirFS("content") }

func readConfig(path string) (Config, error) {
	var config Config
	text, err := os.ReadFile(path)
	if err != nil {
		return config, err
	}
	return config, yaml.Unmarshal(text, &config)
}

func routes(site Site) http.Handler {
	router := chi.NewRouter()
	router.Use(middleware.Logger, middleware.Recoverer)
	router.Get("/", site.Clock)
	router.Get("/articles/{name}", site.Article)
	router.Get("/health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	router.Handle("/static/*", http.StripPrefix("/static/", http.FileServer(http.Dir("static"))))
	return router
}

func main() {
	path := os.Getenv("ALMANAC_CONFIG")
	if path == "" {
		path = "config.yaml"
	}
	config, err := readConfig(path)
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: routes(Site{config, time.Now}), ReadHeaderTimeout: 5 * time.Second}
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		<-ctx.Done()
		_ = server.Shutdown(context.Background())
	}()
	log.Printf("listening on %s", listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	log.Print("closed")
}
