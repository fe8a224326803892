// A document beside the answer: its text with the exact words marked, or its page's real image.

import { get, image } from "./api.js";
import { codePoints, counted, fileName, fill, h, icon, number, say } from "./dom.js";

const panel = document.getElementById("reader");
const AROUND = 6000; // code points before and after the marked words
const shown = { passages: [], at: 0, opener: null, abort: null, picture: "" };

// `passage`: { id, start, end, version, page }. `among`: the passages that n and p step through.
export function openReader(passage, among = [passage]) {
  if (panel.hidden) shown.opener = document.activeElement;
  shown.passages = among;
  shown.at = Math.max(0, among.indexOf(passage));
  panel.hidden = false;
  document.body.classList.add("reading");
  load();
}

export function closeReader() {
  if (panel.hidden) return false;
  shown.abort?.abort();
  panel.hidden = true;
  fill(panel);
  document.body.classList.remove("reading");
  forgetPicture();
  if (shown.opener?.isConnected) shown.opener.focus();
  const { hash } = location;
  if (hash.includes("/document?")) history.replaceState(null, "", hash.replace(/document\?.*/, "documents"));
  return true;
}

export function stepPassage(by) {
  if (panel.hidden || shown.passages.length < 2) return;
  const size = shown.passages.length;
  shown.at = (shown.at + by + size) % size;
  load();
}

async function load() {
  const passage = shown.passages[shown.at];
  shown.abort?.abort();
  shown.abort = new AbortController();
  const { signal } = shown.abort;
  const from = Math.max(0, (passage.start ?? 0) - AROUND);
  const to = (passage.end ?? passage.start ?? 0) + AROUND;
  fill(panel, h("p", { class: "loading", role: "status" }, "Opening…"));
  try {
    const query = { id: passage.id, start: from, end: to, version: passage.version };
    const found = await get("document", query, signal);
    show(found, passage);
    panel.querySelector("h2").focus();
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(panel, head("Not found", ""), h("p", { class: "problem", role: "alert" }, error.message));
  }
}

function head(title, source, ...more) {
  const close = h(
    "button",
    { type: "button", class: "icon", "aria-label": "Close the document", onclick: closeReader },
    icon("close"),
  );
  return h(
    "header",
    { class: "reader-head" },
    h("div", { class: "reader-title" },
      h("h2", { tabindex: "-1", dir: "auto", title: source }, title),
      h("p", { class: "source", dir: "auto", title: source }, source ? fileName(source) : "")),
    more,
    close,
  );
}

function steps() {
  if (shown.passages.length < 2) return null;
  const step = (by, label, shape) =>
    h("button", { type: "button", class: "icon", "aria-label": label, onclick: () => stepPassage(by) }, icon(shape));
  return h(
    "div",
    { class: "steps" },
    step(-1, "Previous citation", "left"),
    h("span", {}, `${shown.at + 1} of ${shown.passages.length}`),
    step(1, "Next citation", "right"),
  );
}

function show(found, passage) {
  const body = h("div", { class: "reader-body", tabindex: "0", role: "region", "aria-label": "Content" });
  const marked = passage.end > passage.start;
  const facts = [found.format, counted(found.characters, "character")];
  if (found.pages) facts.push(counted(found.pages, "page"));
  const modes = found.has_images ? modeSwitch(found, passage, body) : null;
  fill(
    panel,
    head(found.title || fileName(found.source), found.source, steps()),
    h("div", { class: "reader-bar" }, h("span", { class: "facts" }, facts.join(" · ")), modes),
    body,
  );
  if (modes && marked && localStorage.getItem("ragstone-reader") !== "text") modes.showPage();
  else if (modes && !marked && localStorage.getItem("ragstone-reader") === "page") modes.showPage();
  else showText(found, passage, body);
}

