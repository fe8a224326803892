// The documents of a corpus: a list that stays quick with any number of them, and uploads.

import { get, remove, state, upload } from "./api.js";
import { confirm, counted, fileName, fill, h, icon, number, say } from "./dom.js";
import { closeReader, openReader } from "./reader.js";

const ROW = 68; // pixels; the rows that are not in sight do not exist
const PAGE = 100; // documents fetched at once
const AT_ONCE = 2; // uploads
const SHORT = { restructuredtext: "rst", markdown: "md", opendocument: "odf" }; // for the narrow column

export function documentsView(main) {
  const writable = state.caller.may_write;
  const list = virtualList(writable);
  const field = h("input", {
    type: "search", "data-main-field": true, dir: "auto", placeholder: "Title or file name", "aria-label": "Find documents",
  });
  const format = h("select", { "aria-label": "Format" });
  const sort = h("select", { "aria-label": "Order" },
    [["title", "By title"], ["newest", "Newest first"], ["size", "Longest first"], ["source", "By place"]].map(
      ([value, label]) => h("option", { value }, label)));
  const where = h("input", { id: "doc-where", type: "text", spellcheck: "false", placeholder: "date >= '2020'" });
  const count = h("p", { class: "summary", role: "status" });
  let later = 0;
  const refresh = () => list.load(
    { query: field.value.trim(), format: format.value, sort: sort.value, where: where.value.trim() }, shown);
  field.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(refresh, 150);
  });
  for (const each of [format, sort, where]) each.addEventListener("change", refresh);

  function shown(found, problem) {
    count.textContent = problem ?? (found.total === found.all
      ? counted(found.all, "document")
      : `${number(found.total)} of ${number(found.all)} documents`);
    count.classList.toggle("problem", Boolean(problem));
    if (!found) return;
    const chosen = format.value;
    fill(format, h("option", { value: "" }, "All formats"),
      Object.entries(found.formats).map(([name, n]) => h("option", { value: name }, `${name} (${number(n)})`)));
    format.value = chosen in found.formats ? chosen : "";
  }

  const view = h(
    "div",
    { class: "view documents" },
    h("div", { class: "toolbar" },
      h("h1", {}, "Documents"),
      writable ? uploads(refresh) : null,
      h("div", { class: "finders" }, field, format, sort,
        h("details", { class: "filter" }, h("summary", {}, "Filter"),
          h("label", { for: "doc-where" }, "Only documents that fit"), where)),
      count),
    list.element,
  );
  list.element.addEventListener("deleted", refresh);
  fill(main, view);
  if (writable) dropTarget(view, refresh);
  refresh();
  return { close: list.close };
}

function virtualList(writable) {
  const inner = h("ul", { class: "rows", role: "list" });
  const element = h("div", { class: "scroller" }, inner);
  const pages = new Map();
  let query = {};
  let total = 0;
  let round = 0;
  let abort = new AbortController();
  let focused = -1;

  async function load(wanted, shown) {
    abort.abort();
    abort = new AbortController();
    round += 1;
    const mine = round;
    query = wanted;
    try {
      const found = await get("documents", { ...query, offset: 0, limit: PAGE }, abort.signal);
      if (mine !== round) return;
      pages.clear();
      pages.set(0, found.documents);
      total = found.total;
      inner.style.height = `${total * ROW}px`;
      element.scrollTop = 0;
      focused = -1;
      shown(found);
      draw();
    } catch (error) {
      if (error.name !== "AbortError") shown(null, error.message);
    }
  }

  async function fetchPage(index) {
    const mine = round;
    pages.set(index, null);
    try {
      const found = await get("documents", { ...query, offset: index * PAGE, limit: PAGE }, abort.signal);
      if (mine === round) pages.set(index, found.documents);
    } catch {
      if (mine === round) pages.delete(index);
      return;
    }
    draw();
  }

  function draw() {
    const first = Math.max(0, Math.floor(element.scrollTop / ROW) - 6);
    const last = Math.min(total, Math.ceil((element.scrollTop + element.clientHeight) / ROW) + 6);
    const rows = [];
    for (let index = first; index < last; index += 1) {
      const page = Math.floor(index / PAGE);
      if (!pages.has(page)) fetchPage(page);
      const info = pages.get(page)?.[index % PAGE];
      rows.push(row(info, index, total, writable, element));
    }
    fill(inner, rows);
    if (!total) fill(inner, h("li", { class: "none" }, "No documents."));
    if (focused >= first && focused < last) inner.querySelector(`[data-index="${focused}"]`)?.focus({ preventScroll: true });
  }

  let frame = 0;
  element.addEventListener("scroll", () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(draw);
  });
  element.addEventListener("focusin", (event) => {
    const index = event.target.closest("[data-index]")?.dataset.index;
    if (index !== undefined) focused = Number(index);
  });
  element.addEventListener("keydown", (event) => {
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -total, End: total };
    if (!(event.key in steps) || focused < 0) return;
    event.preventDefault();
    focused = Math.max(0, Math.min(total - 1, focused + steps[event.key]));
    const top = focused * ROW;
    if (top < element.scrollTop) element.scrollTop = top;
    if (top + ROW > element.scrollTop + element.clientHeight) element.scrollTop = top + ROW - element.clientHeight;
    draw();
  });
  const observer = new ResizeObserver(draw);
  observer.observe(element);
  const close = () => {
    abort.abort();
    observer.disconnect();
  };
  return { element, load, close };
}

