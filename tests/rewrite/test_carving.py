"""Carving by path facts alone: who goes where, and the fewest COPY lines."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.rewrite.final.copies import plan_copies
from imgopt.rewrite.final.fates import CarveRules, PathFact, carve, drop_rules
from imgopt.rewrite.final.final_stage import Copy


def facts(*paths: str, size: int = 10, layer: int = 1) -> dict[str, PathFact]:
    return {path: PathFact(path, "file", size, layer) for path in paths}


def rules(*, compiled: bool = False, opened: frozenset[str] = frozenset()) -> CarveRules:
    drops = drop_rules(builtin_ecosystems(), ["/root"], compiled=compiled)
    owners = {"/usr/bin/gcc": "gcc", "/usr/lib/libpq.so.5": "libpq5"}
    return CarveRules(drops, opened, owners.get, frozenset(["libpq5"]), frozenset([7]))


def fate(path: str, **options: bool) -> str:
    found = carve(
        facts(path, layer=7 if path.startswith("/usr/share") else 1).values(), rules(**options)
    )
    return found.fates[path].fate


def test_what_no_rule_drops_is_kept() -> None:
    assert fate("/app/data.bin") == "kept"


def test_source_is_dropped_only_where_the_image_starts_a_compiled_program() -> None:
    assert (fate("/app/main.go"), fate("/app/main.go", compiled=True)) == ("kept", "dropped")


def test_caches_of_bundlers_go_and_what_next_reads_while_it_runs_stays() -> None:
    gone = (
        "/app/.next/cache/webpack/client/0.pack",
        "/app/tsconfig.tsbuildinfo",
        "/app/node_modules/.cache/b/x.json",
    )
    kept = (
        "/app/.next/cache/fetch-cache/1",
        "/app/.next/server/app/page.js",
        "/app/cache/webpack/x",
    )
    assert [fate(path) for path in (*gone, *kept)] == ["dropped"] * 3 + ["kept"] * 3


def test_packages_of_another_language_go_where_a_compiled_program_opens_nothing_of_them() -> None:
    path = "/app/web/node_modules/react/index.js"
    assert (fate(path), fate(path, compiled=True)) == ("kept", "dropped")
    served = frozenset(["/app/web/node_modules/bootstrap/dist/b.css"])
    opened = carve(facts(path, *served).values(), rules(compiled=True, opened=served))
    assert opened.fates[path].fate == "kept"


def test_mavens_repository_of_the_project_goes_and_the_archive_stays() -> None:
    jar, link = "/app/target/rates.jar", "/app/target/project-local-repo/org/rates/1/rates-1.jar"
    carved = carve(facts(jar, link).values(), rules(compiled=True, opened=frozenset([jar])))
    assert (carved.fates[jar].fate, carved.fates[link].fate) == ("kept", "dropped")


def test_what_only_a_build_or_a_repository_reads_goes_beside_a_compiled_program() -> None:
    paths = (
        "/app/Makefile",
        "/app/web/.gitignore",
        "/app/.github/workflows/ci.yml",
        "/app/README.md",
        "/app/mk/x",
    )
    assert [fate(path, compiled=True) for path in paths] == [
        "dropped",
        "dropped",
        "dropped",
        "kept",
        "kept",
    ]
    assert {fate(path) for path in paths} == {"kept"}


def test_an_empty_folder_of_a_tool_in_a_home_goes() -> None:
    rows = [
        ("/root/.local/share/virtualenvs", "dir"),
        ("/root/.local/bin/x", "file"),
        ("/app/uploads", "dir"),
    ]
    carved = carve([PathFact(path, kind, 0, 1) for path, kind in rows], rules())
    assert [carved.fates[path].fate for path, _ in rows] == ["dropped", "kept", "kept"]


def test_many_empty_folders_are_one_copy() -> None:
    """A COPY is a layer, and an engine's file system has no more than 128 of them."""
    empty = [f"/app/index/{number:02x}" for number in range(256)]
    everything = {
        path: PathFact(path, "dir", 0, 1) for path in ("/app", "/app/index", "/app/one", *empty)
    }
    plan = plan_copies(everything, frozenset([*empty, "/app/one"]), lambda _: False)
    assert [copy.sources for copy in plan.copies] == [("/app",)]
    beside = {**everything, **facts("/app/index/ff/dropped.bin")}
    kept = frozenset(path for path in [*empty, "/app/one"] if path != "/app/index/ff")
    cleaned = plan_copies(beside, kept, lambda _: False)
    assert [copy.sources for copy in cleaned.copies] == [("/app/index",), ("/app/one",)]
    assert cleaned.removals == ("/app/index/ff",)
    few = {
        path: fact
        for path, fact in beside.items()
        if path[-2:] in ("00", "01", "ff", "in") or "." in path
    }
    apart = plan_copies(few, kept & few.keys(), lambda _: False)
    assert [copy.sources for copy in apart.copies] == [("/app/index/00",), ("/app/index/01",)]
    assert (apart.removals, apart.left_in) == ((), ())


