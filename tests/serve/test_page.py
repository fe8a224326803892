"""The page in a real browser: what a person reads, types, opens, and what must never run.

Needs Chromium (Debian: `apt install chromium`) and Playwright; the accessibility checks need
axe-core (`npm install --prefix build/axe axe-core`). Skipped where they are absent.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sync_api = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).parents[2]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(os.environ.get("AXE_CORE") or ROOT / "build/axe/node_modules/axe-core/axe.min.js")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason="no chromium"),
]
QUESTION = "When was the lamp of Skerry first lit?"
SIZES = {"desk": (1280, 800), "phone": (390, 844)}


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visit:
    """A page that remembers what went wrong and what was asked of whom."""

    def __init__(self, browser, url: str, *, size: str = "desk", **options: object) -> None:
        width, height = SIZES[size]
        self.context = browser.new_context(
            viewport={"width": width, "height": height}, base_url=url, **options
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.problems: list[str] = []
        self.outside: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", self._heard)
        self.page.on("request", lambda request: self._asked(request.url, url))

    def _heard(self, message) -> None:
        expected = "Failed to load resource" in message.text  # a status that the page shows
        if message.type in ("error", "warning") and not expected:
            self.problems.append(message.text)

    def _asked(self, address: str, url: str) -> None:
        if not address.startswith((url, "blob:", "data:")):
            self.outside.append(address)

    def ask(self, question: str) -> None:
        done = self.page.locator(".foot").count()
        self.page.fill("#question", question)
        self.page.keyboard.press("Enter")
        self.page.locator(".foot").nth(done).wait_for()


@pytest.fixture
def visit(browser, server) -> Iterator[Visit]:
    one = Visit(browser, server.url)
    one.page.goto("/")
    yield one
    assert one.problems == []
    assert one.outside == []
    assert one.page.evaluate("window.pwned") is None
    one.context.close()


def test_a_citation_opens_the_document_at_the_exact_words(visit, server):
    visit.ask(QUESTION)
    page = visit.page
    assert "3 May 1871" in page.locator(".prose").inner_text()
    quote = page.locator(".source-card q").first.inner_text().strip('“”"')
    page.locator(".cite").first.click()
    mark = page.locator("#reader mark")
    mark.wait_for()
    assert mark.inner_text() == quote
    assert mark.is_visible()
    answer = server.client.post(server.api("ask"), json={"question": QUESTION}).json()
    assert answer["citations"][0]["quote"] == mark.inner_text()


def test_positions_after_an_astral_character_are_marked_right(visit):
    page = visit.page
    page.goto("/#/main/search")
    page.fill("#search", "lens cast in Marseille by Barbier")
    page.keyboard.press("Enter")
    page.locator(".hit .title").first.click()
    page.locator("#reader mark").first.wait_for()
    marked = "".join(page.locator("#reader mark").all_inner_texts())
    assert "Marseille 🗼 by Barbier." in marked
    assert marked.endswith(".")


def test_a_pdf_opens_as_its_page_with_the_words_marked(visit):
    visit.ask("How much did the restoration of the lantern gallery cost?")
    page = visit.page
    assert "412,600" in page.locator(".prose").inner_text()
    page.locator(".source-card", has_text="412,600").first.click()
    page.locator("#reader .sheet img").wait_for()
    boxes = page.locator("#reader .box")
    boxes.first.wait_for()
    sheet = page.locator("#reader .sheet").bounding_box()
    for box in boxes.all():
        place = box.bounding_box()
        assert sheet["x"] < place["x"]
        assert place["x"] + place["width"] < sheet["x"] + sheet["width"]
        assert 3 < place["height"] < 40
    page.get_by_role("button", name="Text", exact=True).click()
    page.locator("#reader mark").first.wait_for()
    assert "412,600" in page.locator("#reader mark").first.inner_text()
    page.get_by_role("button", name="Page", exact=True).click()
    page.get_by_role("button", name="Next page").click()
    page.get_by_text("Page 2 of 2").wait_for()


def test_what_the_documents_do_not_say_is_shown_as_such(visit):
    visit.ask("Who won the football cup in Brazil?")
    assert visit.page.get_by_role("heading", name="The documents do not answer this").is_visible()
    visit.page.locator(".near").first.click()
    visit.page.locator("#reader h2").wait_for()


def test_what_a_refusal_offers_is_asked_by_a_click(visit):
    page = visit.page
    visit.ask("Who paints the lamp of Eddystone?")
    offered = page.locator(".offered").inner_text()
    assert offered not in page.locator(".abstained p").first.inner_text()
    page.locator(".offered").click()
    second = page.locator(".exchange").nth(1)
    second.locator(".foot").wait_for()
    assert offered in second.inner_text()
    assert second.locator("h2, .question").first.inner_text() == offered


def test_text_of_documents_never_becomes_markup(visit):
    page = visit.page
    visit.ask("What is the gate code of the museum?")
    assert "<script>" in page.locator("main").inner_text()
    page.locator(".cite").first.click()
    page.locator("#reader mark").wait_for()
    assert "<b>never</b>" in page.locator("#reader").inner_text()
    page.goto("/#/main/search")
    page.fill("#search", "gate code <img src=x onerror=window.pwned=1>")
    page.keyboard.press("Enter")
    page.locator(".hit", has_text="<script>window.pwned=1</script>").first.wait_for()
    assert page.locator("main script, main img, main b").count() == 0
    assert page.evaluate("window.pwned") is None


def test_the_policy_stops_a_script_that_got_in_anyway(browser, server):
    one = Visit(browser, server.url)
    one.page.goto("/")
    stopped = one.page.evaluate(
        "() => { try { document.body.innerHTML = '<img src=x onerror=window.pwned=1>'; "
        "return 'set'; } catch (error) { return error.name; } }"
    )
    assert stopped == "TypeError"  # trusted types: no text becomes markup
    stopped = one.page.evaluate(
        "() => { try { document.body.setAttribute('onclick', 'window.pwned=1'); "
        "document.body.click(); return 'set'; } catch (error) { return error.name; } }"
    )
    assert stopped == "TypeError"
    assert one.page.evaluate("window.pwned") is None
    one.context.close()


def test_everything_by_keyboard(visit):
    page = visit.page
    page.locator(".welcome").wait_for()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("/")
    page.keyboard.type(QUESTION)
    page.keyboard.press("Enter")
    page.locator(".foot").wait_for()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if page.evaluate("document.activeElement.className") == "cite":
            break
    assert page.evaluate("document.activeElement.className") == "cite"
    page.keyboard.press("Enter")
    page.locator("#reader mark").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H2"
    page.keyboard.press("Escape")
    assert page.locator("#reader").is_hidden()
    assert page.evaluate("document.activeElement.className") == "cite"
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.locator(".document").first.wait_for()
    page.locator(".document").first.focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.dataset.index") == "2"
    page.keyboard.press("Enter")
    page.locator("#reader .line").first.wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keyboard").is_visible()
    page.keyboard.press("Escape")


def test_right_to_left_text_runs_so(visit):
    visit.ask("متى بنيت المنارة؟")
    page = visit.page
    direction = "element => getComputedStyle(element).direction"
    assert page.locator("h2.question").evaluate(direction) == "rtl"
    page.goto("/#/main/documents")
    page.locator(".document", has_text="arabic").click()
    line = page.locator("#reader .line").first
    line.wait_for()
    assert line.evaluate(direction) == "rtl"
    assert page.locator("#reader h2").count() == 1


def test_a_conversation_is_kept_listed_opened_again_and_deleted(browser, own):
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/")
    one.ask(QUESTION)
    one.ask("What did it burn?")
    said = page.locator(".prose").all_inner_texts()
    sources = page.locator(".source-card").count()
    row = page.locator(".side-list li", has_text=QUESTION)
    row.get_by_text("2 questions").wait_for()
    (kept,) = own.client.get(own.api("sessions")).json()["sessions"]
    assert page.url.endswith(f"session={kept['name']}")
    page.locator(".side-new").click()
    page.locator(".welcome").wait_for()
    page.reload()
    page.locator(".side-open", has_text=QUESTION).click()
    page.locator(".exchange").nth(1).wait_for()
    assert page.locator(".prose").all_inner_texts() == said
    assert page.locator(".source-card").count() == sources
    quote = page.locator(".source-card q").first.inner_text().strip('“”"')
    page.locator(".cite").first.click()
    page.locator("#reader mark").wait_for()
    assert page.locator("#reader mark").inner_text() == quote
    page.keyboard.press("Escape")
    one.ask("How heavy is the lens?")
    page.locator(".side-list li", has_text="3 questions").wait_for()
    page.get_by_role("button", name=f"Delete {QUESTION}").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.locator(".welcome").wait_for()
    page.locator(".side-empty").wait_for()
    assert own.client.get(own.api("sessions")).json()["sessions"] == []
    assert one.problems == []
    one.context.close()


def test_a_text_is_planned_written_read_and_saved(browser, own):
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/write")
    page.fill("#brief", "The lamp and the lens of Skerry")
    page.get_by_role("button", name="Plan first").click()
    page.locator("#outline").wait_for()
    page.wait_for_function("document.getElementById('outline').value.includes('#')")
    page.fill("#outline", "## The lens\nWhat does the lens weigh?\n\n## The moon\n")
    page.get_by_role("button", name="Write", exact=True).click()
    page.locator(".badge.state-done").wait_for()
    heads = page.locator(".manuscript h2").all_inner_texts()
    assert heads[:2] == ["The lens", "The moon"]
    assert "1,450 kilograms" in page.locator(".manuscript").inner_text()
    cite = page.locator(".manuscript .claim", has_text="1,450").locator(".cite").first
    stated = page.locator(".manuscript .claim", has_text="1,450").first.inner_text()
    cite.click()
    page.locator("#reader mark").first.wait_for()
    assert "1,450" in "".join(page.locator("#reader mark").all_inner_texts())
    assert "1,450" in stated
    page.keyboard.press("Escape")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Word").click()
    assert saved.value.suggested_filename.endswith(".docx")
    page.reload()
    page.locator(".badge.state-done").wait_for()
    assert page.locator(".manuscript h2").all_inner_texts() == heads
    page.get_by_role("button", name="Delete this text").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.locator("#brief").wait_for()
    assert own.client.get(own.api("manuscripts")).json()["manuscripts"] == []
    assert one.problems == []
    one.context.close()


def test_questions_are_added_measured_and_compared(browser, own, tmp_path):
    ids = {i["title"]: i["document_id"]
           for i in own.client.get(own.api("documents")).json()["documents"]}  # fmt: skip
    rows = [{"id": "a", "question": QUESTION}, {"id": "b", "question": "How long is the boat?"}]
    (tmp_path / "skerry.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (tmp_path / "qrels.tsv").write_text(f"a\t{ids['The lamp of Skerry']}\t1\nb\t{ids['boat']}\t1\n")
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/evaluate")
    page.get_by_text("No questions yet").wait_for()
    page.set_input_files("#set-files", [str(tmp_path / "skerry.jsonl")])
    page.locator(".set", has_text="2 questions, 0 judged").wait_for()
    files = [str(tmp_path / name) for name in ("skerry.jsonl", "qrels.tsv")]
    page.set_input_files("#set-files", files)
    page.locator(".set", has_text="2 questions, 2 judged").wait_for()
    for how in ("retrieval lexical", "retrieval hybrid"):
        done = page.locator(".runs > li").count()
        page.get_by_role("combobox", name="How to measure skerry").select_option(how)
        page.get_by_role("button", name="Measure", exact=True).click()
        page.locator(".runs > li").nth(done).wait_for()
        page.locator(".detail .plot").first.wait_for()
    assert page.locator(".detail .worst li").count() == 2
    page.locator(".runs input:not(:checked)").check()
    page.get_by_role("heading", name="B against A").wait_for()
    assert "2 questions in both" in page.locator(".detail").inner_text()
    assert one.problems == []
    one.context.close()


def test_text_of_kept_conversations_and_texts_never_becomes_markup(browser, own):
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/")
    one.ask("What is the gate code of the museum? <img src=x onerror=window.pwned=1>")
    page.reload()
    page.locator(".exchange").wait_for()
    page.goto("/#/main/write")
    page.fill("#brief", "<script>window.pwned=1</script> the gate code")
    page.evaluate("document.querySelector('.more-options').open = true")
    page.fill("#outline", "## <img src=x onerror=window.pwned=1>\nWhat is the gate code?\n")
    page.get_by_role("button", name="Write", exact=True).click()
    page.locator(".badge.state-done").wait_for()
    assert "<img src=x" in page.locator(".manuscript").inner_text()
    assert page.locator("main script, main img").count() == 0
    assert page.evaluate("window.pwned") is None
    assert one.problems == []
    one.context.close()


def test_the_explain_view_shows_stages_and_scores(visit):
    page = visit.page
    page.goto("/#/main/search")
    page.fill("#search", QUESTION)
    page.keyboard.press("Enter")
    page.locator(".hit").first.wait_for()
    page.locator(".explain summary").click()
    names = page.locator(".stage-name").all_inner_texts()
    assert {"lexical", "dense"} <= set(names)
    assert page.locator(".hit").first.locator(".scores dt").count() >= 3
    page.select_option("#mode", "lexical")
    page.wait_for_timeout(500)
    assert "dense" not in page.locator(".stage-name").all_inner_texts()


def test_a_filter_that_cannot_be_read_is_explained(visit):
    page = visit.page
    page.goto("/#/main/search")
    page.fill("#search", "lamp")
    page.fill("#search-where", "format = ")
    page.keyboard.press("Enter")
    assert "cannot be read" in page.get_by_role("alert").inner_text()


def test_uploads_show_progress_success_and_failure(browser, own, tmp_path):
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/documents")
    page.locator(".document").first.wait_for()
    good = tmp_path / "fog.md"
    good.write_text("# Fog\n\nThe fog horn sounds every 30 seconds.\n")
    bad = tmp_path / "broken.pdf"
    bad.write_bytes(b"%PDF-1.4 nothing")
    page.set_input_files("#files", [str(good), str(bad)])
    page.locator(".uploads .done", has_text="fog.md").wait_for()
    failed = page.locator(".uploads .failed", has_text="broken.pdf")
    failed.wait_for()
    assert "not a PDF" in failed.inner_text()
    page.locator(".document", has_text="Fog").wait_for()
    page.get_by_role("button", name="Delete Fog").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.locator(".document", has_text="Fog").wait_for(state="detached")
    page.goto("/#/main/versions")
    page.locator(".timeline article").first.wait_for()
    versions = page.locator(".timeline article").count()
    page.get_by_role("button", name="What changed").first.click()
    page.locator(".diff.removed", has_text="fog.md").wait_for()
    page.get_by_role("button", name="Go back to this").first.click()
    page.get_by_role("dialog").get_by_role("button", name="Go back").click()
    page.locator(".timeline article").nth(versions).wait_for()
    assert one.problems == []
    one.context.close()


STATION = """\
The station
===========

