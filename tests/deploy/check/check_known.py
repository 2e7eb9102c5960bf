"""Images, and what runs of them showed, that the example files name in their first line
(`# with: image facts`)."""

from __future__ import annotations

from imgopt.deploy.check.examples import facts, stop
from imgopt.deploy.check.rule import Image
from imgopt.image.recipe import PROGRAM, File, Files
from imgopt.results.run_facts import ImageFacts, Route, Written

_FILES: Files = {
    "/bin/sh": PROGRAM,
    "/usr/bin/wget": PROGRAM,
    "/usr/bin/java": PROGRAM,
    "/usr/local/bin/python": PROGRAM,
    "/sbin/tini": PROGRAM,
    "/app/shop": PROGRAM,
    "/app/ready.py": "import this\n",
    "/etc/passwd": "root:x:0:0::/:/bin/sh\nshop:x:65532:65532::/app:/bin/sh\n",
}
_CONFIG = {
    "User": "65532:65532",
    "Entrypoint": ["/app/shop"],
    "ExposedPorts": {"8080/tcp": {}},
    "WorkingDir": "/app",
}
_CLOSED: Files = {
    "/app": File(mode=0o700, uid=65532, folder=True),
    "/app/shop": File("\x7fELF", 0o700, 65532),
}
IMAGES = {
    "image": Image(_FILES, _CONFIG),
    "named": Image(_FILES, {**_CONFIG, "User": "shop"}),
    "closed": Image({**_FILES, **_CLOSED}, _CONFIG),
    "init": Image(_FILES, {**_CONFIG, "Entrypoint": ["/sbin/tini", "--", "/app/shop"]}),
    "java": Image(_FILES, {**_CONFIG, "Entrypoint": ["java", "-jar", "/app/shop.jar"]}),
}
_SHOP = {
    "reference": "registry.example/shop:1.4",
    "entrypoint": ["/app/shop"],
    "stops": [stop(), stop(in_flight=4, finished=4, refused=2, seconds=1.5)],
    "routes": [Route(path="/livez", port=8080, seconds=0.01)],
    "written": [Written(folder="/tmp", bytes=2 << 20, files=3)],
    "longest_answer_seconds": 1.5,
}
_SLOW = {**_SHOP, "longest_answer_seconds": 8.0}
FACTS: dict[str, ImageFacts] = {
    "facts": facts(**_SHOP),
    "killed": facts(**{**_SLOW, "stops": [stop(seconds=10.0, killed=True, exit_code=137)]}),
    "cut": facts(**{**_SLOW, "stops": [stop(in_flight=4, finished=1, cut=3, refused=1)]}),
    "slow": facts(**_SLOW),
}