function modeSwitch(found, passage, body) {
  const page = h("button", { type: "button", "aria-pressed": "false" }, "Page");
  const text = h("button", { type: "button", "aria-pressed": "true" }, "Text");
  const group = h("div", { class: "switch", role: "group", "aria-label": "Show as" }, page, text);
  const choose = (mode) => {
    page.setAttribute("aria-pressed", String(mode === "page"));
    text.setAttribute("aria-pressed", String(mode === "text"));
    localStorage.setItem("ragstone-reader", mode);
  };
  group.showPage = () => {
    choose("page");
    showPage(found, passage, body, firstPage(found, passage));
  };
  page.addEventListener("click", group.showPage);
  text.addEventListener("click", () => {
    choose("text");
    showText(found, passage, body);
  });
  return group;
}

function firstPage(found, passage) {
  const at = passage.start ?? 0;
  const holds = (each) => each.kind === "page" && each.start <= at && at < each.end;
  return found.elements.find(holds)?.level ?? passage.page ?? 1;
}

function showText(found, passage, body) {
  forgetPicture();
  const flow = h("div", { class: "flow" });
  const more = (label, start, end) =>
    h("button", { type: "button", class: "more", onclick: (event) => extend(event, start, end) }, label);
  const extend = async (event, start, end) => {
    const button = event.currentTarget;
    const next = await get("document", { id: found.document_id, start, end, version: passage.version });
    const piece = lines(next, passage);
    const before = start < found.start;
    const height = body.scrollHeight;
    const further = before
      ? next.start > 0 && more("Earlier", Math.max(0, next.start - 2 * AROUND), next.start)
      : next.end < next.characters && more("Further", next.end, next.end + 2 * AROUND);
    button.replaceWith(...(before ? [further || "", ...piece] : [...piece, further || ""]));
    if (before) body.scrollTop += body.scrollHeight - height;
  };
  fill(
    flow,
    found.start > 0 && more("Earlier", Math.max(0, found.start - 2 * AROUND), found.start),
    lines(found, passage),
    found.end < found.characters && more("Further", found.end, found.end + 2 * AROUND),
  );
  fill(body, flow);
  const mark = body.querySelector("mark");
  if (mark) {
    mark.scrollIntoView({ block: "center" });
    say(`Marked: ${mark.textContent}`);
  } else body.scrollTop = 0;
}

