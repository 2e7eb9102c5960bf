package main

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestClockShowsEveryCity(t *testing.T) {
	noon := func() time.Time { return time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC) }
	config, err := readConfig("config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	routes(Site{config, noon}).ServeHTTP(answer, httptest.NewRequest("GET", "/", nil))
	for _, city := range config.Cities {
		if !strings.Contains(answer.Body.String(), city.Name) {
			t.Errorf("%s is not shown: %s", city.Name, answer.Body)
		}
	}
}

func TestNoArticleOutsideTheFolder(t *testing.T) {
	answer := httptest.NewRecorder()
	routes(Site{}).ServeHTTP(answer, httptest.NewRequest("GET", "/articles/..%2Fgo.mod", nil))
	if answer.Code != 404 {
		t.Errorf("got %d", answer.Code)
	}
}
