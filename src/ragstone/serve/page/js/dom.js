// Building elements. Text only ever enters the page as text nodes: no string becomes markup.

const BROKEN = 45; // characters: a shorter line ended where it was meant to end

export function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else if (value === true) element.setAttribute(name, "");
    else element.setAttribute(name, String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  send: "M3.500 10 16.500 3.500 12 16.500l-2.500-5z",
  stop: "M6 6h8v8H6z",
  close: "m5 5 10 10M15 5 5 15",
  left: "M12.500 4 6.500 10l6 6",
  right: "m7.500 4 6 6-6 6",
  zoom: "M13 13l4 4M8.500 3.500a5 5 0 1 0 0 10 5 5 0 0 0 0-10M8.500 6.500v4M6.500 8.500h4",
  add: "M10 4v12M4 10h12",
  bin: "M4 6h12M8 6V4h4v2M6 6l.7 10.500h6.600L14 6",
  up: "M10 16V5M5.500 9 10 4.500 14.500 9",
  back: "M4 8h8.500a4 4 0 0 1 0 8H8M4 8l3.500-3.500M4 8l3.500 3.500",
  save: "M10 3v9M6 8.500 10 12.500 14 8.500M4 16.500h12",
  list: "M3 5h14M3 10h14M3 15h9",
  pen: "M4 16l1-4 8.500-8.500 3 3L8 15zM12 5l3 3",
  again: "M16 10a6 6 0 1 1-2-4.500M16 3v3.500h-3.500",
  quote: "M4 13V9.500C4 7 5.500 5.500 8 5M11 13V9.500c0-2.500 1.500-4 4-4.500M4 10h4v4H4zM11 10h4v4h-4z",
};

// An element of a drawing.
export function s(tag, attributes, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes ?? {})) element.setAttribute(name, String(value));
  append(element, children);
  return element;
}

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}

export function say(text) {
  document.getElementById("status").textContent = text;
}

export function number(value) {
  return new Intl.NumberFormat().format(value);
}

export function counted(count, noun) {
  return `${number(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function duration(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function fileName(source) {
  return source.split(/[\\/]/).pop() || source;
}

// Positions in the API count code points; JavaScript's count UTF-16 units.
export function codePoints(text) {
  return Array.from(text);
}

// A dialog with a question; resolves to true, or false when it is closed in any other way.
export function confirm({ title, text, act, danger }) {
  const dialog = document.getElementById("dialog");
  return new Promise((resolve) => {
    const finish = () => resolve(dialog.returnValue === "yes");
    fill(
      dialog,
      h("h2", { id: "dialog-title" }, title),
      h("p", { dir: "auto" }, text),
      h(
        "form",
        { method: "dialog", class: "actions" },
        h("button", { value: "no", type: "submit", class: "plain" }, "Cancel"),
        h("button", { value: "yes", type: "submit", class: danger ? "danger" : "primary" }, act),
      ),
    );
    dialog.returnValue = "";
    dialog.addEventListener("close", finish, { once: true });
    dialog.showModal();
  });
}

export function showDialog(title, ...content) {
  const dialog = document.getElementById("dialog");
  fill(
    dialog,
    h("h2", { id: "dialog-title" }, title),
    ...content,
    h("form", { method: "dialog", class: "actions" }, h("button", { class: "primary" }, "Close")),
  );
  dialog.showModal();
}

// "a minute ago" for the last week, then the day.
export function ago(time) {
  const then = new Date(time);
  const minutes = Math.round((Date.now() - then) / 60_000);
  const format = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  if (minutes < 1) return "just now";
  if (minutes < 60) return format.format(-minutes, "minute");
  if (minutes < 24 * 60) return format.format(-Math.round(minutes / 60), "hour");
  if (minutes < 7 * 24 * 60) return format.format(-Math.round(minutes / 1440), "day");
  return then.toLocaleDateString([], { dateStyle: "medium" });
}

// A passage as it reads: without the headings that are named above it, its lines joined where the
// file only broke them for width. List items, rows and code keep lines of their own.
export function excerpt(text, headings) {
  const letters = (line) => line.toLowerCase().match(/[\p{L}\p{N}]+/gu)?.join(" ") ?? "";
  const named = new Set(["", ...headings.map(letters)]);
  const lines = text.trim().split("\n").map((line) => line.trim());
  let first = 0;
  while (first < lines.length - 1 && named.has(letters(lines[first]))) first += 1;
  let read = "";
  let before = "";
  for (const line of lines.slice(first)) {
    if (/^([=\-~`^"'#*+_]){3,}$/.test(line)) continue; // the underline of a heading
    const own = !line || before.length < BROKEN || /^([-*•+|]|\d+[.)]|\.\.)\s|: .*; /.test(line);
    if (line) read += (read ? (own ? "\n" : " ") : "") + line;
    before = line;
  }
  return read;
}
