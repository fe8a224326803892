// A list beside a view: open at once where there is room, folded behind a button where there is not.

import { fill, h, icon } from "./dom.js";

let count = 0;

export function sideList(title, newLabel, anew) {
  count += 1;
  const id = `side-${count}`;
  const list = h("ul", { class: "side-list", role: "list" });
  const body = h("div", { class: "side-body", id },
    h("button", { type: "button", class: "plain side-new", onclick: () => { fold(); anew(); } }, icon("add"), newLabel), list);
  const toggle = h("button", {
    type: "button", class: "side-toggle", "aria-expanded": "false", "aria-controls": id,
    onclick: () => unfold(toggle.getAttribute("aria-expanded") !== "true"),
  }, icon("list"), title);
  const element = h("aside", { class: "side", "aria-label": title },
    h("h2", { class: "side-head" }, title), toggle, body);

  function unfold(open) {
    toggle.setAttribute("aria-expanded", String(open));
    element.classList.toggle("open", open);
  }

  function fold() {
    unfold(false);
  }

  return {
    element,
    fold,
    show: (rows, empty) => fill(list, rows.length ? rows : h("li", { class: "side-empty" }, empty)),
    fail: (message) => fill(list, h("li", { class: "problem", role: "alert" }, message)),
  };
}
