// A small HTTP service whose start and stop are set by its environment, to show what each mistake in
// a deployment costs: START_MS before it listens, WORK_MS of one request, HOLD_MB of memory that it
// fills, DRAIN=1 to finish what is in flight on SIGTERM (without it, SIGTERM ends it at once).
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

func number(name string) int {
	value, _ := strconv.Atoi(os.Getenv(name))
	return value
}

func milliseconds(name string) time.Duration {
	return time.Duration(number(name)) * time.Millisecond
}

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	if os.Getenv("DRAIN") == "" {
		go func() { <-told; os.Exit(143) }()
	}
	held := make([]byte, number("HOLD_MB")<<20)
	for at := range held {
		held[at] = byte(at)
	}
	time.Sleep(milliseconds("START_MS"))
	work := milliseconds("WORK_MS")
	http.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(work)
		fmt.Fprintln(w, "hello", len(held))
	})
	server := &http.Server{Addr: ":8080"}
	ended := make(chan struct{})
	if os.Getenv("DRAIN") != "" {
		go func() {
			<-told
			_ = server.Shutdown(context.Background())
			close(ended)
		}()
	}
	fmt.Println("listening on", server.Addr)
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fmt.Println(err)
		os.Exit(1)
	}
	<-ended
}
