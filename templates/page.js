// Refreshes the page in place, counts the seconds, and says times in the reader's zone. Without it
// the browser reloads (noscript) and shows the same facts.
"use strict";

const EVERY_MS = 10000;
const PARTS = ["alarm", "verdict", "details", "fresh"];
const raw = new Map(PARTS.map((id) => [id, document.getElementById(id)?.innerHTML]));
// The monitor's clock, which may not be the reader's.
let offset = 0;

const two = (value) => String(value).padStart(2, "0");

function said(date, now) {
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === now.toDateString()) return clock;
  if (Math.abs(now - date) < 6 * 86400e3) {
    return `${date.toLocaleDateString("en", { weekday: "short" })} ${clock}`;
  }
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock}`;
}

function lasting(ms) {
  const secs = Math.max(0, Math.round(ms / 1000));
  if (secs < 60) return `${secs} s`;
  if (secs < 3600) return `${Math.floor(secs / 60)} min`;
  return `${Math.floor(secs / 3600)} h ${Math.floor(secs / 60) % 60} min`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function tellTimes() {
  const now = new Date(Date.now() + offset);
  for (const element of document.querySelectorAll("time[datetime]")) {
    const at = new Date(element.dateTime);
    element.title ||= element.dateTime;
    if (element.dataset.clock === "ago") set(element, `${lasting(now - at)} ago`);
    else if (element.dataset.clock === "in") set(element, at > now ? `in ${lasting(at - now)}` : "now");
    else set(element, said(at, now));
  }
  for (const element of document.querySelectorAll("[data-zone]")) {
    element.dataset.zone ||= element.textContent;
    set(element, `your local ones, those in sentences and charts are ${element.dataset.zone}`);
  }
}

function readClock() {
  const shown = document.getElementById("fresh")?.dataset.now;
  if (shown) offset = new Date(shown) - Date.now();
}

// What the reader opened stays open, and the focus stays where it was.
function swap(shown, next) {
  const open = [...shown.querySelectorAll("details[open][id]")].map((element) => element.id);
  const focused = shown.contains(document.activeElement) && document.activeElement.getAttribute("href");
  shown.className = next.className;
  shown.replaceChildren(...next.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  if (focused) shown.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
}

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.getElementById("fresh")) throw new Error("no page of ours");
    for (const id of PARTS) {
      const shown = document.getElementById(id);
      const next = fresh.getElementById(id);
      if (!shown || !next || raw.get(id) === next.innerHTML) continue;
      raw.set(id, next.innerHTML);
      if (id === "fresh") shown.dataset.now = next.dataset.now;
      swap(shown, next);
    }
    document.title = fresh.title;
    const icon = document.getElementById("favicon");
    const href = fresh.getElementById("favicon").getAttribute("href");
    if (icon.getAttribute("href") !== href) icon.setAttribute("href", href);
    document.body.classList.remove("stale");
    readClock();
  } catch {
    document.body.classList.add("stale");
    document.title = "? not reachable – HeyGen monitor";
  }
  tellTimes();
}

readClock();
tellTimes();
setInterval(tellTimes, 1000);
setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
