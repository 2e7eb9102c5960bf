"""What `make falsify` does to services: changes that break them where no probe looks, all of which
the proof has to refute, and changes that nobody would notice, all of which it has to prove.

Each is a few lines behind `FROM` the built sample. The samples are made larger first (`GROWN`):
with an account, a folder that hands on its group, a migration, a job for cron, a child process, and
a source that asks for tables, programs, modules and users on a path that no request takes.

`{command}` and `{whole}` stand for the words of the start, `{rare}` for that source, `{squashed}`
for the same image in one layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

PYTHON, NODE, GO = "flask-notes", "express-links", "go-almanac"
SAMPLES = (PYTHON, NODE, GO)


@dataclass(frozen=True)
class Change:
    """Lines of a Dockerfile behind `FROM original`; `samples` are those in which they matter."""

    kind: str
    name: str
    lines: str
    samples: tuple[str, ...] = SAMPLES


ENTRY = r"""
COPY --chmod=755 <<'EOF' /usr/local/bin/entry
#!/bin/sh
set -e
export FACTOR=3
umask 027
mkdir -p /var/lib/app
echo 1 > /var/lib/app/migrated
sleep infinity &
exec "$@"
EOF
COPY --chmod=4755 <<'EOF' /usr/local/bin/tidy
#!/bin/sh
rm -rf /var/spool/app/*
EOF
COPY --chmod=755 <<'EOF' run.sh
#!/bin/sh
docker build -t notes .
docker run --rm -p 8000:8000 notes
EOF
COPY <<'EOF' settings.yml
user: mail
owner: keeper
spool: /var/spool/app
EOF
RUN useradd --system --uid 900 --no-create-home keeper && mkdir -p /var/spool/app \
 && chown keeper:keeper /var/spool/app && chmod 2770 /var/spool/app
RUN mkdir -p migrations /etc/cron.d .vscode && echo '0 3 * * * root tidy' > /etc/cron.d/app \
 && echo 'CREATE TABLE notes (id INT);' > migrations/001.sql && echo '{}' > .vscode/settings.json \
 && echo 'machine example.com login me' > /root/.netrc && echo 'UNREAD=1' > .env \
 && ln -s tidy /usr/local/bin/clean && mkdir -p /var/log && ln -s /dev/stdout /var/log/app.log
ENV MODE=web TZ=Europe/Berlin
LABEL team=a
ENTRYPOINT ["/usr/local/bin/entry"]
"""
GROWN: Mapping[str, str] = {
    PYTHON: r"""
COPY <<'EOF' rare.py
import ctypes.util
import mimetypes
import socket
import subprocess


def report(path):
    import colorsys
    import wave

    subprocess.run(["wget", "--version"], check=True)
    library = ctypes.util.find_library("curl")
    return mimetypes.guess_type(path), socket.getservbyname("ldap"), library, wave, colorsys
EOF
CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "4", "notes:app"]
""",
    NODE: r"""
RUN mkdir -p node_modules/rarely && echo 'module.exports = 1' > node_modules/rarely/index.js \
 && echo '{"name":"rarely","version":"1.0.0"}' > node_modules/rarely/package.json
COPY <<'EOF' dist/src/rare.js
const dns = require("node:dns");
const { execFile } = require("node:child_process");

exports.report = (done) => {
  const rarely = require("rarely");
  execFile("wget", ["--version"], done);
  dns.lookupService("127.0.0.1", 389, done);
  return rarely;
};
EOF
CMD ["node", "dist/src/server.js"]
""",
    GO: r"""
COPY <<'EOF' rare.go
package main

import (
	"mime"
	"net"
	"os"
	"os/exec"
	"os/user"
)

func init() {
	if os.Getenv("RARE") == "1" {
		_ = exec.Command("wget", "--version").Run()
		_, _ = net.LookupPort("tcp", "ldap")
		_, _ = user.Lookup("mail")
		_ = mime.TypeByExtension(".epub")
	}
}
EOF
RUN go build -o almanac .
CMD ["./almanac"]
""",
}
RARE = {PYTHON: "rare.py", NODE: "dist/src/rare.js", GO: "templates/layout.html"}
"""A source; of Go one that is read while it runs."""
_SITE = "/usr/local/lib/python3.11/site-packages"
_LIBRARIES = "/usr/lib/x86_64-linux-gnu"
_FIRST = "RUN mkdir -p /opt/first"

FALSE: tuple[Change, ...] = (
    Change("environment", "a variable is lost", "ENV MODE="),
    Change("environment", "a variable has another value", "ENV MODE=worker"),
    Change("environment", "a variable is new", "ENV NODE_ENV=production PYTHONOPTIMIZE=2 GOGC=5"),
    Change("environment", "data lie in another folder", "ENV NOTES_FOLDER=/tmp/notes", (PYTHON,)),
    Change("environment", "another file of settings", "ENV ALMANAC_CONFIG=/app/config.yaml", (GO,)),
    Change(
        "search path",
        "a program of that name is found first",
        f"{_FIRST} && printf '#!/bin/sh\\nexit 1\\n' > /opt/first/wget"
        " && chmod +x /opt/first/wget\n"
        "ENV PATH=/opt/first:$PATH",
    ),
    Change(
        "search path",
        "a module of that name is found first",
        f"{_FIRST} && echo 'raise SystemExit' > /opt/first/wave.py\nENV PYTHONPATH=/opt/first",
        (PYTHON,),
    ),
    Change(
        "search path",
        "a library of that name is found first",
        f"{_FIRST} && echo x > /opt/first/libcurl.so.4\nENV LD_LIBRARY_PATH=/opt/first",
        (PYTHON,),
    ),
    Change("start", "another program", 'ENTRYPOINT ["sleep"]\nCMD ["1000"]'),
    Change("start", "without the entry script", "ENTRYPOINT []\nCMD [{command}]"),
    Change(
        "start",
        "fewer workers",
        'CMD ["gunicorn", "--bind", "0.0.0.0:8000", "--workers", "1", "notes:app"]',
        (PYTHON,),
    ),
    Change(
        "start",
        "a smaller heap",
        'CMD ["node", "--max-old-space-size=64", "dist/src/server.js"]',
        (NODE,),
    ),
    Change("launcher", "a variable is not handed on", "RUN sed -i /FACTOR/d /usr/local/bin/entry"),
    Change("launcher", "its files are for everybody", "RUN sed -i s/027/000/ /usr/local/bin/entry"),
    Change(
        "launcher",
        "an own one sets a variable more",
        'ENTRYPOINT ["/usr/bin/env", "EXTRA=1", "/usr/local/bin/entry"]\nCMD [{command}]',
    ),
    Change("child process", "it is not started", "RUN sed -i /sleep/d /usr/local/bin/entry"),
    Change(
        "child process",
        "another one runs beside it",
        'ENTRYPOINT ["/bin/sh", "-c", "sleep 999 & exec entry \\"$@\\"", "-"]\nCMD [{command}]',
    ),
    Change("migration", "a step is lost", "RUN rm migrations/001.sql"),
    Change("migration", "it is not run", "RUN sed -i /migrated/d /usr/local/bin/entry"),
    Change("cron job", "it is lost", "RUN rm /etc/cron.d/app"),
    Change("cron job", "its program is lost", "RUN rm /usr/local/bin/tidy"),
    Change("table", "media types", "RUN rm /etc/mime.types", (PYTHON, GO)),
    Change("table", "names of ports", "RUN rm /etc/services"),
    Change(
        "table",
        "hosts of a file are not found",
        "RUN sed -i 's/^hosts:.*/hosts: dns/' /etc/nsswitch.conf",
    ),
    Change("clock zone", "its file is lost", "RUN rm -r /usr/share/zoneinfo/Europe", (PYTHON, GO)),
    Change("clock zone", "the variable is another one", "ENV TZ=Asia/Tokyo"),
    Change(
        "clock zone", "the clock is", "RUN ln -sf /usr/share/zoneinfo/Asia/Tokyo /etc/localtime"
    ),
    Change("account", "one that settings name", "RUN sed -i /^mail:/d /etc/passwd"),
    Change("account", "one that a step made", "RUN sed -i /^keeper:/d /etc/passwd"),
    Change("account", "its group", "RUN sed -i /^keeper:/d /etc/group"),
    Change("account", "the service's own", "RUN sed -i /^root:/d /etc/passwd"),
    Change("rights", "a user who may not write", "USER 65534"),
    Change("rights", "a user of the image who may not", "USER mail"),
    Change("rights", "a folder hands on no group", "RUN chmod g-s /var/spool/app"),
    Change("rights", "a program keeps its caller", "RUN chmod u-s /usr/local/bin/tidy"),
    Change("rights", "everybody may write settings", "RUN chmod 666 settings.yml"),
    Change("folder", "an empty one is lost", "RUN rmdir /var/spool/app"),
    Change("folder", "a link to the log is lost", "RUN rm /var/log/app.log"),
    Change("file", "a source is lost", "RUN rm {rare}"),
    Change("file", "a source is edited", "RUN echo ' ' >> {rare}"),
    Change("file", "settings of root are lost", "RUN rm /root/.netrc"),
    Change("file", "a link leads elsewhere", "RUN ln -sf /bin/true /usr/local/bin/clean"),
    Change("error path", "its schema is lost", "RUN rm schema.sql", (PYTHON,)),
    Change("error path", "its page is lost", "RUN rm views/missing.ejs", (NODE,)),
    Change("error path", "an article is lost", "RUN rm -r content", (GO,)),
    Change("program", "one of a rare path is lost", "RUN rm /usr/bin/wget"),
    Change("program", "it may not be executed", "RUN chmod a-x /usr/bin/wget"),
    Change(
        "module",
        "one of the language is lost",
        "RUN rm /usr/local/lib/python3.11/wave.py",
        (PYTHON,),
    ),
    Change(
        "module",
        "another one that only a function imports",
        "RUN rm /usr/local/lib/python3.11/colorsys.py",
        (PYTHON,),
    ),
    Change("module", "a package of a rare path", "RUN rm -r node_modules/rarely", (NODE,)),
    Change(
        "module",
        "a package is another build",
        "RUN find node_modules/zod -name '*.js' -exec sh -c 'echo // >> $0' {} ';'",
        (NODE,),
    ),
    Change(
        "module",
        "a library has another default",
        f"RUN sed -i 's/DEFAULT\": None/DEFAULT\": 9/' {_SITE}/flask/app.py",
        (PYTHON,),
    ),
    Change(
        "library",
        "one that is found by its name",
        f"RUN rm {_LIBRARIES}/libcurl.so* && ldconfig",
        (PYTHON,),
    ),
    Change("library", "one of a rare program", f"RUN rm {_LIBRARIES}/libpcre2-8.so*"),
    Change("certificates", "they are lost", "RUN rm /etc/ssl/certs/ca-certificates.crt"),
    Change(
        "certificates",
        "fewer are trusted",
        "RUN head -40 /etc/ssl/certs/ca-certificates.crt > /opt/own.pem\n"
        "ENV SSL_CERT_FILE=/opt/own.pem",
    ),
    Change("signal", "another one stops it", "STOPSIGNAL SIGUSR1"),
    Change(
        "signal",
        "it takes no notice of SIGTERM",
        'ENTRYPOINT ["/bin/sh", "-c", "trap \'\' TERM; entry \\"$@\\" & wait", "-"]\n'
        "CMD [{command}]",
    ),
    Change(
        "picked up by name",
        "settings that the server looks for",
        "RUN echo 'timeout = 1' > gunicorn.conf.py",
        (PYTHON,),
    ),
    Change(
        "picked up by name",
        "a module that every start runs",
        f"RUN echo 'import socket; socket.setdefaulttimeout(9)' > {_SITE}/sitecustomize.py",
        (PYTHON,),
    ),
    Change("configuration", "a port is new", "EXPOSE 9999"),
    Change("configuration", "a volume is new", "VOLUME /var/spool/app"),
    Change("configuration", "a label is another one", "LABEL team=b"),
    Change("configuration", "it works elsewhere", "WORKDIR /var/spool"),
)
"""Changes that break something."""

