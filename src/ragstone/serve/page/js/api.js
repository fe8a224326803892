// The server's API: JSON, images, streams, uploads; the key, where one is needed.

import { fill, h } from "./dom.js";

export const state = { corpus: "", corpora: [], caller: {} };

const KEY = "ragstone-key";

export class ApiError extends Error {
  constructor(status, error) {
    super(error.message || `The server answered ${status}.`);
    this.status = status;
  }
}

function headers(more) {
  const key = sessionStorage.getItem(KEY);
  return key ? { ...more, Authorization: `Bearer ${key}` } : more;
}

async function failure(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // a reply that is not JSON says no more than its status
  }
  return new ApiError(response.status, error);
}

async function request(path, options = {}) {
  const response = await fetch(path, { ...options, headers: headers(options.headers ?? {}) });
  if (response.status === 401 && (await askForKey())) return request(path, options);
  if (!response.ok) throw await failure(response);
  return response;
}

function corpusPath(rest, query) {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== "" && value != null);
  const search = given.length ? `?${new URLSearchParams(given)}` : "";
  return `/api/corpora/${encodeURIComponent(state.corpus)}/${rest}${search}`;
}

export async function corpora() {
  const found = await (await request("/api/corpora")).json();
  state.corpora = found.corpora;
  state.caller = found.caller;
}

export async function get(rest, query, signal) {
  return (await request(corpusPath(rest, query), { signal })).json();
}

export async function post(rest, body, signal) {
  const options = {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
    signal,
  };
  return (await request(corpusPath(rest), options)).json();
}

export async function put(rest, body) {
  const options = {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  return (await request(corpusPath(rest), options)).json();
}

// A file of the server's, kept under the name that it gives.
export async function download(rest, query, plain = "download") {
  const response = await request(corpusPath(rest, query));
  const given = response.headers.get("Content-Disposition") ?? "";
  const name = decodeURIComponent(given.split("filename*=UTF-8''")[1] ?? plain);
  const url = URL.createObjectURL(await response.blob());
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export async function remove(rest, query) {
  return (await request(corpusPath(rest, query), { method: "DELETE" })).json();
}

export async function image(rest, query, signal) {
  return (await request(corpusPath(rest, query), { signal })).blob();
}

// Server-sent events of a POST; calls `on(name, data)` for each.
export async function stream(rest, body, on, signal) {
  await read(await request(corpusPath(rest), {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(body),
    signal,
  }), on);
}

// Server-sent events of a GET: what a job tells from its beginning to its end.
export async function watch(rest, on, signal) {
  await read(await request(corpusPath(rest), { headers: { Accept: "text/event-stream" }, signal }), on);
}

async function read(response, on) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    buffer += value;
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const lines = buffer.slice(0, end).split("\n");
      buffer = buffer.slice(end + 2);
      const name = lines.find((line) => line.startsWith("event: "))?.slice(7);
      const data = lines.find((line) => line.startsWith("data: "))?.slice(6);
      if (name && data) on(name, JSON.parse(data));
    }
  }
}

// XMLHttpRequest, because fetch does not tell how much of a body has been sent.
export function upload(file, onProgress) {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    sender.open("PUT", corpusPath(`files/${encodeURIComponent(file.name)}`));
    for (const [name, value] of Object.entries(headers({}))) sender.setRequestHeader(name, value);
    sender.setRequestHeader("Content-Type", "application/octet-stream");
    sender.upload.addEventListener("progress", (event) => onProgress(event.loaded, event.total));
    sender.addEventListener("error", () => reject(new Error("The connection broke.")));
    sender.addEventListener("load", () => {
      let reply = {};
      try {
        reply = JSON.parse(sender.responseText);
      } catch {
        // said by the status
      }
      if (sender.status < 300) resolve(reply);
      else reject(new ApiError(sender.status, reply.error ?? {}));
    });
    sender.send(file);
  });
}

let asking = null;

function askForKey() {
  asking ??= new Promise((resolve) => {
    const dialog = document.getElementById("dialog");
    const input = h("input", {
      type: "password", id: "key", autocomplete: "off", spellcheck: "false", required: true,
    });
    const form = h(
      "form",
      { method: "dialog" },
      h("label", { for: "key" }, "API key"),
      input,
      h("div", { class: "actions" }, h("button", { class: "primary", value: "yes" }, "Continue")),
    );
    fill(
      dialog,
      h("h2", { id: "dialog-title" }, "This server needs a key"),
      h("p", {}, "It is kept until this tab is closed, and sent to this server alone."),
      form,
    );
    dialog.returnValue = "";
    dialog.addEventListener(
      "close",
      () => {
        asking = null;
        if (input.value) sessionStorage.setItem(KEY, input.value.trim());
        resolve(Boolean(input.value));
      },
      { once: true },
    );
    dialog.showModal();
  });
  return asking;
}
