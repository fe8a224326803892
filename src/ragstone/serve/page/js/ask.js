// Asking: a conversation in which every statement shows what proves it.

import { state, stream } from "./api.js";
import { counted, duration, fileName, fill, h, icon, say } from "./dom.js";
import { openReader, passageOf } from "./reader.js";
import { stageList } from "./stages.js";

export function askView(main) {
  const turns = [];
  let abort = null;
  const thread = h("div", { class: "thread" });
  const field = h("textarea", {
    id: "question", rows: 1, dir: "auto", "data-main-field": true, maxlength: 8000,
    placeholder: "Ask your documents", "aria-label": "Question", enterkeyhint: "send",
  });
  const where = h("input", {
    id: "where", type: "text", spellcheck: "false", placeholder: "format = 'pdf' AND date >= '2020'",
  });
  const send = h("button", { type: "submit", class: "primary round", "aria-label": "Ask" }, icon("send"));
  const form = h(
    "form",
    { class: "composer", onsubmit: submit },
    h("div", { class: "field" }, field, send),
    h("div", { class: "below" },
      h("details", { class: "filter" },
        h("summary", {}, "Filter"),
        h("label", { for: "where" }, "Only documents that fit"), where),
      h("button", { type: "button", class: "link", onclick: anew }, "New conversation")),
  );

  function grow() {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 200)}px`;
  }
  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!abort) form.requestSubmit();
    }
  });

  function anew() {
    stop();
    turns.length = 0;
    fill(thread, welcome());
    field.focus();
  }

  function stop() {
    abort?.abort();
  }

  function busy(on) {
    fill(send, icon(on ? "stop" : "send"));
    send.setAttribute("aria-label", on ? "Stop" : "Ask");
  }

  async function submit(event) {
    event.preventDefault();
    if (abort) {
      stop();
      return;
    }
    const question = field.value.trim();
    if (!question) return;
    if (!thread.querySelector(".exchange")) fill(thread, h("h1", { class: "hidden" }, "Conversation"));
    field.value = "";
    grow();
    abort = new AbortController();
    busy(true);
    const reply = answerView(question);
    thread.append(reply.element);
    reply.element.scrollIntoView({ block: "start", behavior: "smooth" });
    const body = { question, turns: turns.slice(-20) };
    if (where.value.trim()) body.where = where.value.trim();
    try {
      await stream("ask/stream", body, reply.on, abort.signal);
      if (reply.said()) turns.push({ question, answer: reply.said().slice(0, 20000) });
    } catch (error) {
      reply.fail(error.name === "AbortError" ? "Stopped." : error.message);
    }
    abort = null;
    busy(false);
    if (document.activeElement === document.body || form.contains(document.activeElement)) {
      field.focus({ preventScroll: true });
    }
  }

  fill(main, h("div", { class: "view ask" }, thread, form));
  anew();
  return { stop, close: stop };
}

function welcome() {
  const corpus = state.corpora.find((each) => each.name === state.corpus);
  const count = corpus?.documents ?? 0;
  return h(
    "div",
    { class: "welcome" },
    h("h1", {}, "What would you like to know?"),
    h("p", {},
      count
        ? `Answers come from ${counted(count, "document")} in “${state.corpus}”. Each statement opens at the words that prove it, and where the documents do not say, neither does the answer.`
        : `“${state.corpus}” holds no documents yet.`),
    count ? null : h("a", { class: "button primary", href: `#/${encodeURIComponent(state.corpus)}/documents` }, "Add documents"),
  );
}

// One question with its answer as it arrives.
function answerView(question) {
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
      const lead = claim.append.startsWith("\n") ? "\n" : claim.index ? " " : null;
      const statement = h("span", { class: `claim ${claim.verdict}` }, claim.text);
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
      say(answer.abstained ? `No answer: ${answer.reason}` : answer.answer);
      if (removed.length) after.append(removedList(removed));
      after.append(foot(answer));
      element.scrollIntoView({ block: "nearest", behavior: "smooth" });
    },
    error(error) {
      fail(error.message);
    },
  };

  function fail(message) {
    progress.hidden = true;
    after.append(h("p", { class: "problem", role: "alert" }, message));
  }

  return { element, fail, said: () => said, on: (name, data) => handlers[name]?.(data) };
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
  return h(
    "div",
    { class: "abstained" },
    h("h3", {}, "The documents do not answer this"),
    h("p", { dir: "auto" }, abstention.reason),
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

