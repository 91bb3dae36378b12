"use strict";
(() => {
  // Follows the run: where it has recorded more, the page is fetched again and only what differs is replaced, so that
  // what is open, typed, focused or playing stays so.
  let shown = "PAGE_VERSION";
  let busy = false;
  let again = false;
  const overview = "PAGE_OVERVIEW";
  const review = "PAGE_REVIEW";
  const here = (name) => location.pathname.replace(/[^/]*$/, name) + location.search;
  const say = document.createElement("span");
  say.id = "live";
  say.className = "note";
  say.setAttribute("role", "status");
  document.querySelector(".topbar").append(say);
  for (const [address, text] of [[review, "Review"], [overview, "All runs"]]) {
    if (!address) continue;
    const link = document.createElement("a");
    link.href = address + location.search;
    link.textContent = text;
    document.querySelector(".topbar nav .brand").after(link);
  }

  // What the reader set, and not the page: folded parts and filtered candidates.
  const theReaders = (element, name) => (name === "open" && element.tagName === "DETAILS")
    || (name === "hidden" && element.matches(".candidate"));

  const morph = (old, fresh) => {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || (old.id || "") !== (fresh.id || "")) {
      old.replaceWith(fresh);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== fresh.data) old.data = fresh.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!fresh.hasAttribute(name) && !theReaders(old, name)) old.removeAttribute(name);
    }
    for (const { name, value } of fresh.attributes) {
      if (old.getAttribute(name) !== value && !theReaders(old, name)) old.setAttribute(name, value);
    }
    const kept = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
    let at = old.firstChild;
    for (const child of [...fresh.childNodes]) {
      const same = child.id && kept.get(child.id);
      if (same) {
        if (same === at) at = at.nextSibling; else old.insertBefore(same, at);
        morph(same, child);
      } else if (at && !at.id && !child.id && at.nodeName === child.nodeName) {
        const next = at.nextSibling;
        morph(at, child);
        at = next;
      } else {
        old.insertBefore(child, at);
      }
    }
    while (at) {
      const next = at.nextSibling;
      at.remove();
      at = next;
    }
  };

  const update = async () => {
    // What is fetched just now may be older than what has changed since.
    again = busy;
    if (busy) return;
    busy = true;
    try {
      const answer = await fetch(location.pathname + location.search);
      if (!answer.ok) {
        say.textContent = await answer.text();
        return;
      }
      shown = answer.headers.get("eureka-version");
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const focused = document.activeElement;
      morph(document.querySelector("main"), fresh.querySelector("main"));
      document.title = fresh.title;
      document.dispatchEvent(new Event("eureka:replaced"));
      // What was moved has lost it.
      if (focused !== document.activeElement && focused.isConnected) focused.focus({ preventScroll: true });
      say.textContent = `Updated ${new Date().toLocaleTimeString()}`;
    } finally {
      busy = false;
    }
    if (again) await update();
  };

  const separator = location.search ? "&" : "?";
  const changes = new EventSource(`${here("events")}${separator}version=${encodeURIComponent(shown)}`);
  changes.onopen = () => { say.textContent = "Live"; };
  changes.onerror = () => { say.textContent = "Not connected"; };
  changes.onmessage = (event) => { if (event.data !== shown) update().catch(changes.onerror); };
  changes.addEventListener("end", () => {
    changes.close();
    update().then(() => { say.textContent = "The run has ended"; }, changes.onerror);
  });
})();