The station stands on the western skerry, and whoever wants to reach it needs a
boat and a calm day.

The crew
--------

* The keeper sleeps in the tower, above the store room, where it is always warm and
  dry.
* The cook does not.
"""


def test_a_text_file_reads_without_what_only_its_lines_need(browser, own, tmp_path):
    (tmp_path / "station.rst").write_text(STATION)
    (tmp_path / "prices.md").write_text(
        "## Prices\n\n| ticket | price |\n|---|---|\n| child | 4 |\n"
    )
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/documents")
    page.locator(".document").first.wait_for()
    files = [str(tmp_path / name) for name in ("station.rst", "prices.md")]
    page.set_input_files("#files", files)
    page.locator(".uploads .done", has_text="station.rst").wait_for()
    page.locator(".uploads .done", has_text="prices.md").wait_for()
    page.goto("/#/main/ask")  # a list that no longer moves under the pointer
    page.locator(".welcome").wait_for()
    page.goto("/#/main/documents")
    badge = page.locator(".document", has_text="station.rst").locator(".format")
    assert badge.inner_text() == "rst"
    page.locator(".document", has_text="station.rst").click()
    page.locator("#reader .line").first.wait_for()
    shown = page.locator("#reader .flow").inner_text()
    assert "The crew" in shown
    assert "====" not in shown
    assert "----" not in shown
    space = "element => parseFloat(getComputedStyle(element).marginBottom)"
    lines = page.locator("#reader .line")
    assert lines.filter(has_text="whoever wants").evaluate(space) == 0
    assert lines.filter(has_text="calm day").evaluate(space) > 4
    assert lines.filter(has_text="always warm").evaluate(space) == 0
    page.keyboard.press("Escape")
    page.locator(".document", has_text="prices.md").click()
    page.locator("#reader .line", has_text="child").wait_for()
    assert page.locator("#reader .line.heading").first.inner_text() == "Prices"
    assert "---" not in page.locator("#reader .flow").inner_text()
    page.goto("/#/main/search")
    page.fill("#search", "Who sleeps in the tower above the store room?")
    page.keyboard.press("Enter")
    hit = page.locator(".hit", has_text="The cook does not").first
    hit.wait_for()
    excerpt = hit.locator(".excerpt").inner_text()
    assert "---" not in excerpt
    assert "always warm and dry." in excerpt
    assert one.problems == []
    one.context.close()


def test_statements_stand_apart_and_disagreements_together(browser, own, tmp_path):
    (tmp_path / "one.txt").write_text("The Corrin bridge is 412 metres long.")
    (tmp_path / "two.txt").write_text("The Corrin bridge is 398 metres long.")
    (tmp_path / "three.txt").write_text("The Corrin bridge is 377 metres long.")
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/documents")
    page.locator(".document").first.wait_for()
    page.set_input_files(
        "#files", [str(tmp_path / f"{name}.txt") for name in ("one", "two", "three")]
    )
    for name in ("one", "two", "three"):
        page.locator(".uploads .done", has_text=f"{name}.txt").wait_for()
    page.goto("/#/main/ask")
    page.locator(".welcome").wait_for()
    one.ask("How long is the Corrin bridge?")
    claims = page.locator(".prose .claim")
    assert claims.count() >= 2
    first, second = (claims.nth(place).bounding_box() for place in (0, 1))
    assert second["y"] - (first["y"] + first["height"]) > 4
    assert page.locator(".remark").count() == 1
    assert page.locator(".remark li").count() >= 2
    assert "The documents disagree:" not in page.locator(".remark").inner_text()
    assert one.problems == []
    one.context.close()


def test_on_a_phone_every_view_has_its_whole_name(browser, server):
    one = Visit(browser, server.url, size="phone")
    one.page.goto("/#/main/documents")
    one.page.locator(".document").first.wait_for()
    whole = "element => element.scrollWidth <= element.clientWidth"
    for name in one.page.locator(".views a span").all():
        assert name.evaluate(whole), name.inner_text()
    for select in one.page.locator(".finders select").all():
        assert select.bounding_box()["width"] > 120
    one.context.close()


def test_dropped_files_are_taken(browser, own):
    one = Visit(browser, own.url)
    page = one.page
    page.goto("/#/main/documents")
    page.locator(".document").first.wait_for()
    transfer = page.evaluate_handle(
        "() => { const t = new DataTransfer(); "
        "t.items.add(new File(['The anchor weighs two tons.'], 'anchor.txt')); return t; }"
    )
    for kind in ("dragenter", "dragover", "drop"):
        page.dispatch_event(".view.documents", kind, {"dataTransfer": transfer})
    page.locator(".uploads .done", has_text="anchor.txt").wait_for()
    assert one.problems == []
    one.context.close()


def test_a_key_is_asked_for_and_used(browser, start, tmp_path):
    from ragstone.serve.keys import Keys

    keys = Keys(tmp_path / "k.json")
    key = keys.add("reader", role="read")
    server = start(keys)
    one = Visit(browser, server.url)
    one.page.goto("/")
    one.page.locator("#key").fill(key)
    one.page.get_by_role("button", name="Continue").click()
    one.page.locator(".welcome").wait_for()
    one.page.goto("/#/main/documents")
    one.page.locator(".document").first.wait_for()
    assert one.page.get_by_role("button", name="Add files").count() == 0
    assert one.page.get_by_role("button", name=re.compile("^Delete")).count() == 0
    assert key not in one.page.evaluate("JSON.stringify(localStorage)")
    one.context.close()


def test_ten_thousand_documents_stay_quick(browser, tmp_path, serving):
    rows = tmp_path / "many.jsonl"
    with rows.open("w") as file:
        for number in range(10_000):
            row = {"id": f"d{number:05}", "title": f"Entry {number:05}", "text": f"Item {number}."}
            file.write(json.dumps(row) + "\n")
    with serving(rows) as server:
        one = Visit(browser, server.url)
        page = one.page
        page.goto("/#/main/documents")
        page.locator(".document").first.wait_for()
        assert "10,000 documents" in page.locator(".toolbar .summary").inner_text()
        slowest = page.locator(".scroller").evaluate(
            """async (list) => {
                let slowest = 0;
                for (let step = 0; step < 40; step += 1) {
                    const begun = performance.now();
                    list.scrollTop = (step * 7919 % 40) / 40 * list.scrollHeight;
                    const frame = () => new Promise((done) => requestAnimationFrame(done));
                    await frame();
                    await frame();
                    slowest = Math.max(slowest, performance.now() - begun);
                }
                list.scrollTop = list.scrollHeight;
                return slowest;
            }"""
        )
        page.get_by_text("Entry 09999").wait_for()
        assert page.locator(".rows li").count() < 40
        assert slowest < 400, f"{slowest:.0f} ms for two frames"
        begun = time.monotonic()
        page.fill(".finders input[type=search]", "entry 07321")
        page.get_by_text("1 of 10,000 documents").wait_for()
        assert time.monotonic() - begun < 2.5
        assert one.problems == []
        one.context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.skipif(not AXE.exists(), reason="no axe-core")
def test_every_view_is_accessible_and_fits(browser, own, size, scheme):
    own.client.put(own.api("files/extra.md"), content="# Extra\n\nThe extra light is green.\n")
    one = Visit(
        browser, own.url, size=size, color_scheme=scheme, bypass_csp=True, reduced_motion="reduce"
    )
    page = one.page
    source = AXE.read_text()

    def check(view: str) -> None:
        page.evaluate(source)
        found = page.evaluate(
            "() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', "
            "'wcag22aa', 'best-practice'] })"
        )
        faults = [
            f"{fault['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]
        assert faults == [], (view, size, scheme)
        overflow = "document.scrollingElement.scrollWidth - innerWidth"
        assert page.evaluate(overflow) <= 0, view

    page.goto("/")
    page.locator(".welcome").wait_for()
    check("welcome")
    one.ask(QUESTION)
    one.ask("Who won the football cup in Brazil?")
    page.locator(".foot summary").first.click()
    check("ask")
    page.locator(".cite").first.click()
    page.locator("#reader mark").wait_for()
    check("reader")
    page.keyboard.press("Escape")
    page.goto("/#/main/search")
    page.fill("#search", "How much did the restoration cost?")
    page.keyboard.press("Enter")
    page.locator(".hit").first.wait_for()
    page.locator(".explain summary").click()
    check("search")
    page.locator(".title", has_text="Restoration").first.click()
    page.locator("#reader .box").first.wait_for()
    check("page image")
    page.keyboard.press("Escape")
    page.goto("/#/main/documents")
    page.locator(".document").first.wait_for()
    check("documents")
    page.goto("/#/main/versions")
    page.get_by_role("button", name="What changed").click()
    page.locator(".diff").first.wait_for()
    check("versions")
    page.goto("/#/main/write")
    page.locator("#brief").wait_for()
    page.locator(".more-options summary").click()
    check("brief")
    page.fill("#brief", "The lamp of Skerry")
    page.fill("#outline", "## The lamp\n\n## The moon\n")
    page.get_by_role("button", name="Write", exact=True).click()
    page.locator(".badge.state-done").wait_for()
    check("text")
    ids = [i["document_id"] for i in own.client.get(own.api("documents")).json()["documents"]]
    asked = [{"question": QUESTION, "relevant": [id_]} for id_ in ids[:3]]
    own.client.put(own.api("evaluations/sets/s"), json={"questions": asked})
    for mode in ("lexical", "dense"):
        run = own.client.post(own.api("evaluations"), json={"set": "s", "mode": mode}).json()["id"]
        own.client.get(own.api(f"evaluations/{run}/events"))
    page.goto("/#/main/evaluate")
    page.locator(".runs input").first.check()
    page.locator(".detail .plot").first.wait_for()
    check("one run")
    page.locator(".runs input:not(:checked)").check()
    page.get_by_role("heading", name="B against A").wait_for()
    check("two runs")
    page.goto("/#/main/ask")
    page.locator(".side-list .side-open").first.wait_for(state="attached")
    if size == "phone":
        page.locator(".side-toggle").click()
    check("conversations")
    page.locator("#help").click()
    check("dialog")
    one.context.close()