def test_a_folder_that_packages_made_in_a_home_goes_and_the_authors_stays() -> None:
    generated = replace(rules(), generated=("/root/.ssh",))
    carved = carve([PathFact("/root/.ssh", "dir", 0, 7)], generated)
    assert carved.fates["/root/.ssh"].fate != "kept"
    assert (
        carve([PathFact("/root/.ssh", "dir", 0, 1)], generated).fates["/root/.ssh"].fate == "kept"
    )
    assert (
        carve([PathFact("/root/data", "dir", 0, 7)], generated).fates["/root/data"].fate == "kept"
    )


def test_a_file_that_was_opened_is_kept_whatever_rule_would_drop_it() -> None:
    path = "/root/.cache/pip/x"
    opened = carve(facts(path).values(), rules(opened=frozenset([path])))
    assert (fate(path), opened.fates[path].fate) == ("dropped", "kept")


TOOL = "/usr/local/lib/node_modules/pnpm/pnpm"
LINK = PathFact("/usr/local/bin/pnpm", "symlink", 0, 1, linkname="../lib/node_modules/pnpm/pnpm")
OF_THE_BASE = PathFact(
    "/usr/local/bin/yarn", "symlink", 0, 1, linkname="../lib/node_modules/corepack/dist/yarn.js"
)


def test_a_manager_that_a_step_installs_goes_with_the_links_to_it() -> None:
    carved = carve([*facts(TOOL).values(), LINK, OF_THE_BASE], rules())
    assert [carved.fates[path].fate for path in (TOOL, LINK.path, OF_THE_BASE.path)] == [
        "dropped",
        "dropped",
        "kept",
    ]


def test_a_manager_that_the_service_opened_a_file_of_stays_whole() -> None:
    used = "/usr/local/lib/node_modules/pnpm/dist/pnpm.cjs"
    carved = carve([*facts(TOOL, used).values(), LINK], rules(opened=frozenset([used])))
    assert set(carved.paths("kept")) == {TOOL, used, LINK.path}


def test_a_manager_that_a_failed_build_asked_for_stays_and_so_does_its_link() -> None:
    asked = replace(rules(), must_keep=frozenset(["/usr/local/lib/node_modules/pnpm"]))
    assert set(carve([*facts(TOOL).values(), LINK], asked).paths("kept")) == {TOOL, LINK.path}
    by_link = replace(rules(), must_keep=frozenset([LINK.path, TOOL]))
    assert set(carve([*facts(TOOL).values(), LINK], by_link).paths("kept")) == {TOOL, LINK.path}


def test_a_tool_beside_the_application_is_its_own() -> None:
    paths = (
        "/app/node_modules/typescript/lib/tsc.js",
        "/app/lib/node_modules/typescript/lib/tsc.js",
    )
    assert [fate(path) for path in paths] == ["kept", "kept"]


def test_where_nothing_was_traced_no_tool_is_known_to_be_unused() -> None:
    untraced = replace(
        rules(), drops=drop_rules(builtin_ecosystems(), ["/root"], compiled=False, traced=False)
    )
    assert set(carve([*facts(TOOL).values(), LINK], untraced).paths("kept")) == {TOOL, LINK.path}


def test_the_folder_that_the_image_starts_in_is_no_cache() -> None:
    drops = drop_rules(
        builtin_ecosystems(), ["/root"], compiled=True, started=["/tmp/app", "/go/src/app", "/root"]
    )
    paths = (
        "/tmp/app/rare.html",
        "/tmp/other",
        "/go/src/app/rare.html",
        "/go/src/app/main.go",
        "/root/.cache/pip/x",
    )
    carved = carve(facts(*paths).values(), replace(rules(), drops=drops))
    assert [carved.fates[path].fate for path in paths] == [
        "kept",
        "dropped",
        "kept",
        "dropped",
        "dropped",
    ]


def test_what_lies_beside_an_opened_class_is_kept_with_it() -> None:
    paths = (
        "/app/target/classes/a/App.class",
        "/app/target/classes/rare.txt",
        "/app/target/test-classes/T.class",
    )
    used = carve(facts(*paths).values(), rules(compiled=True, opened=frozenset(paths[:1])))
    unused = carve(facts(*paths).values(), rules(compiled=True))
    assert [used.fates[path].fate for path in paths] == ["kept", "kept", "dropped"]
    assert [unused.fates[path].fate for path in paths] == ["dropped", "dropped", "dropped"]


