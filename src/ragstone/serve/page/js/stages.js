// The stages of a retrieval or an answer: how long each took and what it noted.

import { duration, h, number } from "./dom.js";

export function stageList(stages) {
  const total = stages.reduce((sum, stage) => sum + stage.ms, 0) || 1;
  return h("ol", { class: "stages" }, stages.map((stage) => item(stage, total)));
}

function item(stage, total) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" });
  bar.style.width = `${Math.max(0.5, (100 * stage.ms) / total)}%`;
  const notes = Object.entries(stage.notes).filter(([, value]) => String(value) !== "");
  return h(
    "li",
    {},
    h("div", { class: "stage" },
      h("span", { class: "stage-name" }, stage.name.replaceAll("_", " ")),
      h("span", { class: "stage-bar" }, bar),
      h("span", { class: "stage-ms" }, duration(stage.ms))),
    notes.length ? h("dl", { class: "notes" }, notes.map(note)) : null,
    stage.stages.length ? h("ol", { class: "stages" }, stage.stages.map((inner) => item(inner, total))) : null,
  );
}

function note([name, value]) {
  return h("div", {}, h("dt", {}, name.replaceAll("_", " ")), h("dd", { dir: "auto" }, shown(value)));
}

function shown(value) {
  if (typeof value === "number") return Number.isInteger(value) ? number(value) : value.toFixed(3);
  if (Array.isArray(value)) return value.join(", ");
  if (value && typeof value === "object") {
    return Object.entries(value).map(([key, each]) => `${key} ${shown(each)}`).join(", ");
  }
  return String(value);
}