const FLOWING = new Set(["", "paragraph", "list_item", "quote"]);
const WRAPPED = new Set(["text", "markdown", "restructuredtext", "org", "asciidoc"]); // files of lines
const WIDE = 35; // characters: a line as long as this was broken for width, if words follow at once
const OWN = /^\s*(?:[-*•+|#=]|#\.|\(?(?:\d{1,3}|[A-Za-z])[.)])\s|^\s*(?:\.\. |```|$)/; // begins something new
const SIGN = /^(?:#{1,6}|={1,6}|\*{1,6})\s+/; // of a heading, in files that write it in front
// What a file draws below a heading, or between the head and the rows of a table.
const RULE = /^(?:([=\-~^"'#*+`:._])\1{2,}|\|?(?:\s*:?-{3,}:?\s*\|)+(?:\s*:?-{3,}:?\s*)?)$/;

// Each line of the window as a paragraph; the marked range as <mark> within, to the code point.
function lines(found, passage) {
  const points = codePoints(found.text);
  const paragraphs = [];
  let start = 0;
  for (let at = 0; at <= points.length; at += 1) {
    if (at < points.length && points[at] !== "\n") continue;
    if (at > start && points.slice(start, at).some((point) => point.trim())) {
      paragraphs.push(line(points, start, at, found, passage));
    }
    start = at + 1;
  }
  return paragraphs;
}

// The line after the one that ends at `to`, or as much of it as tells how it begins.
function following(points, to) {
  return points.slice(to + 1, to + 40).join("").split("\n", 1)[0];
}

function line(points, from, to, found, passage) {
  const base = found.start;
  const inside = (each) => each.start < base + to && each.end > base + from;
  const kinds = found.elements.filter((each) => each.kind !== "page" && inside(each));
  const heading = kinds.find((each) => each.kind === "heading");
  const kind = heading ? "heading" : (kinds.at(-1)?.kind ?? "");
  const text = (a, b) => points.slice(a, b).join("");
  const indent = text(from, to).match(/^\s*/)[0].length;
  const first = Math.max(from + indent, (passage.start ?? 0) - base);
  const last = Math.min(to, (passage.end ?? 0) - base);
  const children =
    first < last
      ? [text(from, first), h("mark", {}, text(first, last)), text(last, to)]
      : [text(from, to)];
  const level = heading ? ` h${Math.min(3, heading.level || 1)}` : "";
  const whole = text(from, to);
  const marked = first < last;
  const wrapped = WRAPPED.has(found.format);
  // A file that breaks its lines for width goes on with the same paragraph, item or quote.
  const goesOn = wrapped && FLOWING.has(kind) && to - from >= WIDE && !OWN.test(following(points, to));
  const ruled = wrapped && !marked && RULE.test(whole.trim());
  if (wrapped && heading && !marked) children[0] = whole.replace(SIGN, "");
  return h("p", { dir: "auto", class: `line ${kind}${level}${goesOn ? " goes-on" : ""}${ruled ? " rule" : ""}` }, children);
}

function forgetPicture() {
  if (shown.picture) URL.revokeObjectURL(shown.picture);
  shown.picture = "";
}

async function showPage(found, passage, body, page) {
  const { signal } = shown.abort;
  fill(body, h("p", { class: "loading", role: "status" }, `Drawing page ${page}…`));
  const width = Math.min(2000, Math.round(Math.max(900, body.clientWidth) * Math.min(2, devicePixelRatio)));
  const common = { id: found.document_id, page };
  try {
    const wanted = { ...common, start: passage.start, end: passage.end, version: passage.version };
    const [blob, marks] = await Promise.all([
      image("document/page.png", { ...common, width }, signal),
      get("document/marks", wanted, signal).catch((error) => ({ boxes: [], problem: error.message })),
    ]);
    forgetPicture();
    shown.picture = URL.createObjectURL(blob);
    drawPage(found, passage, body, page, marks);
  } catch (error) {
    if (error.name === "AbortError") return;
    fill(body, h("p", { class: "problem", role: "alert" }, error.message));
  }
}

function drawPage(found, passage, body, page, marks) {
  const turn = (to, label, shape) =>
    h("button", {
      type: "button", class: "icon", "aria-label": label, disabled: to < 1 || to > found.pages,
      onclick: () => showPage(found, passage, body, to),
    }, icon(shape));
  const boxes = (passage.end > passage.start ? marks.boxes : []).map(([left, top, right, bottom]) => {
    const box = h("div", { class: "box" });
    box.style.left = `${left * 100}%`;
    box.style.top = `${top * 100}%`;
    box.style.width = `${(right - left) * 100}%`;
    box.style.height = `${(bottom - top) * 100}%`;
    return box;
  });
  const center = (box) => box.scrollIntoView({ block: "center", inline: "center" });
  const zoom = h("button", {
    type: "button", class: "icon", "aria-label": "Larger", "aria-pressed": "false",
    onclick: () => {
      const near = body.querySelector(".sheet").classList.toggle("near");
      zoom.setAttribute("aria-pressed", String(near));
      if (boxes.length) center(boxes[0]);
    },
  }, icon("zoom"));
  const picture = h("img", { src: shown.picture, alt: `Page ${page} of ${found.title}` });
  fill(
    body,
    h("div", { class: "turn" },
      turn(page - 1, "Previous page", "left"),
      h("span", {}, `Page ${number(page)} of ${number(found.pages)}`),
      turn(page + 1, "Next page", "right"), zoom),
    marks.problem && h("p", { class: "note" }, `No words are marked: ${marks.problem}`),
    h("div", { class: "sheet" }, picture, boxes),
  );
  if (boxes.length) {
    picture.addEventListener("load", () => center(boxes[0]), { once: true });
    say(`Page ${page}, ${boxes.length} marked ${boxes.length === 1 ? "line" : "lines"}`);
  }
}

export function passageOf(citation) {
  return {
    id: citation.document_id, start: citation.start, end: citation.end,
    version: citation.version, page: citation.page,
  };
}

