"""Files that a good final image leaves out: compile-only sources, intermediate output, caches, repository data.

These rules judge a stranger's Dockerfile. A rule is by name, and holds for its ecosystem only (a `.go` file is
compile-only where the service is a compiled program). Those marked `unused` need the evidence that the original did not
open the file; a file that was opened is never excused by any rule.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from imgopt.inspect.built_site import serves_built_site
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.started import started_folders, started_program
from imgopt.inspect.words import words
from imgopt.proof.allowances import Drop


@dataclass(frozen=True, slots=True)
class Rule:
    """Paths that match may be left out. `unused`: only where it is known that the original did not open them."""

    reason: str
    pattern: re.Pattern[str]
    unused: bool = False
    whole: bool = False
    """Whole folders of the file system, whatever lies in them."""


def _folders(reason: str, names: str, *, unused: bool = False) -> Rule:
    choices = "|".join(re.escape(name) for name in words(names))
    return Rule(reason, re.compile(rf"(?:^|/)(?:{choices})(?:/|$)"), unused)


def _files(reason: str, globs: str, *, unused: bool = False) -> Rule:
    choices = "|".join(re.escape(name).replace(r"\*", "[^/]*") for name in words(globs))
    return Rule(reason, re.compile(rf"/(?:{choices})$"), unused)


def _below(reason: str, prefixes: str, *, unused: bool = False) -> Rule:
    choices = "|".join(re.escape(prefix).replace(r"\*", "[^/]*") for prefix in words(prefixes))
    return Rule(reason, re.compile(rf"^(?:{choices})(?:/|$)"), unused, whole=True)


GENERAL = (
    _folders("version control data", ".git .hg .svn"),
    _files("version control data", ".gitignore .gitattributes .gitmodules .gitkeep .keep .mailmap"),
    _folders("settings of editors and of the project's CI", ".github .gitlab .circleci .vscode .idea .devcontainer"),
    _files(
        "settings of editors and of the project's CI",
        ".gitlab-ci.yml .travis.yml .editorconfig .pre-commit-config.yaml Jenkinsfile azure-pipelines.yml .DS_Store "
        "renovate.json imgopt.toml .imgopt.toml .hadolint.yaml "
        ".dockerignore Dockerfile Dockerfile.* *.Dockerfile docker-compose*.yml docker-compose*.yaml "
        "compose.yml compose.yaml compose.*.yml compose.*.yaml",
    ),
    _folders("bytecode that Python makes again", "__pycache__"),
    _folders("cache of a tool", ".pytest_cache .mypy_cache .ruff_cache .tox .nox .eslintcache .parcel-cache"),
    Rule("cache of a tool", re.compile(r"/(?:node_modules/\.cache|\.next/cache|\.angular/cache)(?:/|$)")),
    Rule(
        "cache of a package manager",
        re.compile(
            r"^/(?:root|home/[^/]+)/(?:\.cache/(?:pip|uv|pypoetry/(?:cache|artifacts)|pipenv|virtualenv|pip-tools|"
            r"pdm|yarn|node-gyp|go-build|composer|bazel|pre-commit|node|typescript|Cypress)|\.npm|\.m2|\.gradle|\.cargo/(?:registry|git)|\.node-gyp|\.bundle/cache|"
            r"\.local/share/(?:pnpm/store|virtualenv)|\.pnpm-store|\.yarn/(?:berry/)?cache|\.nuget|\.composer/cache)(?:/|$)"
        ),
    ),
    _below("cache of a package manager", "/go/pkg /usr/local/cargo/registry /usr/local/share/.cache /.npm /.cache/pip"),
    _below("temporary files", "/tmp /var/tmp"),
    _below("a toolchain", "/usr/local/go /usr/local/cargo /usr/local/rustup /root/.rustup /root/.cargo", unused=True),
    _below("a build tool", "/opt/maven /opt/gradle /usr/share/maven /opt/poetry /opt/yarn-*", unused=True),
    _files(
        "documents of the project",
        "README* CHANGELOG* CHANGES* HISTORY* CONTRIBUTING* CODE_OF_CONDUCT* SECURITY.md AUTHORS* LICENSE* LICENCE* "
        "NOTICE* COPYING* TODO* CODEOWNERS",
        unused=True,
    ),
    _folders("tests of the project", "tests __tests__ test e2e cypress", unused=True),
    _files(
        "tests of the project",
        "test_*.py *_test.py conftest.py *_test.go *.test.js *.test.ts *.test.tsx *.test.jsx *.spec.js *.spec.ts "
        "pytest.ini tox.ini .coveragerc jest.config.* vitest.config.* playwright.config.* karma.conf.js phpunit.xml* "
        ".rspec",
        unused=True,
    ),
    _files(
        "settings of a formatter or linter",
        ".eslintrc* eslint.config.* .eslintignore .prettierrc* .prettierignore prettier.config.* .stylelintrc* .flake8 "
        ".pylintrc mypy.ini ruff.toml .ruff.toml .isort.cfg .rubocop.yml .golangci.yml .golangci.yaml rustfmt.toml "
        "clippy.toml checkstyle.xml phpcs.xml phpstan.neon .browserslistrc .nvmrc .node-version .python-version "
        ".tool-versions .ruby-version",
        unused=True,
    ),
    _files(
        "the list that dependencies were installed from",
        "requirements*.txt requirements*.in constraints*.txt Pipfile Pipfile.lock poetry.lock poetry.toml uv.lock "
        "pdm.lock pyproject.toml setup.py setup.cfg MANIFEST.in environment.yml package-lock.json yarn.lock .npmrc "
        "pnpm-lock.yaml .yarnrc .yarnrc.yml npm-shrinkwrap.json composer.lock",
        unused=True,
    ),
)

COMPILED = (
    _files("compiled into the program", "*.go go.mod go.sum go.work go.work.sum"),
    _files("compiled into the program", "*.rs Cargo.toml Cargo.lock rust-toolchain rust-toolchain.toml"),
    _files(
        "compiled into the program",
        "*.c *.cc *.cpp *.cxx *.h *.hh *.hpp *.hxx *.s *.S *.o *.a *.d *.cmake CMakeLists.txt Makefile *.mk configure "
        "meson.build BUILD.bazel WORKSPACE *.zig *.nim *.swift *.cs *.csproj *.fs *.fsproj *.sln *.props *.targets",
    ),
    Rule("intermediate output of the compiler", re.compile(r"/target/(?:debug|release)/")),
    Rule(
        "intermediate output of the compiler", re.compile(r"/target/(?:CACHEDIR\.TAG|\.rustc_info\.json|\.future.*)$")
    ),
    Rule("intermediate output of the compiler", re.compile(r"/CMakeFiles/")),
    Rule("intermediate output of the compiler", re.compile(r"/obj/"), unused=True),
)

JAVA = (
    _files(
        "compiled into the archive",
        "*.java *.kt *.kts *.scala *.groovy pom.xml build.gradle settings.gradle gradle.properties gradlew gradlew.bat "
        "mvnw mvnw.cmd lombok.config *.class",
    ),
    _folders("part of the build", ".mvn gradle .gradle"),
    Rule("packed into the archive", re.compile(r"/src/(?:main|test)/"), unused=True),
    Rule("intermediate output of the build", re.compile(r"/target/(?!.*\.(?:jar|war)$)")),
    Rule("intermediate output of the build", re.compile(r"/build/(?!.*\.(?:jar|war)$)")),
    Rule(
        "another archive of the same build",
        re.compile(r"/(?:target|build)/.*\.(?:jar|war)(?:\.original)?$"),
        unused=True,
    ),
)

TYPESCRIPT = (
    _files("compiled to JavaScript", "*.ts *.tsx *.mts *.cts tsconfig*.json *.tsbuildinfo nest-cli.json .swcrc"),
    _files(
        "settings of a bundler", "webpack.config.* rollup.config.* vite.config.* babel.config.* .babelrc", unused=True
    ),
)

STATIC_SITE = (
    Rule("bundled into the site", re.compile(r"/(?:src|public|scripts|\.storybook|stories)/"), unused=True),
    _files(
        "bundled into the site",
        "package.json index.html webpack.config.* vite.config.* craco.config.* postcss.config.* tailwind.config.* "
        "babel.config.* .babelrc tsconfig*.json *.ts *.tsx .env .env.*",
        unused=True,
    ),
    _folders("packages that built the site", "node_modules", unused=True),
)


def derived_drops(original: ImageView, opened: frozenset[str] | None) -> tuple[Drop, ...]:
    """What any rewrite of this image may leave out, from the image's own start command and the files it opened."""
    rules = [rule for rule in _rules(original, opened) if not rule.unused or opened is not None]
    kept = _class_folders(opened or frozenset())
    own = tuple(folder + "/" for folder in started_folders(original))
    return tuple(
        Drop(rule.reason, matches=_unless_opened(rule.pattern, opened, (*kept, *_covered(rule, own)))) for rule in rules
    )


