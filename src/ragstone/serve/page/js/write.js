// Writing: a brief becomes a text that grows section by section, each statement with its notes.

import { download, get, post, remove, state, watch } from "./api.js";
import { ago, confirm, counted, fill, h, icon, number, say } from "./dom.js";
import { manuscriptView } from "./manuscript.js";
import { closeReader } from "./reader.js";
import { sideList } from "./side.js";

const KINDS = [["report", "Report"], ["summary", "Summary"], ["briefing", "Briefing"], ["faq", "Questions and answers"], ["table", "Comparison table"]];
const STATES = { waiting: "waiting", running: "being written", done: "complete", cancelled: "stopped", interrupted: "interrupted", failed: "failed" };
const FORMS = [["docx", "Word"], ["md", "Markdown"], ["html", "Web page"]];

export function writeView(main, query) {
  const side = sideList("Texts", "New text", anew);
  const view = h("div", { class: "view write" });
  let current = "";
  let abort = new AbortController();

  function address() {
    const rest = current ? `?text=${encodeURIComponent(current)}` : "";
    history.replaceState(null, "", `#/${encodeURIComponent(state.corpus)}/write${rest}`);
  }

  async function refresh() {
    try {
      const { manuscripts } = await get("manuscripts");
      side.show(manuscripts.map(row), "What you have written is kept here, for you alone.");
    } catch (error) {
      side.fail(error.message);
    }
  }

  function row(info) {
    const title = info.title || info.brief;
    return h("li", { class: info.id === current ? "current" : "" },
      h("button", { type: "button", class: "side-open", "aria-current": info.id === current ? "true" : null, onclick: () => { side.fold(); open(info.id); } },
        h("span", { class: "side-title", dir: "auto" }, title),
        h("span", { class: "side-facts" }, `${STATES[info.state]} · ${ago(info.changed)}`)),
      h("span", { class: "side-acts" },
        h("button", { type: "button", class: "icon", "aria-label": `Delete ${title}`, onclick: () => drop(info, title) }, icon("bin"))));
  }

  function leave() {
    abort.abort();
    abort = new AbortController();
    closeReader();
  }

  function anew() {
    leave();
    current = "";
    if (location.hash.includes("text=")) address();
    fill(view, briefForm(open));
    refresh();
    view.querySelector("[data-main-field]").focus({ preventScroll: true });
  }

  async function open(id) {
    leave();
    const { signal } = abort;
    current = id;
    address();
    fill(view, h("p", { class: "loading", role: "status" }, "Opening…"));
    refresh();
    try {
      const info = await get(`manuscripts/${id}`, {}, signal);
      const page = paper(info, { again: () => open(id), drop: () => drop(info, info.title || info.brief) });
      fill(view, page.element);
      await watch(`manuscripts/${id}/events`, page.on, signal);
      refresh();
    } catch (error) {
      if (error.name !== "AbortError") view.append(h("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  async function drop(info, title) {
    const sure = await confirm({ title: "Delete this text?", text: `“${title}” is deleted for good.`, act: "Delete", danger: true });
    if (!sure) return;
    try {
      await remove(`manuscripts/${info.id}`);
    } catch (error) {
      await confirm({ title: "Not deleted", text: error.message, act: "Close" });
    }
    if (info.id === current) anew();
    else refresh();
  }

  fill(main, h("div", { class: "with-side" }, side.element, view));
  const navigate = (asked) => {
    const id = asked.get("text") ?? "";
    if (id && id !== current) open(id);
    else if (!id && current) anew();
  };
  anew();
  navigate(query);
  return { navigate, close: () => abort.abort(), stop: () => {} };
}

function briefForm(open) {
  const brief = h("textarea", {
    id: "brief", rows: 3, dir: "auto", required: true, maxlength: 4000, "data-main-field": true,
    placeholder: "The restoration of the lantern gallery: causes, cost, result",
  });
  const kind = h("select", { id: "kind" }, KINDS.map(([value, label]) => h("option", { value }, label)));
  const sections = h("input", { id: "sections", type: "number", min: 1, max: 60, inputmode: "numeric", placeholder: "as fits" });
  const words = h("input", { id: "words", type: "number", min: 50, max: 20000, step: 10, inputmode: "numeric", placeholder: "as fits" });
  const audience = h("input", { id: "audience", type: "text", dir: "auto", maxlength: 500, placeholder: "the town council" });
  const style = h("input", { id: "style", type: "text", dir: "auto", maxlength: 500, placeholder: "plain, short sentences" });
  const where = h("input", { id: "write-where", type: "text", spellcheck: "false", class: "code", placeholder: "format = 'pdf'" });
  const failed = h("select", { id: "failed" }, h("option", { value: "drop" }, "leave out"), h("option", { value: "mark" }, "mark"));
  const outline = h("textarea", { id: "outline", rows: 6, dir: "auto", maxlength: 40000, class: "code", placeholder: "## A heading for each section\nand questions below it" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const start = h("button", { class: "primary", disabled: !state.caller.may_keep }, icon("pen"), "Write");
  const plan = h("button", { type: "button", class: "plain", onclick: planFirst }, "Plan first");
  const more = h("details", { class: "more-options" }, h("summary", {}, "Options and outline"),
    h("div", { class: "fields" },
      labelled("Sections", sections), labelled("Words", words), labelled("For whom", audience), labelled("Style", style),
      labelled("Only documents that fit", where), labelled("Statements that nothing proves", failed),
      labelled("Outline", outline, "wide")));

  function body() {
    const given = {
      brief: brief.value, kind: kind.value, audience: audience.value.trim(), style: style.value.trim(),
      where: where.value.trim(), outline: outline.value.trim(), failed: failed.value,
    };
    for (const [name, field] of [["sections", sections], ["words", words]]) if (field.value) given[name] = Number(field.value);
    return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
  }

  async function attempt(button, act) {
    problem.hidden = true;
    button.disabled = true;
    try {
      await act();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
    button.disabled = false;
  }

  async function planFirst() {
    if (!form.reportValidity()) return;
    await attempt(plan, async () => {
      const found = await post("manuscripts/outline", { ...body(), outline: "" });
      outline.value = found.outline;
      more.open = true;
      say(found.outline ? "The outline is below." : "The documents hold nothing for this.");
      if (!found.outline) throw new Error("The documents hold nothing for this brief.");
      outline.focus();
    });
  }

  const form = h("form", { class: "brief card", onsubmit: (event) => {
    event.preventDefault();
    attempt(start, async () => open((await post("manuscripts", body())).id));
  } },
    h("label", { for: "brief", class: "label" }, "What is it to be about?"), brief,
    h("div", { class: "row ends" }, h("label", { class: "inline" }, h("span", {}, "Kind"), kind), h("span", { class: "spring" }), plan, start),
    more, problem);
  return [
    h("header", { class: "view-head" }, h("h1", {}, "Write from the documents"),
      h("p", { class: "lead" }, "A text of which every sentence is proved. Each one carries the numbers of its notes, and a number opens the document at the quoted words.")),
    form,
    state.caller.may_keep ? null : h("p", { class: "none" }, "This server is read-only, so nothing can be written here."),
  ];
}

function labelled(text, field, kind = "") {
  return h("label", { for: field.id, class: kind }, h("span", {}, text), field);
}

// One text with its state, growing as its events arrive.
function paper(info, { again, drop }) {
  const text = manuscriptView(info.kind);
  const title = h("h1", { dir: "auto" }, info.title || info.brief);
  const badge = h("span", { class: "badge" });
  const facts = h("p", { class: "facts" });
  const bar = h("progress", { "aria-label": "Sections written" });
  const acts = h("div", { class: "row" });
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const waiting = h("p", { class: "progress", role: "status" }, h("span", { class: "pulse" }), h("span", {}));

  async function act(rest, next) {
    problem.hidden = true;
    try {
      await post(`manuscripts/${info.id}/${rest}`, {});
      next?.();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  async function save(rest, query) {
    problem.hidden = true;
    try {
      await download(`manuscripts/${info.id}/${rest}`, query, `${info.id}.ledger.json`);
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  }

  function show(now) {
    const under = now.state === "waiting" || now.state === "running";
    title.textContent = now.title || now.brief;
    badge.textContent = now.stopping ? "stopping" : empty(now) ? "nothing found" : STATES[now.state];
    badge.className = `badge state-${empty(now) ? "cancelled" : now.state}`;
    const said = [KINDS.find(([kind]) => kind === now.kind)?.[1]];
    if (now.statements) said.push(counted(now.statements, "statement"), counted(now.notes, "note"));
    said.push(now.model === "none" ? "quotes alone" : now.model, `version ${now.version}`);
    fill(facts, badge, said.join(" · "));
    bar.hidden = !under;
    if (now.total) {
      bar.max = now.total;
      bar.value = now.done;
    } else bar.removeAttribute("value");
    waiting.hidden = !under;
    waiting.lastChild.textContent = now.state === "waiting" ? "Waiting for its turn"
      : now.total ? `Section ${number(Math.min(now.done + 1, now.total))} of ${number(now.total)}` : "Planning";
    problem.hidden = !now.problem;
    problem.textContent = now.problem;
    const files = now.statements ? [
      FORMS.map(([form, label]) => h("button", { type: "button", class: "plain", onclick: () => save("file", { form }) }, icon("save"), label)),
      h("button", { type: "button", class: "plain", onclick: () => save("ledger", {}) }, icon("save"), "Ledger"),
    ] : [];
    fill(acts,
      under ? h("button", { type: "button", class: "plain", disabled: now.stopping, onclick: () => act("cancel") }, icon("stop"), "Stop") : null,
      !under && now.state !== "done" && state.caller.may_keep ? h("button", { type: "button", class: "primary", onclick: () => act("resume", again) }, icon("again"), "Go on") : null,
      under ? null : files,
      under ? null : h("button", { type: "button", class: "icon", "aria-label": "Delete this text", onclick: drop }, icon("bin")));
  }

  const nothing = h("p", { class: "none nothing", hidden: true }, "The documents hold nothing for this brief. Say more of what you look for, or give an outline with questions under its headings.");
  const handlers = {
    job: show,
    section: (section) => text.add(section),
    done: (now) => {
      show(now);
      nothing.hidden = !empty(now);
      text.element.hidden = empty(now);
      say(`The text is ${STATES[now.state]}.`);
    },
    error: (error) => {
      problem.textContent = error.message;
      problem.hidden = false;
    },
  };
  show(info);
  return {
    element: h("article", { class: "paper" },
      h("header", { class: "view-head" }, title, facts, bar, acts), problem,
      text.element, nothing, waiting),
    on: (name, data) => handlers[name]?.(data),
  };
}

// Whether a text was written to its end and no document had anything for it.
function empty(now) {
  return now.state === "done" && !now.statements;
}
