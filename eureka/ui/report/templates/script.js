"use strict";
(() => {
  // Everything listens on the document, so that a page whose content is replaced goes on working.
  const root = document.documentElement;
  root.classList.add("js");
  const byId = (id) => document.getElementById(id);
  const tip = byId("tip");

  // ---- colours
  const themes = ["auto", "light", "dark"];
  const words = { auto: "as the system has them", light: "light", dark: "dark" };
  const remembered = () => { try { return localStorage.getItem("eureka-theme") || "auto"; } catch { return "auto"; } };
  const setTheme = (theme) => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.textContent = theme[0].toUpperCase() + theme.slice(1);
      button.setAttribute("aria-label", `Colours: ${words[theme]}`);
    }
  };
  const nextTheme = () => {
    const theme = themes[(themes.indexOf(root.dataset.theme || "auto") + 1) % themes.length];
    try { localStorage.setItem("eureka-theme", theme); } catch { /* a page from disk may have no storage */ }
    setTheme(theme);
  };
  setTheme(themes.includes(remembered()) ? remembered() : "auto");

  // ---- copy
  const copy = async (button) => {
    const source = byId(button.dataset.copy);
    let done = true;
    try {
      await navigator.clipboard.writeText(source.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(source);
      const selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      done = document.execCommand("copy");
    }
    button.textContent = done ? "Copied" : "Selected";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };

  // ---- a link into something folded opens it
  const reveal = () => {
    const target = location.hash.length > 1 && byId(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.matches(".candidate[hidden]")) resetFilters();
    for (let at = target; at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
    target.scrollIntoView();
    const summary = target.tagName === "DETAILS" && target.querySelector("summary");
    if (summary) summary.focus({ preventScroll: true });
  };

  // ---- sort and filter
  const candidates = () => [...document.querySelectorAll(".candidate")];
  const filter = () => {
    const find = byId("find");
    if (!find) return;
    const wanted = find.value.trim().toLowerCase();
    const statuses = [...document.querySelectorAll("[data-status]:checked")].map((box) => box.dataset.status);
    let shown = 0;
    for (const one of candidates()) {
      const status = one.dataset.status === "pending" ? "trained" : one.dataset.status;
      const fits = statuses.includes(status)
        && (!byId("only-warned").checked || one.dataset.warned === "1")
        && (!wanted || one.querySelector("summary").textContent.toLowerCase().includes(wanted));
      one.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    byId("count").textContent = `${shown} of ${candidates().length}`;
    byId("none").hidden = shown > 0;
  };
  const resetFilters = () => {
    byId("find").value = "";
    byId("only-warned").checked = false;
    for (const box of document.querySelectorAll("input[data-status]")) box.checked = true;
    filter();
  };
  const sort = () => {
    const by = byId("sort");
    if (!by) return;
    const key = by.value;
    const value = (one) => (one.dataset[key] === "" ? -Infinity : Number(one.dataset[key]));
    const order = (a, b) => (key === "id" ? 0 : value(b) - value(a)) || a.id.localeCompare(b.id, "en", { numeric: true });
    const sorted = candidates().sort(order);
    // What is moved loses the focus, and a video in it stops.
    if (candidates().some((one, index) => one !== sorted[index])) byId("list").append(...sorted);
  };

  // ---- values under the pointer
  const seen = (value) => {
    const size = Math.abs(value);
    if (size >= 1e6 || (size > 0 && size < 1e-3)) return value.toExponential(2);
    return size >= 100 ? Math.round(value).toLocaleString("en") : String(Number(value.toPrecision(3)));
  };
  const numbers = (text) => text.split(" ").map(Number);
  const clearRule = () => { for (const rule of document.querySelectorAll(".rule")) rule.remove(); };
  const hideTip = () => { tip.hidden = true; clearRule(); };
  const showTip = (text, x, y) => {
    tip.textContent = text;
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 14, innerWidth - box.width - 4))}px`;
    tip.style.top = `${Math.max(4, y - box.height - 12)}px`;
  };
  const readChart = (chart, event) => {
    const [x0, x1, start, end] = numbers(chart.dataset.x);
    const [y0, y1, bottom, top] = numbers(chart.dataset.y);
    const names = chart.dataset.names.split("\n");
    const box = chart.getBoundingClientRect();
    const at = (event.clientX - box.left) * (chart.viewBox.baseVal.width / box.width);
    const lines = [];
    let nearest = null;
    chart.querySelectorAll(".line").forEach((line, index) => {
      if (!line.points) return;
      const points = [...line.points];
      const point = points.reduce((a, b) => (Math.abs(b.x - at) < Math.abs(a.x - at) ? b : a));
      nearest = nearest === null || Math.abs(point.x - at) < Math.abs(nearest - at) ? point.x : nearest;
      const value = y0 + ((point.y - bottom) / (top - bottom)) * (y1 - y0);
      lines.push(names[index] ? `${names[index]}: ${seen(value)}` : seen(value));
    });
    if (nearest === null) return;
    clearRule();
    const rule = document.createElementNS("http://www.w3.org/2000/svg", "line");
    for (const [key, value] of Object.entries({ x1: nearest, x2: nearest, y1: bottom, y2: top, class: "rule" })) {
      rule.setAttribute(key, value);
    }
    chart.append(rule);
    const x = x0 + ((nearest - start) / (end - start)) * (x1 - x0);
    showTip(`at ${seen(x)}\n${lines.slice(0, 8).join("\n")}`, event.clientX, event.clientY);
  };

  // ---- films side by side, in step
  const films = () => [...document.querySelectorAll(".films video")];
  const playTogether = (button) => {
    const pause = films().some((film) => !film.paused);
    for (const film of films()) {
      if (pause) { film.pause(); continue; }
      film.currentTime = 0;
      film.play().catch(() => { button.textContent = "Play together"; });
    }
    button.textContent = pause ? "Play together" : "Pause";
  };
  // These do not bubble.
  for (const name of ["ended", "pause"]) {
    document.addEventListener(name, (event) => {
      const button = event.target.closest(".films") && document.querySelector("[data-play-together]");
      if (button && films().every((film) => film.paused)) button.textContent = "Play together";
    }, true);
  }

  // ---- the lineage of the candidate under the pointer
  const light = (link) => {
    for (const edge of document.querySelectorAll(".edge.lit")) edge.classList.remove("lit");
    const tree = link && link.closest(".lineage");
    if (!tree) return;
    const edges = [...tree.querySelectorAll(".edge")];
    for (let child = link.dataset.id, steps = 0; child && steps < 1000; steps += 1) {
      const edge = edges.find((one) => one.dataset.child === child);
      if (edge) edge.classList.add("lit");
      child = edge && edge.dataset.parent;
    }
    for (const edge of edges) if (edge.dataset.parent === link.dataset.id) edge.classList.add("lit");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("themeToggle" in button.dataset) nextTheme();
    else if ("playTogether" in button.dataset) playTogether(button);
    else if (button.dataset.copy) copy(button);
    else if (button.dataset.fold) for (const one of candidates()) if (!one.hidden) one.open = button.dataset.fold === "open";
  });
  document.addEventListener("input", (event) => { if (event.target.closest(".tools")) { filter(); if (event.target.id === "sort") sort(); } });
  document.addEventListener("pointermove", (event) => {
    const chart = event.target.closest("svg[data-x]");
    if (chart) readChart(chart, event); else if (!tip.hidden) hideTip();
  });
  document.addEventListener("pointerover", (event) => light(event.target.closest(".lineage a")));
  document.addEventListener("focusin", (event) => light(event.target.closest(".lineage a")));
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hideTip(); });
  addEventListener("hashchange", reveal);
  // A second click on the same link changes no hash, and opens what was closed since.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#'], a[*|href^='#']");
    if (link && link.getAttribute("href") === location.hash) setTimeout(reveal);
  });
  // For a page whose content was replaced while it is open.
  document.addEventListener("eureka:replaced", () => { setTheme(root.dataset.theme || "auto"); sort(); filter(); });
  filter();
  reveal();
})();