def test_an_archive_that_was_built_and_not_opened_is_dropped_beside_the_one_that_was() -> None:
    paths = ("/app/target/app.jar", "/app/common/target/common.jar", "/app/plugins/own.jar")
    carved = carve(facts(*paths).values(), rules(compiled=True, opened=frozenset(paths[:1])))
    assert [carved.fates[path].fate for path in paths] == ["kept", "dropped", "kept"]
    untraced = replace(
        rules(), drops=drop_rules(builtin_ecosystems(), ["/root"], compiled=True, traced=False)
    )
    assert carve(facts(*paths).values(), untraced).paths("dropped") == ()


def test_system_packages_are_reinstalled_or_dropped_as_a_whole() -> None:
    assert (fate("/usr/lib/libpq.so.5"), fate("/usr/bin/gcc")) == ("reinstalled", "dropped")


def test_bytecode_goes_with_its_source() -> None:
    own = carve(facts("/app/a.py", "/app/__pycache__/a.cpython-311.pyc").values(), rules())
    alone = fate("/usr/local/lib/python3.11/__pycache__/os.cpython-311.pyc")
    assert (own.fates["/app/__pycache__/a.cpython-311.pyc"].fate, alone) == ("kept", "dropped")


@given(
    st.lists(
        st.from_regex(r"(/[a-d]{1,2}){1,4}\.(go|py|txt|pyc)", fullmatch=True),
        unique=True,
        max_size=30,
    )
)
def test_the_parts_sum_to_the_delta(paths: list[str]) -> None:
    given = facts(*paths)
    carved = carve(given.values(), rules(compiled=True))
    total = sum(carved.bytes(part) for part in ("kept", "reinstalled", "replaced", "dropped"))
    assert total == sum(fact.size for fact in given.values())


def plan(
    everything: dict[str, PathFact], kept: set[str], harmless: set[str] | None = None
) -> tuple[Copy, ...]:
    return plan_copies(everything, frozenset(kept), (harmless or set()).__contains__).copies


def test_a_folder_with_nothing_dropped_inside_is_copied_whole() -> None:
    everything = facts("/app/a.py", "/app/b/c.py", "/app/b/d.py")
    assert plan(everything, set(everything)) == (Copy(("/app",), "/app"),)


def test_a_folder_with_something_dropped_is_taken_apart() -> None:
    everything = facts("/app/server", "/app/main.go", "/app/templates/a.html", size=1_000_000)
    assert plan(everything, {"/app/server", "/app/templates/a.html"}) == (
        Copy(("/app/server",), "/app/server"),
        Copy(("/app/templates",), "/app/templates"),
    )


def test_a_folder_of_the_base_is_never_copied_whole() -> None:
    everything = facts("/usr/local/bin/tool", "/etc/app.conf")
    copies = plan(everything, set(everything))
    assert copies == (
        Copy(("/etc/app.conf",), "/etc/app.conf"),
        Copy(("/usr/local/bin/tool",), "/usr/local/bin/tool"),
    )


def test_large_parts_come_before_small_ones_that_change_as_often() -> None:
    everything = {
        **facts("/app/target/classes/App.class"),
        **facts("/app/target/dependency/a.jar", size=2_000_000),
    }
    everything |= facts("/app/target/app.jar")
    assert [
        copy.sources[0] for copy in plan(everything, set(everything) - {"/app/target/app.jar"})
    ] == [
        "/app/target/dependency",
        "/app/target/classes",
    ]


def test_a_folder_that_would_need_many_lines_is_cleaned_in_the_builder_instead() -> None:
    kept = {f"/app/m{index}/{name}" for index in range(9) for name in "ab"}
    everything = facts(*kept, *(f"/app/m{index}/cache" for index in range(9)), size=900_000)
    found = plan_copies(everything, frozenset(kept), frozenset[str]().__contains__)
    assert found.copies == (Copy(("/app",), "/app"),)
    assert set(found.removals) == set(everything) - kept


SOURCES = ("/app/main.go", "/app/go.mod")
DATA = ("/app/site", "/app/config.yaml", "/app/content/a.md", "/app/static/a.css")


def test_the_folder_that_a_program_works_in_is_copied_whole_for_what_is_put_there_tomorrow() -> (
    None
):
    everything = facts(*DATA, *SOURCES)
    named = plan_copies(everything, frozenset(DATA), frozenset[str]().__contains__)
    assert len(named.copies) == 3
    found = plan_copies(
        everything, frozenset(DATA), frozenset[str]().__contains__, homes={"/app": True}
    )
    assert found.copies == (Copy(("/app",), "/app"),)
    assert found.removals == tuple(sorted(SOURCES))


