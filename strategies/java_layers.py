"""java-layers: a Spring Boot archive beside its libraries, so that an edit of the source ships
kilobytes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from imgopt.image.bootjar import LIBRARIES, BootJar, read_boot_jar
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.final.copies import STABLE_ROOTS
from imgopt.rewrite.final.fates import is_below
from imgopt.rewrite.final.final_stage import Copy, FinalStage
from imgopt.rewrite.image_examples import PYTHON_BUILD, SOURCE, WORKDIR, python_example
from imgopt.rewrite.lines.quoting import shell_word
from imgopt.rewrite.strategy import Change, Situation, Skip, Strategy

FOLDER = "/staging/layers"
"""Where the builder takes the archive apart."""
FIRST = (3, 3)
"""Spring Boot from here on has `-Djarmode=tools`, whose archive starts by `java -jar` as before."""
LEAST_BYTES = 1_000_000


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """The one Spring Boot archive that the final stage copies, where its start is a plain `java
    -jar`."""
    evidence, final = situation.evidence, situation.final
    if evidence is None or final is None:
        return
    found = [
        (path, jar)
        for path in sorted(final.carved.paths("kept"))
        if (jar := _boot_jar(evidence, path))
    ]
    line = situation.stage.line
    if len(found) > 1:
        yield Skip(f"{found[0][0]} and {found[1][0]} are both archives of Spring Boot", line)
    if len(found) != 1:
        return
    path, jar = found[0]
    refusal = _refusal(evidence, final, path, jar)
    yield Skip(refusal, line) if refusal else _layered(evidence, final, path, jar, line)


def _boot_jar(evidence: Evidence, path: str) -> BootJar | None:
    node = (
        evidence.view.file(path)
        if path.endswith((".jar", ".war")) and path in evidence.opened
        else None
    )
    if node is None:
        return None
    with node.open() as file:
        return read_boot_jar(file)


def _refusal(evidence: Evidence, final: FinalStage, path: str, jar: BootJar) -> str:
    version = ".".join(map(str, jar.version))
    start = " ".join([*(evidence.config.entrypoint or ()), *(evidence.config.cmd or ())])
    environment = evidence.config.environment
    size = evidence.facts[path].size
    node = evidence.view.file(path)
    if not any(path in copy.sources or _is_inside(path, copy) for copy in final.copies):
        return f"{path} is copied with its whole folder"
    if jar.version[:2] < FIRST:
        return f"Spring Boot {version} takes its archive apart only for another start command"
    if path.endswith(".war") or not jar.manifest.get("Main-Class", "").endswith(".JarLauncher"):
        return f"{path} has a start of its own ({jar.manifest.get('Main-Class', '')})"
    if node is not None and not node.read(2).startswith(b"PK"):
        return f"{path} is executable by itself"
    if (
        not any(name.startswith(f"{LIBRARIES}spring-boot-jarmode-tools-") for name in jar.members)
        or not jar.layers
    ):
        return f"{path} was built without its tools or layers"
    if (
        not re.search(r"(?:^|[ /])java(?: [^|;&<>]*)? -jar ", start)
        or "-cp " in start
        or "-javaagent" in start
    ):
        return "the start is not a plain `java -jar`"
    if "loader." in start or any(
        name.startswith("LOADER_") or "loader." in environment[name] for name in environment
    ):
        return "the start has settings of Spring Boot's loader"
    return f"{path} is {size} bytes only" if size < LEAST_BYTES else ""


def _layered(evidence: Evidence, final: FinalStage, path: str, jar: BootJar, line: int) -> Change:
    """Libraries at the place of the archive, each layer by itself and in front of the source's
    files; the archive, small now, comes last of all."""
    folder = posixpath.dirname(path).rstrip("/") + "/"
    name = _free_name(evidence, path)
    pattern = final.patterns.get(path, "")
    archive = pattern if re.fullmatch(r"[\w./*+-]+", pattern) else shell_word(path)
    command = f"java -Djarmode=tools -jar {archive} extract --layers --destination {FOLDER}"
    command += f" --libraries {name}" if name != "lib" else ""
    if any(_is_inside(path, copy) for copy in final.copies):
        command += f" && rm {archive}"
    application = "application" if "application" in jar.layers else list(jar.layers)[-1]
    layers = [layer for layer in jar.layers_with_libraries() if layer != application]
    copies = [copy for copy in (_without(copy, path) for copy in final.copies) if copy is not None]
    stable = [copy for copy in copies if copy.stage or copy.sources[0].startswith(STABLE_ROOTS)]
    libraries = [Copy((f"{FOLDER}/{layer}/",), folder) for layer in layers]
    source = [copy for copy in copies if copy not in stable]
    copies = [*stable, *libraries, *source, Copy((f"{FOLDER}/{application}/",), folder)]
    size = sum(1 for _ in jar.libraries)
    new = replace(final, copies=tuple(copies), prepare=(*final.prepare, command))
    because = (
        f"the {size} libraries of {posixpath.basename(path)} lie beside it, in layers of their own:"
        " an edit of the source ships the application's own classes instead of"
        f" {evidence.facts[path].size / 1e6:.1f} MB"
    )
    return Change(because, line, final=new)


def _is_inside(path: str, copy: Copy) -> bool:
    """Whether it comes with a folder that is copied whole from the builder, to where it lies."""
    return not copy.stage and copy.sources == (copy.destination,) and is_below(path, copy.sources)


def _free_name(evidence: Evidence, path: str) -> str:
    """The folder of the libraries: `lib` where nothing of that name is there."""
    folder = posixpath.dirname(path)
    stem = re.sub(r"[^\w-]", "-", posixpath.basename(path).removesuffix(".jar"))
    names = ("lib", f"{stem}-lib", f"{stem}-libraries")
    return next(
        name for name in names if evidence.tree.resolve(posixpath.join(folder, name)) is None
    )


def _without(copy: Copy, path: str) -> Copy | None:
    if path not in copy.sources:
        return copy
    left = tuple(source for source in copy.sources if source != path)
    if not left:
        return None
    folder = (
        copy.destination if len(copy.sources) > 1 else posixpath.dirname(copy.destination) + "/"
    )
    return replace(copy, sources=left, destination=folder if len(left) > 1 else left[0])


STRATEGY = Strategy(
    name="java-layers",
    does="Parts a Spring Boot archive into libraries and code.",
    why=(
        "Spring Boot packs an application with all its libraries into one archive: every edit ships"
        " tens of megabytes, which cannot share a layer with the image before, and the libraries"
        " are read through a loader. Spring Boot's own tool takes it apart; the archive keeps its"
        " path and its start command, and names the libraries beside it."
    ),
    safety="evidence",
    doubt=45,
    references=("https://docs.spring.io/spring-boot/reference/packaging/efficient.html",),
    rewrite=rewrite,
    refuses=(
        "Spring Boot before 3.3, whose tool needs another start; wars, archives that are executable"
        " by themselves or have another launcher; settings of the loader; any start but a plain"
        " `java -jar`."
    ),
    evidence_examples=(
        python_example(
            "an archive that is none of Spring Boot",
            before=(
                "FROM eclipse-temurin:17\nWORKDIR /app\nCOPY . .\nRUN make\n"
                'CMD ["java", "-jar", "app.jar"]\n'
            ),
            layers=(WORKDIR, SOURCE, ("RUN make", {"/app/app.jar": b"PK\x05\x06" + bytes(18)})),
            config={"Cmd": ["java", "-jar", "app.jar"], "WorkingDir": "/app"},
            opened=frozenset(["/app/app.jar"]),
        ),
        python_example("no archive", before=PYTHON_BUILD, layers=(WORKDIR, SOURCE)),
    ),
)