function row(info, index, total, writable, list) {
  const item = h("li", { "aria-setsize": total, "aria-posinset": index + 1 });
  item.style.top = `${index * ROW}px`;
  if (!info) return fill(item, h("span", { class: "pending" }, "…"));
  const passage = { id: info.document_id };
  const name = info.title || fileName(info.source);
  const facts = [info.language, counted(info.characters, "character"), counted(info.passages, "passage")];
  return fill(
    item,
    h("button", { type: "button", class: "document", "data-index": index, onclick: () => openReader(passage) },
      h("span", { class: `format ${info.format}`, title: info.format }, SHORT[info.format] ?? info.format),
      h("span", { class: "name", dir: "auto" }, name),
      h("span", { class: "where", dir: "auto", title: info.source }, fileName(info.source)),
      h("span", { class: "facts" }, facts.filter(Boolean).join(" · "))),
    writable
      ? h("button", { type: "button", class: "icon", "aria-label": `Delete ${name}`, onclick: () => drop(info, name, list) }, icon("bin"))
      : null,
  );
}

async function drop(info, name, list) {
  const sure = await confirm({
    title: "Delete this document?", text: `“${name}” leaves the corpus. Earlier versions still hold it.`,
    act: "Delete", danger: true,
  });
  if (!sure) return;
  try {
    await remove("document", { id: info.document_id });
    say(`${name} was deleted.`);
    closeReader();
    list.dispatchEvent(new Event("deleted"));
  } catch (error) {
    say(error.message);
    await confirm({ title: "Not deleted", text: error.message, act: "Close" });
  }
}

const queue = { waiting: [], active: 0, list: null };

function uploads(refresh) {
  const input = h("input", { type: "file", multiple: true, class: "hidden", id: "files", tabindex: "-1", "aria-label": "Files to add" });
  input.addEventListener("change", () => {
    addFiles([...input.files], refresh);
    input.value = "";
  });
  queue.list = h("ul", { class: "uploads", "aria-label": "Uploads" });
  return h("div", { class: "adding" }, input,
    h("button", { type: "button", class: "primary", onclick: () => input.click() }, icon("add"), "Add files"),
    h("p", { class: "hint" }, "or drop them here"), queue.list);
}

function addFiles(files, refresh) {
  for (const file of files) {
    const bar = h("progress", { max: 1, value: 0, "aria-label": `Sending ${file.name}` });
    const note = h("span", { class: "note" }, "Waiting");
    const item = h("li", {}, h("span", { class: "name", dir: "auto" }, file.name), bar, note);
    queue.list.prepend(item);
    queue.waiting.push({ file, item, bar, note, refresh });
  }
  pump();
}

function pump() {
  while (queue.active < AT_ONCE && queue.waiting.length) {
    queue.active += 1;
    send(queue.waiting.shift()).finally(() => {
      queue.active -= 1;
      pump();
    });
  }
}

async function send({ file, item, bar, note, refresh }) {
  note.textContent = "Sending";
  try {
    const reply = await upload(file, (loaded, total) => {
      bar.max = total || 1;
      bar.value = loaded;
      if (loaded === total) {
        bar.removeAttribute("value");
        note.textContent = "Reading";
      }
    });
    const count = reply.documents.length;
    note.textContent = `${reply.replaced ? "Replaced" : "Added"}${count === 1 ? "" : `: ${counted(count, "document")}`}`;
    item.classList.add("done");
    say(`${file.name} was added.`);
    setTimeout(() => item.remove(), 8000);
    refresh();
  } catch (error) {
    item.classList.add("failed");
    note.textContent = error.message;
    note.setAttribute("role", "alert");
    item.append(h("button", { type: "button", class: "icon", "aria-label": `Dismiss ${file.name}`, onclick: () => item.remove() }, icon("close")));
  }
  bar.remove();
}

function dropTarget(view, refresh) {
  let depth = 0;
  const files = (event) => event.dataTransfer?.types.includes("Files");
  view.addEventListener("dragenter", (event) => {
    if (!files(event)) return;
    depth += 1;
    view.classList.add("dropping");
  });
  view.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) view.classList.remove("dropping");
  });
  view.addEventListener("dragover", (event) => files(event) && event.preventDefault());
  view.addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    view.classList.remove("dropping");
    addFiles([...event.dataTransfer.files], refresh);
  });
}
