// Asking: conversations that are kept, each in a list beside the one that is open.

import { answerView } from "./answer.js";
import { get, post, state, stream } from "./api.js";
import { counted, fill, h, icon } from "./dom.js";
import { closeReader } from "./reader.js";
import { sessionList } from "./sessions.js";

export function askView(main, query) {
  const keeps = state.caller.may_keep;
  const turns = []; // of a conversation that nobody keeps
  let session = "";
  let abort = null;
  let opening = null;
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
  const list = keeps ? sessionList({ current: () => session, open, anew }) : null;

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

  thread.addEventListener("offered", ({ detail }) => {
    if (abort) return;
    field.value = detail;
    form.requestSubmit();
  });

  function address() {
    const rest = session ? `?session=${encodeURIComponent(session)}` : "";
    history.replaceState(null, "", `#/${encodeURIComponent(state.corpus)}/ask${rest}`);
  }

  function anew() {
    stop();
    opening?.abort();
    turns.length = 0;
    session = "";
    if (location.hash.includes("session=")) address();
    closeReader();
    fill(thread, welcome());
    list?.mark();
    field.focus();
  }

  async function open(name) {
    stop();
    opening?.abort();
    opening = new AbortController();
    session = name;
    address();
    closeReader();
    list?.mark();
    fill(thread, h("p", { class: "loading", role: "status" }, "Opening…"));
    try {
      const found = await get(`sessions/${encodeURIComponent(name)}`, {}, opening.signal);
      fill(thread, h("h1", { class: "hidden" }, `Conversation ${name}`));
      for (const turn of found.turns) {
        const reply = answerView(turn.question);
        thread.append(reply.element);
        reply.show(turn);
      }
      if (!found.turns.length) fill(thread, welcome());
      thread.lastElementChild?.scrollIntoView({ block: "nearest" });
      field.focus({ preventScroll: true });
    } catch (error) {
      if (error.name === "AbortError") return;
      session = "";
      fill(thread, h("p", { class: "problem", role: "alert" }, error.message));
    }
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
    const { signal } = abort;
    busy(true);
    const reply = answerView(question);
    thread.append(reply.element);
    reply.element.scrollIntoView({ block: "start", behavior: "smooth" });
    const body = { question };
    if (where.value.trim()) body.where = where.value.trim();
    try {
      if (keeps && !session) {
        session = (await post("sessions", {}, signal)).name;
        address();
      }
      if (!session) body.turns = turns.slice(-20);
      await stream(session ? `sessions/${encodeURIComponent(session)}/ask/stream` : "ask/stream", body, reply.on, signal);
      if (reply.said()) turns.push({ question, answer: reply.said().slice(0, 20000) });
    } catch (error) {
      reply.fail(error.name === "AbortError" ? "Stopped." : error.message);
    }
    abort = null;
    busy(false);
    list?.refresh();
    if (document.activeElement === document.body || form.contains(document.activeElement)) {
      field.focus({ preventScroll: true });
    }
  }

  const view = h("div", { class: "view ask" }, thread, form);
  fill(main, list ? h("div", { class: "with-side" }, list.element, view) : view);
  const navigate = (asked) => {
    const name = asked.get("session") ?? "";
    if (name && name !== session) open(name);
    else if (!name && session) anew();
  };
  anew();
  navigate(query);
  return { stop, navigate, close: stop };
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