def test_small_leftovers_stay_where_sources_are_what_runs() -> None:
    everything = facts(*DATA, *SOURCES)
    found = plan_copies(
        everything, frozenset(DATA), frozenset[str]().__contains__, homes={"/app": False}
    )
    assert (found.removals, found.left_in) == ((), tuple(sorted(SOURCES)))


def test_a_working_folder_that_is_everybodys_or_holds_much_else_is_taken_apart() -> None:
    many = [f"/app/cmd{number}/main.go" for number in range(20)]
    everything = facts(*DATA, *many)
    found = plan_copies(
        everything, frozenset(DATA), frozenset[str]().__contains__, homes={"/app": True}
    )
    assert len(found.copies) == 3
    system = facts("/usr/bin/site", "/usr/bin/gcc")
    kept = frozenset(["/usr/bin/site"])
    alone = plan_copies(system, kept, frozenset[str]().__contains__, homes={"/usr/bin": True})
    assert alone.copies == (Copy(("/usr/bin/site",), "/usr/bin/site"),)


def installed(*others: str) -> dict[str, PathFact]:
    return {
        **facts("/app/node_modules/a/index.js", "/app/node_modules/b/index.js", size=900_000),
        **facts(*others),
    }


def names(everything: dict[str, PathFact], elsewhere: dict[str, str] | None = None) -> list[str]:
    found = plan_copies(
        everything, frozenset(everything), frozenset().__contains__, NODE, elsewhere
    )
    return [" ".join((*copy.sources, copy.stage)).strip() for copy in found.copies]


NODE = frozenset(["node_modules"])


def test_installed_packages_have_a_copy_of_their_own_in_front_of_the_source() -> None:
    everything = installed("/app/bin/www", "/app/app.js", "/app/package.json")
    assert names(everything) == ["/app/node_modules", "/app/app.js /app/package.json", "/app/bin"]
    assert names(facts("/app/node_modules/a/index.js", "/app/app.js")) == [
        "/app"
    ]  # too small to be worth a line


def test_packages_below_a_folder_of_a_monorepo_too_and_those_below_packages_not() -> None:
    everything = {path.replace("/app/", "/app/api/"): fact for path, fact in installed().items()}
    everything = facts(
        *everything, "/app/api/node_modules/a/node_modules/c/x.js", "/app/api/main.js", size=900_000
    )
    assert names(everything) == ["/app/api/node_modules", "/app/api/main.js"]


def test_folders_beside_packages_are_cleaned_where_taking_them_apart_takes_many_lines() -> None:
    built = [f"/app/.next/{name}/x.js" for name in ("server", "static", "types", "standalone")]
    kept = installed(
        "/app/package.json", "/app/.next/BUILD_ID", *built, "/app/src/a.js", "/app/public/a.png"
    )
    everything = {**kept, **facts("/app/.next/cache/0.pack", size=900_000)}
    found = plan_copies(everything, frozenset(kept), frozenset().__contains__, NODE)
    assert [copy.destination for copy in found.copies] == [
        "/app/node_modules", "/app/.next", "/app/package.json", "/app/public", "/app/src"
    ]  # fmt: skip
    assert found.removals == ("/app/.next/cache",)


def test_where_that_takes_many_lines_the_folder_is_copied_as_one() -> None:
    assert names(installed(*(f"/app/m{index}/main.js" for index in range(9)))) == ["/app"]


def test_what_another_stage_gives_comes_from_there_and_is_no_part_of_the_builders() -> None:
    given = {"/app/node_modules": "production"}
    assert names(installed("/app/app.js"), given) == ["/app/node_modules production", "/app/app.js"]
    everything = installed(*(f"/app/m{index}/main.js" for index in range(9)))
    found = plan_copies(everything, frozenset(everything), frozenset().__contains__, NODE, given)
    assert [copy.stage for copy in found.copies] == ["production", ""]
    assert found.removals == ("/app/node_modules",)


def test_a_link_that_stands_alone_is_kept_as_a_link() -> None:
    everything = facts("/usr/local/bin/node", size=90_000_000)
    everything["/usr/local/bin/pm2"] = PathFact(
        "/usr/local/bin/pm2", "symlink", 0, 1, linkname="../lib/pm2"
    )
    found = plan_copies(
        everything,
        frozenset(["/usr/local/bin/pm2"]),
        frozenset(["/usr/local/bin/node"]).__contains__,
    )
    assert (found.copies, found.links) == ((), ("/usr/local/bin/pm2",))


def test_names_that_the_shell_form_of_copy_would_change_go_into_the_json_form() -> None:
    assert Copy(("/app/a b.txt",), "/app/a b.txt").render("builder") == (
        'COPY --from=builder ["/app/a b.txt", "/app/a b.txt"]'
    )
