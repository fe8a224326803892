// Evaluations: sets of judged questions, runs over them, and what one run does better than another.

import { get, post, put, remove, state, watch } from "./api.js";
import { ago, confirm, counted, duration, fill, h, icon, number, say } from "./dom.js";
import { changes, differences, intervals, spread } from "./plots.js";
import { addSet } from "./questions.js";

export function evaluateView(main) {
  const place = h("div", { class: "parts" });
  const view = h("div", { class: "view evaluate" },
    h("header", { class: "view-head" }, h("h1", {}, "Evaluate"),
      h("p", { class: "lead" }, "Measure how well questions find their documents, on questions of your own. A difference between two runs counts where its interval leaves zero.")),
    place);
  fill(main, view);
  const abort = new AbortController();
  const chosen = new Set();
  const writable = state.caller.may_write;
  const detail = h("section", { class: "detail", "aria-live": "polite" });
  const followed = new Map(); // job id to its row: a list that is read again must not end a job twice
  let runs = [];
  let round = 0;

  async function refresh() {
    try {
      const found = await get("evaluations", {}, abort.signal);
      runs = found.runs;
      fill(place, setsCard(found.sets, found.jobs), runsCard(), detail);
    } catch (error) {
      if (error.name !== "AbortError") fill(place, h("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  function setsCard(sets, jobs) {
    const under = h("ul", { class: "uploads", "aria-label": "Under way" });
    for (const job of jobs) follow(job, under);
    return h("section", { class: "card" },
      h("div", { class: "row ends" }, h("h2", {}, "Questions"), h("span", { class: "spring" }),
        writable ? addSet(put, refresh) : null),
      sets.length
        ? h("ul", { class: "sets" }, sets.map((set) => setRow(set, under)))
        : h("p", { class: "none" }, "No questions yet. Add a file queries.jsonl with its qrels.tsv; “ragstone eval init” drafts both from your documents."),
      under);
  }

  function setRow(set, under) {
    const how = h("select", { "aria-label": `How to measure ${set.name}` },
      [["retrieval hybrid", "Search by words and meaning"], ["retrieval lexical", "Search by words"], ["retrieval dense", "Search by meaning"], ["answers", "Answers"]].map(
        ([value, label]) => h("option", { value }, label)));
    const problem = h("p", { class: "problem", role: "alert", hidden: true });
    const measure = h("button", { type: "button", class: "primary", onclick: async () => {
      const [kind, mode] = how.value.split(" ");
      problem.hidden = true;
      try {
        follow(await post("evaluations", mode ? { set: set.name, kind, mode } : { set: set.name, kind }), under);
      } catch (error) {
        problem.textContent = error.message;
        problem.hidden = false;
      }
    } }, "Measure");
    return h("li", {},
      h("div", { class: "set" }, h("strong", { dir: "auto" }, set.name),
        h("span", { class: "facts" }, `${counted(set.questions, "question")}, ${number(set.judged)} judged`)),
      writable ? h("div", { class: "row" }, how, measure,
        h("button", { type: "button", class: "icon", "aria-label": `Delete the questions ${set.name}`, onclick: () => drop(`evaluations/sets/${encodeURIComponent(set.name)}`, `the questions “${set.name}”`) }, icon("bin"))) : null,
      problem);
  }

  async function follow(job, under) {
    const known = followed.get(job.id);
    if (known) {
      if (!known.classList.contains("done")) under.prepend(known);
      return;
    }
    const bar = h("progress", { "aria-label": `Measuring ${job.id}` });
    const note = h("span", { class: "note" }, "Waiting");
    const stop = h("button", { type: "button", class: "plain", onclick: () => post(`evaluations/${encodeURIComponent(job.id)}/cancel`, {}).catch(() => {}) }, "Stop");
    const item = h("li", {}, h("span", { class: "name" }, job.id), bar, note, stop);
    followed.set(job.id, item);
    under.prepend(item);
    const on = (_, now) => {
      if (now.total) {
        bar.max = now.total;
        bar.value = now.done;
        note.textContent = `${number(now.done)} of ${number(now.total)}`;
      }
      if (now.state === "failed") {
        item.classList.add("failed");
        note.textContent = now.problem;
      } else if (now.state === "done") {
        say(`${job.id} is measured.`);
        item.classList.add("done");
        chosen.clear();
        chosen.add(job.id);
      }
    };
    try {
      await watch(`evaluations/${encodeURIComponent(job.id)}/events`, on, abort.signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      note.textContent = error.message;
      item.classList.add("failed");
    }
    bar.remove();
    stop.remove();
    if (item.classList.contains("failed")) return;
    await refresh();
    show();
  }

  function runsCard() {
    if (!runs.length) return h("section", { class: "card" }, h("h2", {}, "Runs"), h("p", { class: "none" }, "Nothing is measured yet. What “ragstone eval --output” writes into the corpus's folder “evaluations” is shown here too."));
    const names = [...new Set(runs.flatMap((run) => Object.keys(run.measures)))];
    const measure = h("select", { id: "measure" }, names.map((name) => h("option", { value: name }, name)));
    measure.value = names.includes("nDCG@10") ? "nDCG@10" : names[0];
    const plot = h("div", {});
    const draw = () => {
      const rows = runs.filter((run) => measure.value in run.measures).slice(0, 20);
      fill(plot, intervals(rows.map((run) => ({
        name: label(run), value: run.measures[measure.value], low: run.confidence[measure.value]?.[0] ?? run.measures[measure.value],
        high: run.confidence[measure.value]?.[1] ?? run.measures[measure.value],
      })), `${measure.value} of each run with 95% intervals`));
    };
    measure.addEventListener("change", draw);
    draw();
    return h("section", { class: "card" },
      h("div", { class: "row ends" }, h("h2", {}, "Runs"), h("span", { class: "spring" }),
        h("label", { class: "inline", for: "measure" }, h("span", {}, "Measure"), measure)),
      plot,
      h("p", { class: "facts" }, "Choose one run to look into it, two to compare them."),
      h("ul", { class: "runs" }, runs.map(runRow)));
  }

  function runRow(run) {
    const box = h("input", { type: "checkbox", id: `run-${run.name}` });
    box.checked = chosen.has(run.name);
    box.addEventListener("change", () => {
      if (box.checked) {
        while (chosen.size > 1) chosen.delete(chosen.values().next().value);
        chosen.add(run.name);
      } else chosen.delete(run.name);
      for (const other of place.querySelectorAll(".runs input")) other.checked = chosen.has(other.id.slice(4));
      show();
    });
    const main_ = Object.entries(run.measures)[0];
    return h("li", {}, box,
      h("label", { for: box.id }, h("span", { class: "name" }, run.name),
        h("span", { class: "facts" }, [counted(run.n, "question"), main_ && `${main_[0]} ${main_[1].toFixed(3)}`, run.timings_ms.p50 && duration(run.timings_ms.p50), ago(run.changed)].filter(Boolean).join(" · "))),
      writable ? h("button", { type: "button", class: "icon small", "aria-label": `Delete the run ${run.name}`, onclick: () => drop(`evaluations/${encodeURIComponent(run.name)}`, `the run “${run.name}”`) }, icon("bin")) : null);
  }

  async function show() {
    const names = [...chosen];
    round += 1;
    const mine = round; // a reply that comes late must not cover a newer choice
    if (!names.length) {
      fill(detail);
      return;
    }
    fill(detail, h("p", { class: "loading", role: "status" }, "Reading…"));
    try {
      const age = (name) => runs.findIndex((run) => run.name === name);
      const [a, b] = names.sort((x, y) => age(y) - age(x));
      const path = `evaluations/${encodeURIComponent(a)}`;
      const found = b ? two(await get(`${path}/compare`, { with: b }, abort.signal)) : one(await get(path, {}, abort.signal));
      if (mine === round) fill(detail, found);
    } catch (error) {
      if (error.name !== "AbortError" && mine === round) fill(detail, h("p", { class: "problem", role: "alert" }, error.message));
    }
  }

  async function drop(path, what) {
    const sure = await confirm({ title: "Delete?", text: `This deletes ${what} for good.`, act: "Delete", danger: true });
    if (!sure) return;
    try {
      await remove(path);
    } catch (error) {
      await confirm({ title: "Not deleted", text: error.message, act: "Close" });
    }
    chosen.clear();
    fill(detail);
    refresh();
  }

  refresh();
  return { close: () => abort.abort(), stop: () => {} };
}

function label(run) {
  const how = run.settings.mode ?? (run.settings.llm ? "answers" : "");
  return how ? `${run.dataset} ${how}` : run.name;
}

function one(run) {
  const main_ = Object.keys(run.measures)[0];
  const values = run.queries.map((query) => query.values[main_]).filter((value) => value !== undefined);
  const worst = run.queries.filter((query) => main_ in query.values).sort((a, b) => a.values[main_] - b.values[main_]).slice(0, 20);
  const bounded = Object.entries(run.measures).filter(([, value]) => value >= 0 && value <= 1);
  return h("div", { class: "card" },
    h("h2", {}, run.name),
    intervals(bounded.map(([name, value]) => ({ name, value, low: run.confidence[name]?.[0] ?? value, high: run.confidence[name]?.[1] ?? value })), `Measures of ${run.name}`),
    values.length ? [h("h3", {}, `${main_} of the single questions`), spread(values, `How ${main_} is spread over the questions`)] : null,
    worst.length ? [h("h3", {}, "Where it does worst"), h("ol", { class: "worst" }, worst.map((query) =>
      h("li", {}, h("span", { class: "score" }, query.values[main_].toFixed(2)), h("span", { dir: "auto" }, query.question), h("small", {}, `${duration(query.ms)}`))))] : null,
    facts({ ...run.settings, ...run.versions }));
}

function two(found) {
  const rows = Object.entries(found.measures).map(([name, each]) => ({ name, value: each.difference, low: each.interval[0], high: each.interval[1] }));
  const main_ = found.measures[found.main];
  return h("div", { class: "card" },
    h("h2", {}, "B against A"),
    h("dl", { class: "versus" }, h("dt", {}, "A"), h("dd", {}, found.a), h("dt", {}, "B"), h("dd", {}, found.b)),
    h("p", { class: "facts" }, `${counted(found.n, "question")} in both${found.only_a + found.only_b ? `, ${number(found.only_a + found.only_b)} in one alone` : ""}`),
    differences(rows, "B minus A with 95% intervals"),
    main_ ? [h("h3", {}, `${found.main}, question by question`),
      h("p", { class: "facts" }, `${number(main_.wins)} won, ${number(main_.losses)} lost, ${number(main_.ties)} equal · p = ${main_.p.toPrecision(2)}`),
      main_.wins + main_.losses ? changes(found.deltas, `Difference in ${found.main} of each question`) : null] : null,
    found.changes.length ? h("ol", { class: "worst" }, found.changes.slice(0, 20).map((change) =>
      h("li", {}, h("span", { class: `score ${change.b > change.a ? "better" : "worse"}` }, `${change.a.toFixed(2)} → ${change.b.toFixed(2)}`), h("span", { dir: "auto" }, change.question)))) : null,
    facts(Object.fromEntries(Object.entries(found.settings).map(([name, [a, b]]) => [name, `${a} → ${b}`]))));
}

function facts(values) {
  const rows = Object.entries(values);
  if (!rows.length) return null;
  return h("details", {}, h("summary", {}, "Settings"), h("dl", { class: "notes" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}
