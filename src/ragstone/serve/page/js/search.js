// Searching: the passages with the score of every stage, and how the retrieval went.

import { post } from "./api.js";
import { counted, duration, excerpt, fileName, fill, h, say } from "./dom.js";
import { openReader } from "./reader.js";
import { stageList } from "./stages.js";

export function searchView(main) {
  let abort = null;
  const field = h("input", {
    type: "search", id: "search", dir: "auto", required: true, maxlength: 8000, "data-main-field": true,
    placeholder: "Words or a question", "aria-label": "Search", enterkeyhint: "search",
  });
  const mode = h("select", { id: "mode" },
    [["hybrid", "Words and meaning"], ["lexical", "Words"], ["dense", "Meaning"]].map(([value, label]) =>
      h("option", { value }, label)));
  const count = h("select", { id: "count" }, [10, 25, 50, 100].map((k) => h("option", { value: k }, k)));
  const where = h("input", { id: "search-where", type: "text", spellcheck: "false", placeholder: "format = 'pdf'" });
  const results = h("div", { class: "results" });
  const form = h(
    "form",
    { class: "search-form", role: "search", onsubmit: submit },
    h("div", { class: "field" }, field, h("button", { class: "primary" }, "Search")),
    h("div", { class: "options" },
      h("label", {}, "By ", mode), h("label", {}, "Hits ", count), h("label", { class: "wide" }, "Filter ", where)),
  );
  for (const select of [mode, count]) {
    select.addEventListener("change", () => field.value.trim() && form.requestSubmit());
  }

  async function submit(event) {
    event.preventDefault();
    abort?.abort();
    abort = new AbortController();
    const body = { question: field.value, mode: mode.value, k: Number(count.value), explain: true };
    if (where.value.trim()) body.where = where.value.trim();
    fill(results, h("p", { class: "loading", role: "status" }, "Searching…"));
    try {
      show(await post("search", body, abort.signal));
    } catch (error) {
      if (error.name !== "AbortError") fill(results, h("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  function show(found) {
    const passages = found.hits.map((hit) => ({
      id: hit.document_id, start: hit.start, end: hit.end, page: hit.page,
    }));
    const best = scales(found.hits);
    const summary = `${counted(found.hits.length, "passage")} in ${duration(found.timings_ms.total)}`;
    say(summary);
    fill(
      results,
      h("p", { class: "summary" }, summary),
      h("details", { class: "explain" }, h("summary", {}, "How they were found"), stageList(found.stages)),
      found.hits.length
        ? h("ol", { class: "hits" }, found.hits.map((hit, index) => card(hit, best, () => openReader(passages[index], passages))))
        : h("p", { class: "none" }, "Nothing was found. Other words, or “Meaning”, may find more."),
    );
  }

  fill(main, h("div", { class: "view search" }, h("h1", { class: "hidden" }, "Search"), form, results));
  field.focus({ preventScroll: true });
  return { close: () => abort?.abort(), stop: () => abort?.abort() };
}

// The range of each stage's scores, so that bars of one stage can be compared with each other.
function scales(hits) {
  const ranges = {};
  for (const hit of hits) {
    for (const [stage, score] of Object.entries(hit.scores)) {
      const range = (ranges[stage] ??= [Math.min(0, score), score]);
      range[0] = Math.min(range[0], score);
      range[1] = Math.max(range[1], score);
    }
  }
  return ranges;
}

function card(hit, ranges, open) {
  const headings = hit.heading_path.filter((heading) => heading !== hit.title);
  const place = [hit.page && `page ${hit.page}`, ...headings].filter(Boolean).join(" › ");
  const text = excerpt(hit.text, [hit.title, ...hit.heading_path]);
  return h(
    "li",
    {},
    h("article", { class: "hit" },
      h("h2", {},
        h("span", { class: "rank" }, hit.rank),
        h("button", { type: "button", class: "title", dir: "auto", onclick: open }, hit.title || fileName(hit.source))),
      h("p", { class: "source-place", dir: "auto", title: hit.source }, place || fileName(hit.source)),
      h("p", { class: "excerpt", dir: "auto" }, text.length > 420 ? `${text.slice(0, 420)}…` : text),
      h("dl", { class: "scores" },
        [["score", hit.score], ...Object.entries(hit.scores)].map(([name, score]) => meter(name, score, ranges[name])))),
  );
}

function meter(name, score, range) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  if (range) {
    const size = range[1] - range[0] || 1;
    bar.style.width = `${(100 * (score - range[0])) / size}%`;
  }
  return h("div", {}, h("dt", {}, name), h("dd", {}, range ? h("span", { class: "stage-bar" }, bar) : null, score.toFixed(3)));
}
