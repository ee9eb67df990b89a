// Refreshes the page in place. Without it the browser reloads (noscript) and shows the same facts.
"use strict";

const EVERY_MS = 30000;

async function refresh() {
  if (document.hidden) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["verdict", "details"]) {
      const shown = document.getElementById(id);
      const next = fresh.getElementById(id);
      if (!shown || !next) return;
      shown.className = next.className;
      if (shown.innerHTML !== next.innerHTML) shown.replaceChildren(...next.childNodes);
    }
    document.title = fresh.title;
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
    document.title = "? not reachable – HeyGen monitor";
  }
}

setInterval(refresh, EVERY_MS);
document.addEventListener("visibilitychange", refresh);
