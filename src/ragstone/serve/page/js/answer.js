// One answer: as it arrives, or as it was kept. Every statement shows what proves it.

import { codePoints, duration, fileName, h, say } from "./dom.js";
import { openReader, passageOf } from "./reader.js";
import { stageList } from "./stages.js";

// One question with its answer as it arrives.
export function answerView(question) {
  const numbers = new Map(); // "id start end" -> number
  const passages = [];
  const sources = h("ol", { class: "sources" });
  const prose = h("p", { class: "prose", dir: "auto" });
  const progress = h("p", { class: "progress", role: "status" }, h("span", { class: "pulse" }), "Searching the documents");
  const after = h("div", { class: "after" });
  const element = h(
    "article",
    { class: "exchange", "aria-label": question },
    h("h2", { class: "question", dir: "auto" }, question),
    progress, prose, sources, after,
  );
  const claims = new Map();
  const removed = [];
  let said = "";

  function open(passage) {
    openReader(passage, passages);
  }

  function cite(citation) {
    const key = `${citation.document_id} ${citation.start} ${citation.end}`;
    if (!numbers.has(key)) {
      const passage = passageOf(citation);
      numbers.set(key, { number: numbers.size + 1, passage });
      passages.push(passage);
      sources.append(source(citation, numbers.get(key), open));
    }
    return numbers.get(key);
  }

  function mark(claim, citation) {
    const { number: label, passage } = cite(citation);
    const name = citation.title || fileName(citation.source);
    claims.get(claim)?.append(
      h("button", {
        type: "button", class: "cite", "aria-label": `Source ${label}: ${name}`,
        title: `${name}${citation.page ? `, page ${citation.page}` : ""}: ${citation.quote}`,
        onclick: () => open(passage),
      }, label),
    );
  }

  const handlers = {
    retrieved({ hits, evidence }) {
      progress.lastChild.textContent = `Reading ${evidence.length || hits.length} passages`;
    },
    claim(claim) {
      progress.hidden = true;
      const lead = claim.append.startsWith("\n") ? h("span", { class: "break" }, "\n") : claim.index ? " " : null;
      const statement = h("span", { class: `claim ${claim.verdict}` }, claim.text);
      statement.place = claim;
      if (claim.verdict !== "supported") statement.append(h("em", { class: "unproved" }, "not proved"));
      claims.set(claim.index, statement);
      prose.append(...[lead, statement].filter(Boolean));
    },
    citation(citation) {
      mark(citation.claim, citation);
    },
    removed(claim) {
      removed.push(claim);
    },
    abstained(abstention) {
      progress.hidden = true;
      after.append(abstained(abstention, (citation) => open(cite(citation).passage)));
    },
    done(answer) {
      progress.hidden = true;
      said = answer.answer;
      if (!claims.size && !answer.abstained) prose.textContent = answer.answer;
      for (const statement of claims.values()) point(statement, answer);
      after.append(...remarks(answer));
      if (removed.length) after.append(removedList(removed));
      if (answer.kind !== "courtesy" && answer.kind !== "clarification") after.append(foot(answer));
      else after.append(h("span", { class: "foot" }));
    },
    error(error) {
      fail(error.message);
    },
  };

  function fail(message) {
    progress.hidden = true;
    after.append(h("p", { class: "problem", role: "alert" }, message));
  }

  function on(name, data) {
    handlers[name]?.(data);
    if (name !== "done") return;
    say(data.abstained ? `No answer: ${data.reason}` : data.answer);
    element.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  // A turn that was kept: the same events, all at once.
  function show(turn) {
    progress.hidden = true;
    if (turn.withheld) {
      after.append(h("p", { class: "none" }, "What was answered quotes documents that this key may no longer see."));
      return;
    }
    const points = codePoints(turn.answer);
    let end = 0;
    turn.claims.forEach((claim, index) => {
      const lead = points.slice(end, claim.start).join("");
      handlers.claim({ ...claim, index, append: (lead.includes("\n") ? "\n" : "") + claim.text });
      for (const citation of claim.citations) mark(index, citation);
      end = claim.end;
    });
    removed.push(...turn.removed);
    if (turn.abstained) handlers.abstained(turn);
    handlers.done(turn);
  }

  return { element, fail, show, on, said: () => said };
}

// The few words of a statement that answer most directly.
function point(statement, answer) {
  const { start, text } = statement.place;
  const points = codePoints(text);
  const [from, to] =
    (answer.highlights ?? []).find(([a, b]) => a >= start && b <= start + points.length) ?? [];
  const node = statement.firstChild;
  if (from === undefined || node?.nodeType !== Node.TEXT_NODE || node.data !== text) return;
  const cut = (a, b) => points.slice(a - start, b - start).join("");
  node.replaceWith(cut(start, from), h("strong", {}, cut(from, to)), cut(to, start + points.length));
}

function remarks(answer) {
  const found = [];
  if (answer.missing) found.push(h("p", { class: "remark", dir: "auto" }, h("strong", {}, "Not in the documents: "), answer.missing));
  const conflicts = (answer.conflicts ?? []).map((each) => each.replace(/^The documents disagree: /, ""));
  if (conflicts.length === 1) {
    found.push(h("p", { class: "remark", dir: "auto" }, h("strong", {}, "The documents disagree: "), conflicts[0]));
  } else if (conflicts.length) {
    found.push(h("div", { class: "remark" }, h("strong", {}, "The documents disagree"),
      h("ul", {}, conflicts.map((each) => h("li", { dir: "auto" }, each)))));
  }
  return found;
}

function source(citation, { number: label, passage }, open) {
  const headings = citation.heading_path.filter((heading) => heading !== citation.title);
  const place = [citation.page && `page ${citation.page}`, ...headings.slice(-2)];
  return h(
    "li",
    {},
    h("button", { type: "button", class: "source-card", onclick: () => open(passage) },
      h("span", { class: "label", "aria-hidden": "true" }, label),
      h("span", { class: "source-name", dir: "auto" }, citation.title || fileName(citation.source)),
      h("span", { class: "source-place", dir: "auto" }, place.filter(Boolean).join(" › ")),
      h("q", { dir: "auto" }, citation.quote)),
  );
}

function abstained(abstention, open) {
  const offered = abstention.could_answer;
  const reason = offered ? abstention.reason.replace(` They could answer: ${offered}`, "") : abstention.reason;
  const ask = ({ target }) =>
    target.dispatchEvent(new CustomEvent("offered", { bubbles: true, detail: offered }));
  return h(
    "div",
    { class: "abstained" },
    h("h3", {}, "The documents do not answer this"),
    h("p", { dir: "auto" }, reason),
    offered ? h("p", {}, "They could answer: ", h("button", { type: "button", class: "offered", dir: "auto", onclick: ask }, offered)) : null,
    abstention.nearest.length
      ? h("details", { open: true }, h("summary", {}, "What comes nearest"),
          h("ul", {}, abstention.nearest.map((citation) =>
            h("li", {}, h("button", { type: "button", class: "near", onclick: () => open(citation) },
              h("strong", { dir: "auto" }, citation.title || fileName(citation.source)),
              h("span", { dir: "auto" }, citation.quote))))))
      : null,
  );
}

function removedList(removed) {
  const count = removed.length === 1 ? "One statement was" : `${removed.length} statements were`;
  return h(
    "details",
    { class: "removed" },
    h("summary", {}, `${count} left out, because nothing proved ${removed.length === 1 ? "it" : "them"}`),
    h("ul", {}, removed.map((claim) =>
      h("li", { dir: "auto" }, claim.text, claim.reason && h("small", {}, ` (${claim.reason})`)))),
  );
}

function foot(answer) {
  const total = answer.timings_ms.total;
  const facts = [
    answer.model === "none" ? "Quotes alone, no language model" : answer.model,
    `version ${answer.version}`,
    total && duration(total),
  ];
  return h(
    "footer",
    { class: "foot" },
    h("span", {}, facts.filter(Boolean).join(" · ")),
    answer.stages?.length
      ? h("details", {}, h("summary", {}, "How it was found"), stageList(answer.stages))
      : null,
  );
}

