# Three images of one shop, out of one folder.
variable "PYTHON" {
  default = "3.11"
}

group "default" {
  targets = ["api", "worker", "report"]
}

target "common" {
  context    = "."
  dockerfile = "images.Dockerfile"
  args = {
    PYTHON = PYTHON
  }
}

target "api" {
  inherits = ["common"]
  target   = "api"
}

target "worker" {
  inherits = ["common"]
  target   = "worker"
}

target "report" {
  inherits   = ["common"]
  dockerfile = "report/Dockerfile"
}
