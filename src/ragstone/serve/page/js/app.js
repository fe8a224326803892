// The frame: which view is shown, the corpus, colours, keys of the keyboard.

import { corpora, state } from "./api.js";
import { askView } from "./ask.js";
import { documentsView } from "./documents.js";
import { evaluateView } from "./evaluate.js";
import { fill, h, say, showDialog } from "./dom.js";
import { closeReader, openReader, stepPassage } from "./reader.js";
import { searchView } from "./search.js";
import { versionsView } from "./versions.js";
import { writeView } from "./write.js";

const VIEWS = {
  ask: askView, search: searchView, write: writeView, documents: documentsView, versions: versionsView, evaluate: evaluateView,
};
const TITLES = {
  ask: "Ask", search: "Search", write: "Write", documents: "Documents", versions: "Versions", evaluate: "Evaluate",
};
const LETTERS = { a: "ask", s: "search", w: "write", d: "documents", v: "versions", e: "evaluate" };
const main = document.getElementById("main");
let shown = null;

function parts() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [corpus, view] = path.split("/").map(decodeURIComponent);
  return { corpus, view, query: new URLSearchParams(query ?? "") };
}

function address(view) {
  return `#/${encodeURIComponent(state.corpus)}/${view}`;
}

function go() {
  const { corpus, view, query } = parts();
  const known = state.corpora.some((each) => each.name === corpus);
  const before = state.corpus;
  state.corpus = known ? corpus : (state.corpora[0]?.name ?? "");
  if (!state.corpus) {
    fill(main, h("div", { class: "empty" }, h("h1", {}, "No corpus"), h("p", {}, "This key may not see any.")));
    return;
  }
  const opening = view === "document";
  const name = opening ? (shown?.name ?? "documents") : VIEWS[view] ? view : "ask";
  document.getElementById("corpus").value = state.corpus;
  for (const link of document.querySelectorAll(".views a")) {
    link.href = address(link.dataset.view);
    if (link.dataset.view === name) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!shown || shown.name !== name || before !== state.corpus) {
    shown?.close?.();
    closeReader();
    shown = { name, ...VIEWS[name](main, query) };
    document.title = `${TITLES[name]} · ragstone`;
    say(TITLES[name]);
  } else if (!opening) shown.navigate?.(query);
  if (opening) openFromAddress(query);
}

function openFromAddress(query) {
  const whole = (name) => (query.has(name) ? Number(query.get(name)) : undefined);
  openReader({
    id: query.get("id"), start: whole("start"), end: whole("end"), version: whole("version"),
  });
}

function setUpCorpora() {
  const select = document.getElementById("corpus");
  fill(select, state.corpora.map((each) => h("option", { value: each.name }, each.name)));
  select.parentElement.hidden = state.corpora.length < 2;
  select.addEventListener("change", () => {
    location.hash = `#/${encodeURIComponent(select.value)}/${shown?.name ?? "ask"}`;
  });
}

function setUpColours() {
  const button = document.getElementById("theme");
  const names = { auto: "as the system", light: "light", dark: "dark" };
  const apply = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.setAttribute("aria-label", `Colours: ${names[theme]}`);
    button.title = button.getAttribute("aria-label");
  };
  let theme = localStorage.getItem("ragstone-theme") ?? "auto";
  apply(names[theme] ? theme : "auto");
  button.addEventListener("click", () => {
    const order = Object.keys(names);
    theme = order[(order.indexOf(theme) + 1) % order.length];
    localStorage.setItem("ragstone-theme", theme);
    apply(theme);
  });
}

const KEYS = [
  ["/", "Go to the question or search field"],
  ["g, then", "a Ask, s Search, w Write, d Documents, v Versions, e Evaluate"],
  ["n, p", "Next, previous citation in the open document"],
  ["↑ ↓", "Move in a list"],
  ["Esc", "Close the document, or stop an answer"],
  ["?", "This list"],
];

function help() {
  const rows = KEYS.map(([key, about]) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, about)]);
  showDialog("Keyboard", h("dl", { class: "keys" }, rows));
}

let waiting = false;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest?.("input, textarea, select");
  if (event.key === "Escape") {
    if (!closeReader()) shown?.stop?.();
    return;
  }
  if (typing) return;
  if (waiting) {
    waiting = false;
    const view = LETTERS[event.key];
    if (view) location.hash = address(view);
    return;
  }
  if (event.key === "g") waiting = true;
  else if (event.key === "?") help();
  else if (event.key === "n" || event.key === "p") stepPassage(event.key === "n" ? 1 : -1);
  else if (event.key === "/") {
    event.preventDefault();
    main.querySelector("[data-main-field]")?.focus();
  }
}

async function start() {
  setUpColours();
  document.getElementById("help").addEventListener("click", help);
  document.addEventListener("keydown", onKey);
  try {
    await corpora();
  } catch (error) {
    fill(main, h("div", { class: "empty" }, h("h1", {}, "Not connected"), h("p", {}, error.message)));
    return;
  }
  setUpCorpora();
  addEventListener("hashchange", go);
  go();
}

start();
