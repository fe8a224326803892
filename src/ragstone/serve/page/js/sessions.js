// The list of kept conversations beside the one that is open.

import { download, get, remove } from "./api.js";
import { ago, confirm, counted, fill, h, icon } from "./dom.js";
import { sideList } from "./side.js";

// `current()` is the open one's name; `open(name)` and `anew()` change it.
export function sessionList({ current, open, anew }) {
  const side = sideList("Conversations", "New conversation", anew);

  async function refresh() {
    try {
      const { sessions } = await get("sessions");
      side.show(sessions.filter((each) => each.turns).map(row), "What you ask is kept here, for you alone.");
      mark();
    } catch (error) {
      side.fail(error.message);
    }
  }

  function row(info) {
    const item = h("li", { "data-name": info.name },
      h("button", { type: "button", class: "side-open", onclick: () => { side.fold(); open(info.name); } },
        h("span", { class: "side-title", dir: "auto" }, info.title || info.name),
        h("span", { class: "side-facts" }, `${counted(info.turns, "question")} · ${ago(info.changed)}`)),
      h("span", { class: "side-acts" },
        h("button", { type: "button", class: "icon", "aria-label": `Save ${info.title} as a file`, onclick: () => save(info) }, icon("save")),
        h("button", { type: "button", class: "icon", "aria-label": `Delete ${info.title}`, onclick: () => drop(info) }, icon("bin"))));
    return item;
  }

  function mark() {
    for (const item of side.element.querySelectorAll("li[data-name]")) {
      const here = item.dataset.name === current();
      item.classList.toggle("current", here);
      if (here) item.firstElementChild.setAttribute("aria-current", "true");
      else item.firstElementChild.removeAttribute("aria-current");
    }
  }

  async function save(info) {
    try {
      await download(`sessions/${encodeURIComponent(info.name)}/export`, { form: "md" });
    } catch (error) {
      await confirm({ title: "Not saved", text: error.message, act: "Close" });
    }
  }

  async function drop(info) {
    const sure = await confirm({
      title: "Delete this conversation?", text: `“${info.title}” with ${counted(info.turns, "question")} is deleted for good.`,
      act: "Delete", danger: true,
    });
    if (!sure) return;
    try {
      await remove(`sessions/${encodeURIComponent(info.name)}`);
    } catch (error) {
      await confirm({ title: "Not deleted", text: error.message, act: "Close" });
    }
    if (info.name === current()) anew();
    refresh();
  }

  refresh();
  return { element: side.element, refresh, mark };
}