def _covered(rule: Rule, folders: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(folder for folder in folders if rule.whole and rule.pattern.search(folder + "x"))


_CLASS_FOLDER = re.compile(r"(.*/(?:target|build|out|bin)/(?:classes|production|main|resources)(?:/\w+/main)?)/")


def _class_folders(opened: frozenset[str]) -> tuple[str, ...]:
    """Folders that are on a class path, for a class or a resource in them was opened: what lies beside it may be asked
    for later."""
    found = {match[1] for path in opened if (match := _CLASS_FOLDER.match(path))}
    loose = {posixpath.dirname(path) for path in opened if path.endswith(".class")}
    return tuple(folder + "/" for folder in sorted(found | loose))


def _unless_opened(
    pattern: re.Pattern[str], opened: frozenset[str] | None, kept: tuple[str, ...]
) -> Callable[[str], bool]:
    used = opened or frozenset()
    return lambda path: path not in used and not path.startswith(kept) and pattern.search(path) is not None


def _rules(original: ImageView, opened: frozenset[str] | None) -> Iterator[Rule]:
    yield from GENERAL
    program = started_program(original)
    if program == "compiled":
        yield from COMPILED
    if program == "java":
        yield from JAVA
    if program == "node":
        yield from TYPESCRIPT
    if serves_built_site(original, opened):
        yield from STATIC_SITE
