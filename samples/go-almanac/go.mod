module example.org/almanac

go 1.22

require (
	github.com/go-chi/chi/v5 v5.1.0
	github.com/yuin/goldmark v1.7.8
	gopkg.in/yaml.v3 v3.0.1
)
