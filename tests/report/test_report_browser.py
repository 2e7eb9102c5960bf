"""What a real browser makes of the page. `make browser` installs it; `make browser-test` fails
where it is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from report_examples import HOSTILE, bench_result, optimize_result
from report_kinds import analysis, cache, ci, diff, proof

from imgopt.report.common import safe_terminal
from imgopt.report.views import html

pytestmark = pytest.mark.browser


@dataclass
class Opened:
    """A page, and everything it said or asked for besides itself."""

    page: Page
    noise: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    pages = {
        "bench": html([bench_result(50_000)]),
        "optimize": html([optimize_result()]),
        "index": html([optimize_result(), bench_result(300)]),
        "kinds": html([analysis(), diff(), proof(), cache(), ci()]),
    }
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in pages}


Open = Callable[..., Opened]


@pytest.fixture
def open_page(chromium: Browser, saved: dict[str, Path]) -> Iterator[Open]:
    contexts = []

    def opened(
        name: str,
        width: int = 1200,
        scheme: str = "light",
        javascript: bool = True,
        folded: bool = False,
    ) -> Opened:
        """With all that is folded opened, as a reader does it; `folded` leaves it as it comes."""
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            java_script_enabled=javascript,
        )
        contexts.append(context)
        shown = Opened(context.new_page())
        shown.page.on("console", lambda message: shown.noise.append(message.text))
        shown.page.on("pageerror", lambda error: shown.noise.append(str(error)))
        shown.page.on("dialog", lambda dialog: shown.noise.append(dialog.message))
        address = saved[name].as_uri()
        shown.page.on(
            "request",
            lambda request: request.url == address or shown.noise.append(request.url[:200]),
        )
        shown.page.goto(address)
        for summary in [] if folded else shown.page.locator("summary").all():
            summary.click()
        return shown

    yield opened
    for context in contexts:
        context.close()


@pytest.mark.parametrize("name", ["bench", "optimize", "index", "kinds"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_says_nothing_and_asks_for_nothing(
    open_page: Open, name: str, scheme: str
) -> None:
    opened = open_page(name, scheme=scheme)
    opened.page.wait_for_timeout(200)
    assert opened.noise == []


@pytest.mark.parametrize("name", ["bench", "optimize", "index", "kinds"])
def test_everything_is_there_without_javascript(open_page: Open, name: str) -> None:
    with_script, without = open_page(name).page, open_page(name, javascript=False).page
    titles = without.locator("section h3").all_inner_texts()
    assert titles
    assert titles == with_script.locator("section h3").all_inner_texts()
    assert without.locator("section.card:visible").count() == len(titles)
    assert without.locator("details:not([open])").count() == 0
    assert without.locator("tbody tr:not(:visible)").count() == 0
    assert without.locator("button, input").count() == 0


@pytest.mark.parametrize("name", ["bench", "optimize"])
def test_size_and_rebuild_come_first_and_the_rest_is_folded(open_page: Open, name: str) -> None:
    page = open_page(name, folded=True).page
    first = page.locator("main ul.tiles").first.inner_text()
    assert (
        "wire" in first
        and "rebuild after an edit of the source" in first
        and "payload" not in first
    )
    assert page.locator("details.more").get_attribute("open") is None
    assert not page.get_by_text("payload: ").first.is_visible()
    assert page.locator("tbody tr:visible").count() < 120
    assert page.locator(".headline").first.bounding_box()["y"] < 300  # type: ignore[index]


def test_a_link_to_a_folded_part_opens_it(open_page: Open) -> None:
    page = open_page("bench", folded=True).page
    assert not page.locator("#r1-contents table").is_visible()
    page.locator("nav a[href='#r1-contents']").click()
    assert page.locator("#r1-contents table").is_visible()
    assert page.locator("#r1-contents svg.tree text:visible").count() > 5


@pytest.mark.parametrize("name", ["bench", "optimize", "index", "kinds"])
@pytest.mark.parametrize("width", [390, 320, 768, 1200])
def test_no_page_scrolls_sideways(open_page: Open, name: str, width: int) -> None:
    page = open_page(name, width=width).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["bench", "optimize", "index", "kinds"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 1200), ("light", 390)])
def test_axe_finds_no_violation(
    open_page: Open, axe: str, name: str, scheme: str, width: int
) -> None:
    page = open_page(name, scheme=scheme, width=width).page
    page.evaluate(axe)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert [
        (rule["id"], [node["html"][:200] for node in rule["nodes"][:3]]) for rule in found
    ] == []


def test_columns_sort_both_ways_and_the_total_stays_last(open_page: Open) -> None:
    page = open_page("bench").page
    table = page.locator("#r1-contents table")
    button = table.locator("th", has_text="After").locator("button")

    def numbers() -> list[float]:
        return [
            float(value)
            for value in table.evaluate(
                "t => [...t.tBodies[0].rows].map(r => r.cells[2].dataset.n)"
            )
        ]

    button.click()
    assert numbers() == sorted(numbers(), reverse=True)
    assert table.locator("th[aria-sort=descending]").inner_text().startswith("After")
    button.press("Enter")
    assert numbers() == sorted(numbers())
    table.locator("th", has_text="Path").locator("button").click()
    paths = table.evaluate("t => [...t.tBodies[0].rows].map(r => r.cells[0].textContent.trim())")
    assert paths == page.evaluate("p => [...p].sort((a, b) => b.localeCompare(a, 'en'))", paths)
    assert table.locator("tfoot").inner_text().startswith("total")


def test_search_leaves_only_rows_that_have_the_words(open_page: Open) -> None:
    page = open_page("bench").page
    section = page.locator("#r1-contents")
    assert section.locator("tbody tr:visible").count() == 40
    section.get_by_label("Search").fill("<SCRIPT>")
    assert section.locator("tbody tr:visible").count() == 1
    assert "1 of" in section.get_by_role("status").first.inner_text()
    section.get_by_label("Search").fill("")
    section.get_by_role("button", name="Show all").click()
    assert section.locator("tbody tr:not(:visible)").count() == 0


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_shown_as_they_are(open_page: Open, name: str) -> None:
    opened = open_page("bench")
    opened.page.get_by_label("Search").fill(safe_terminal(name)[:40])
    paths = opened.page.locator("#r1-contents tbody tr:visible td:first-child").all_text_contents()
    assert f"/app/{safe_terminal(name)}" in paths
    assert opened.noise == []


def test_the_map_can_be_walked_and_zoomed_by_keyboard_and_pointer(open_page: Open) -> None:
    page = open_page("bench").page
    tree, out = page.locator("svg.tree"), page.get_by_role("button", name="Zoom out")
    every = tree.locator("svg:visible").count()
    assert out.is_disabled()
    tree.focus()
    tree.press("ArrowRight")
    assert tree.locator("[data-on]").count() == 1
    tree.press("Enter")
    zoomed = tree.locator("svg:visible").count()
    assert 1 < zoomed < every
    tree.press("Escape")
    assert tree.locator("svg:visible").count() == every
    tree.locator("svg:visible").first.click()
    assert tree.locator("svg:visible").count() < every
    out.click()
    assert tree.locator("svg:visible").count() == every


def test_every_control_is_reached_by_tab_and_shows_the_focus(open_page: Open) -> None:
    page = open_page("optimize").page
    controls = """[...document.querySelectorAll('a[href], button, input, summary, [tabindex="0"]')]
        .filter((element) => element.checkVisibility() && !element.disabled)"""
    wanted = page.evaluate(f"{controls}.length")
    seen = set()
    for _ in range(wanted + 2):
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                f"""() => {{
                  const style = getComputedStyle(document.activeElement);
                  return style.outlineStyle === 'none' ? -1 : {controls}.indexOf(document.activeElement);
                }}"""
            )
        )
    assert set(range(wanted)) <= seen


def test_print_shows_every_row_on_white(open_page: Open) -> None:
    page = open_page("bench", scheme="dark", folded=True).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#r1-contents tbody tr:not(:visible)").count() == 0
    assert not page.locator(".search").first.is_visible()


def test_the_index_leads_to_each_result(open_page: Open) -> None:
    page = open_page("index").page
    links = page.locator("header.top a")
    assert links.count() == 2
    links.nth(1).click()
    assert page.evaluate("Math.abs(document.querySelector('#r2').getBoundingClientRect().top)") < 5
