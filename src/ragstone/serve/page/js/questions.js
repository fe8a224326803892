// A set of judged questions from files: queries.jsonl, and qrels.tsv with what answers each.

import { h, icon } from "./dom.js";

export function addSet(put, added) {
  const problem = h("p", { class: "problem", role: "alert", hidden: true });
  const input = h("input", { type: "file", multiple: true, class: "hidden", id: "set-files", tabindex: "-1", accept: ".jsonl,.tsv,.json", "aria-label": "Files with questions" });
  input.addEventListener("change", async () => {
    const files = [...input.files];
    input.value = "";
    problem.hidden = true;
    try {
      const { name, questions } = await parsed(files);
      await put(`evaluations/sets/${encodeURIComponent(name)}`, { questions });
      added();
    } catch (error) {
      problem.textContent = error.message;
      problem.hidden = false;
    }
  });
  return h("div", { class: "add-set" }, input,
    h("button", { type: "button", class: "plain", onclick: () => input.click() }, icon("add"), "Add questions"), problem);
}

async function parsed(files) {
  const queries = files.find((file) => /\.jsonl?$/i.test(file.name));
  const qrels = files.find((file) => /\.tsv$/i.test(file.name));
  if (!queries) throw new Error("Choose a file of questions, such as queries.jsonl, and with it its qrels.tsv.");
  const relevant = qrels ? judgements(await qrels.text()) : new Map();
  const questions = [];
  for (const [index, line] of (await queries.text()).split("\n").entries()) {
    if (!line.trim()) continue;
    let row;
    try {
      row = JSON.parse(line);
    } catch {
      throw new Error(`Line ${index + 1} of ${queries.name} is not JSON.`);
    }
    const id = String(row.id ?? row._id ?? index + 1);
    const question = { id, question: row.question ?? row.text };
    if (typeof question.question !== "string") throw new Error(`Line ${index + 1} of ${queries.name} has no “question”.`);
    if (Array.isArray(row.answers)) question.answers = row.answers.map(String).slice(0, 20);
    const named = [...(relevant.get(id) ?? []), ...(Array.isArray(row.relevant) ? row.relevant : [])];
    if (named.length) question.relevant = [...new Set(named)];
    if (row.answerable === false || row.is_impossible || row.answerability === "UNANSWERABLE") question.answerable = false;
    questions.push(question);
  }
  const plain = queries.name.replace(/\.jsonl?$/i, "").replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "");
  return { name: plain.slice(0, 60) || "questions", questions };
}

function judgements(text) {
  const found = new Map();
  for (const line of text.split("\n")) {
    const columns = line.trim().split("\t");
    if (columns.length < 3 || !(Number(columns.at(-1)) > 0)) continue;
    found.set(columns[0], [...(found.get(columns[0]) ?? []), columns.at(-2)]);
  }
  return found;
}