HARMLESS: tuple[Change, ...] = (
    Change("nothing", "a label more", "LABEL note=x"),
    Change("nothing", "another author", "LABEL org.opencontainers.image.authors=them"),
    Change("file more", "a document", "RUN echo x > /usr/share/words-of-ours"),
    Change("file less", "the Dockerfile", "RUN rm -f Dockerfile imgopt.toml"),
    Change("file less", "the script that runs the container", "RUN rm run.sh"),
    Change("file less", "variables that nothing reads", "RUN rm .env"),
    Change("file less", "settings of an editor", "RUN rm -r .vscode"),
    Change("file less", "documents", "RUN rm -f README.md"),
    Change("file less", "tests", "RUN rm -rf tests test *_test.go"),
    Change(
        "file less",
        "lists of packages",
        "RUN rm -f requirements.txt requirements-dev.txt package-lock.json go.sum",
    ),
    Change(
        "file less", "caches of installers", "RUN rm -rf /root/.cache /root/.npm /var/lib/apt/lists"
    ),
    Change("file less", "manuals", "RUN rm -rf /usr/share/doc /usr/share/man /usr/share/info"),
    Change("file less", "what is temporary", "RUN rm -rf /tmp/* /var/tmp/*"),
    Change("file less", "sources of what is compiled", "RUN rm -f src/*.ts tsconfig.json", (NODE,)),
    Change("tool less", "the toolchain", "RUN rm -rf /usr/local/go /go", (GO,)),
    Change("tool less", "installers", "RUN pip uninstall -y pip setuptools wheel", (PYTHON,)),
    Change(
        "tool less",
        "a compiler of the system",
        "RUN dpkg --purge --force-depends gcc",
        (PYTHON,),
    ),
    Change("tool less", "a package for development", "RUN rm -r node_modules/@types", (NODE,)),
    Change("rebuilt", "other times", "RUN find . -xdev -type f -exec touch {} +"),
    Change("rebuilt", "in one layer", "{squashed}"),
    Change("environment", "output is not buffered", "ENV PYTHONUNBUFFERED=1"),
    Change(
        "environment",
        "a folder more to look for programs",
        "RUN mkdir /opt/none\nENV PATH=$PATH:/opt/none",
    ),
    Change(
        "search path",
        "a folder more to look for packages",
        f"{_FIRST}/extra && echo 'throw 1' > /opt/first/extra/index.js\nENV NODE_PATH=/opt/first",
        (NODE,),
    ),
    Change("account", "one more", "RUN useradd --uid 950 extra"),
    Change("start", "by the program's whole path", "CMD [{whole}]"),
)
"""Changes that nobody notices."""
