// The versions of a corpus: what changed from one to the next, and the way back.

import { get, post, state } from "./api.js";
import { confirm, counted, fileName, fill, h, icon, number, say } from "./dom.js";
import { openReader } from "./reader.js";

export function versionsView(main) {
  const list = h("ol", { class: "timeline" });
  const view = h("div", { class: "view versions" },
    h("h1", {}, "Versions"),
    h("p", { class: "lead" }, "Every change makes a version. Going back to one makes a new version that holds what it held, so nothing is lost."),
    list);
  fill(main, view);
  load(list);
  return {};
}

async function load(list) {
  fill(list, h("li", { class: "loading" }, "Loading…"));
  try {
    const found = await get("versions");
    fill(list, found.versions.map((version, index) => entry(version, found, found.versions[index + 1], list)));
    if (!found.versions.length) fill(list, h("li", { class: "none" }, "There is no version yet: add documents first."));
  } catch (error) {
    fill(list, h("li", { class: "problem", role: "alert" }, error.message));
  }
}

function entry(version, found, before, list) {
  const current = version.version === found.current;
  const time = new Date(version.time);
  const changes = h("div", { class: "changes" });
  const compare = before
    ? h("button", { type: "button", class: "plain", "aria-expanded": "false", onclick: (event) => toggle(event.currentTarget, changes, before.version, version.version) }, "What changed")
    : null;
  const back = !current && state.caller.may_roll_back
    ? h("button", { type: "button", class: "plain", onclick: () => goBack(version, list) }, icon("back"), "Go back to this")
    : null;
  const facts = [counted(version.documents, "document"), counted(version.passages, "passage")];
  return h(
    "li",
    { class: current ? "current" : "" },
    h("article", {},
      h("header", {},
        h("h2", {}, `Version ${version.version}`),
        current ? h("span", { class: "badge" }, "current") : null,
        version.tags.map((tag) => h("span", { class: "badge tag", dir: "auto" }, tag)),
        h("time", { datetime: version.time, title: time.toLocaleString() }, time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }))),
      h("p", { class: "facts", dir: "auto" }, [version.note, ...facts].filter(Boolean).join(" · ")),
      h("div", { class: "row" }, compare, back),
      changes),
  );
}

async function toggle(button, place, from, to) {
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) {
    fill(place);
    return;
  }
  fill(place, h("p", { class: "loading", role: "status" }, "Comparing…"));
  try {
    const found = await get("versions/diff", { from, to });
    const groups = [["added", "Added", to], ["changed", "Changed", to], ["removed", "Removed", from]];
    const shown = groups.filter(([kind]) => found.counts[kind]);
    fill(place, shown.length ? shown.map((each) => group(found, each)) : h("p", {}, "The same documents."));
  } catch (error) {
    fill(place, h("p", { class: "problem", role: "alert" }, error.message));
  }
}

function group(found, [kind, title, version]) {
  const rows = found[kind];
  const more = found.counts[kind] - rows.length;
  return h(
    "section",
    { class: `diff ${kind}` },
    h("h3", {}, `${title} (${number(found.counts[kind])})`),
    h("ul", {},
      rows.slice(0, 200).map((row) =>
        h("li", {}, h("button", { type: "button", class: "link", dir: "auto", title: row.source, onclick: () => openReader({ id: row.document_id, version }) }, fileName(row.source)))),
      more + Math.max(0, rows.length - 200) > 0 ? h("li", {}, `and ${number(more + Math.max(0, rows.length - 200))} more`) : null),
  );
}

async function goBack(version, list) {
  const sure = await confirm({
    title: `Go back to version ${version.version}?`,
    text: `A new version is made that holds the ${number(version.documents)} documents of version ${version.version}. The versions in between are kept.`,
    act: "Go back",
  });
  if (!sure) return;
  try {
    const made = await post("versions/rollback", { version: version.version });
    say(`Version ${made.version} holds what version ${version.version} held.`);
  } catch (error) {
    await confirm({ title: "Not changed", text: error.message, act: "Close" });
  }
  load(list);
}
