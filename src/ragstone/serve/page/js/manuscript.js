// A text section by section: every statement carries the numbers of its notes, a number opens the quote.

import { fileName, h } from "./dom.js";
import { openReader, passageOf } from "./reader.js";

const ADJOINING = 3; // characters between two sentences that follow each other

export function manuscriptView(kind) {
  const passages = new Map(); // note number -> passage
  const sources = new Map(); // document id -> { citation, notes }
  const body = h("div", { class: "text" });
  const ends = h("section", { class: "bibliography", hidden: true });
  let table = null;

  function open(number) {
    openReader(passages.get(number), [...passages.keys()].sort((a, b) => a - b).map((each) => passages.get(each)));
  }

  function note(number, citation) {
    if (!passages.has(number)) passages.set(number, passageOf(citation));
    const source = sources.get(citation.document_id) ?? { citation, notes: new Set() };
    sources.set(citation.document_id, source);
    source.notes.add(number);
    const name = citation.title || fileName(citation.source);
    return h("button", {
      type: "button", class: "cite", "aria-label": `Note ${number}: ${name}`,
      title: `${name}${citation.page ? `, page ${citation.page}` : ""}: ${citation.quote}`,
      onclick: () => open(number),
    }, number);
  }

  function stated(statement) {
    const stands = statement.verdict === "supported" && statement.citations.length;
    const notes = new Map(statement.citations.map((citation, index) => [statement.notes[index], citation]));
    return h("span", { class: stands ? "claim" : "claim unsupported" }, statement.text,
      stands ? null : h("em", { class: "unproved" }, "not proved"),
      [...notes].filter(([number]) => number).map(([number, citation]) => note(number, citation)));
  }

  function block(each) {
    const lines = [];
    for (const statement of each.statements) {
      const last = lines.at(-1);
      if (statement.form !== "sentence" || !last || last.at(-1).form !== "sentence") lines.push([statement]);
      else last.push(statement);
    }
    return h("div", { class: "block" },
      each.label ? h("p", { class: "block-label", dir: "auto" }, each.label) : null,
      lines.map((line) => h("p", { class: `line ${line[0].form === "item" ? "list_item" : line[0].form}`, dir: "auto" },
        line.map((statement, index) => [index ? (gap(line[index - 1], statement) ? " […] " : " ") : null, stated(statement)]))));
  }

  function add(section) {
    if (kind === "table") {
      row(section);
    } else if (section.blocks.length || section.asked) {
      body.append(h("section", {}, h("h2", { dir: "auto" }, section.heading),
        section.blocks.length ? section.blocks.map(block) : h("p", { class: "none" }, "The documents hold nothing about this.")));
    }
    drawSources();
  }

  function row(section) {
    if (!table) {
      table = h("tbody");
      body.append(h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Comparison" },
        h("table", {}, h("thead", {}, h("tr", {}, h("td"), section.blocks.map((each) => h("th", { scope: "col", dir: "auto" }, each.label)))), table)));
    }
    table.append(h("tr", {}, h("th", { scope: "row", dir: "auto" }, section.heading),
      section.blocks.map((each) => h("td", { dir: "auto" }, each.statements.length ? each.statements.map(stated) : "—"))));
  }

  function drawSources() {
    if (!sources.size) return;
    ends.hidden = false;
    ends.replaceChildren(h("h2", {}, "Sources"), h("ul", {}, [...sources.values()].map(({ citation, notes }) =>
      h("li", {}, h("span", { dir: "auto" }, citation.title || fileName(citation.source)), " ",
        h("small", { title: citation.source }, `${fileName(citation.source)} · note${notes.size === 1 ? "" : "s"} ${[...notes].sort((a, b) => a - b).join(", ")}`)))));
  }

  return { element: h("div", { class: "manuscript" }, body, ends), add, count: () => body.querySelectorAll("section, tbody tr").length };
}

function gap(one, other) {
  if (!one.quoted || !other.quoted) return false;
  const [before, after] = [one.citations.at(-1), other.citations[0]];
  const between = after.start - before.end;
  return before.document_id !== after.document_id || between < 0 || between > ADJOINING;
}
