// What helps where there is a script: the reader's zone, keys, the slider of wordings, new articles as they come.
// Every page works without it.
"use strict";
const root = document.documentElement;
root.classList.add("has-script");

function cookie(name) {
  const found = document.cookie.split("; ").find((part) => part.startsWith(name + "="));
  return found ? found.slice(name.length + 1) : "";
}

// The server writes times in the zone that the cookie names; the first visit tells it ours.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== cookie("zone")) {
  document.cookie = "zone=" + zone + "; path=/; max-age=31536000; samesite=lax";
  if (zone !== root.dataset.zone && cookie("zone") === zone) location.reload();
}

for (const details of document.querySelectorAll("[data-wide-open]")) {
  if (matchMedia("(min-width: 62rem)").matches) details.open = true;
}

// A table is too wide for a telephone: there each row becomes a card, its cells named by the heads of their columns.
for (const table of document.querySelectorAll("table.ledger")) {
  const heads = [...table.querySelectorAll("thead th, thead td")].map((head) => head.textContent);
  table.classList.add("stacks");
  table.setAttribute("role", "table");
  for (const part of table.querySelectorAll("thead, tbody")) part.setAttribute("role", "rowgroup");
  for (const row of table.querySelectorAll("tr")) {
    row.setAttribute("role", "row");
    [...row.children].forEach((cell, place) => {
      const isHead = cell.parentNode.parentNode.tagName === "THEAD";
      cell.setAttribute("role", isHead ? "columnheader" : cell.tagName === "TH" ? "rowheader" : "cell");
      if (!isHead && heads[place]) cell.dataset.name = heads[place];
    });
  }
}

// --- keys
let chosen = null;
const items = () => [...document.querySelectorAll(".listed, .listed-row")];

function choose(step) {
  const all = items();
  if (!all.length) return;
  const place = chosen ? all.indexOf(chosen) : -1;
  if (chosen) chosen.classList.remove("is-chosen");
  chosen = all[Math.max(0, Math.min(all.length - 1, place + step))];
  chosen.classList.add("is-chosen");
  const link = chosen.querySelector("a.target") || chosen.querySelector("a");
  if (link) link.focus({ preventScroll: true });
  chosen.scrollIntoView({ block: "nearest" });
}

function showKeys() {
  const dialog = document.getElementById("keys");
  if (!dialog.open) dialog.showModal();
}

let isGoing = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea, dialog")) return;
  if (isGoing) {
    isGoing = false;
    const place = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (place) { event.preventDefault(); location.href = place.href; return; }
  }
  const slider = document.querySelector("[data-slider] input");
  if (event.key === "j") choose(1);
  else if (event.key === "k") choose(-1);
  else if (event.key === "g") isGoing = true;
  else if (event.key === "?") showKeys();
  else if (event.key === "/") { event.preventDefault(); document.getElementById("quick").focus(); }
  else if (slider && (event.key === "ArrowLeft" || event.key === "ArrowRight")) step(slider, event.key === "ArrowLeft" ? -1 : 1);
});
for (const button of document.querySelectorAll("[data-keys]")) button.addEventListener("click", showKeys);

// --- wordings of an article: the slider shows each with what was changed in it
function step(slider, by) {
  const wanted = Number(slider.value) + by;
  if (wanted < Number(slider.min) || wanted > Number(slider.max)) return;
  slider.value = wanted;
  slider.dispatchEvent(new Event("change"));
}
for (const form of document.querySelectorAll("[data-slider]")) {
  const slider = form.querySelector("input");
  slider.addEventListener("change", () => {
    const versions = slider.dataset.versions.split(",");
    const place = Number(slider.value) - 1;
    const query = new URLSearchParams({ version: versions[place] });
    if (place > 0) query.set("against", versions[place - 1]);
    location.href = form.action + "?" + query;
  });
}

// --- new articles
const fresh = document.querySelector("[data-live]");
let stream = null;
let waiting = null;

async function refresh() {
  waiting = null;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const known = new Set(items().map((item) => item.dataset.id));
  const come = [...page.querySelectorAll(".listed")].filter((item) => !known.has(item.dataset.id));
  if (!come.length) return;
  const old = document.querySelector(".stream");
  const made = page.querySelector(".stream");
  const ids = new Set(come.map((item) => item.dataset.id));
  for (const item of made.querySelectorAll(".listed")) if (ids.has(item.dataset.id)) item.classList.add("is-new");
  const kept = chosen ? chosen.dataset.id : null;
  const note = fresh.cloneNode();
  note.textContent = come.length === 1 ? fresh.dataset.one : `${come.length} ${fresh.dataset.many}`;
  made.querySelector("[data-live]").replaceWith(note);
  old.replaceChildren(...made.childNodes);
  chosen = kept ? document.querySelector(`.listed[data-id="${CSS.escape(kept)}"]`) : null;
  if (chosen) chosen.classList.add("is-chosen");
}

function listen() {
  if (stream || document.hidden) return;
  stream = new EventSource("/api/v1/changes/stream");
  for (const kind of ["new", "copy", "version", "gone", "back"]) {
    stream.addEventListener(kind, () => { waiting ??= setTimeout(refresh, 1000); });
  }
}
if (fresh) {
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) { stream.close(); stream = null; } else if (!document.hidden) { listen(); refresh(); }
  });
}
