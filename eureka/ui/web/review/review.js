"use strict";
(() => {
  document.documentElement.classList.add("js");
  const cards = [...document.querySelectorAll(".card")];
  const form = document.querySelector("form");
  const text = document.querySelector("#text");
  const chosen = document.querySelector("#chosen");
  const playButton = document.querySelector("#play");
  let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;

  // ---- films, in step: all follow the longest, and begin again together when it has ended
  const films = () => [...document.querySelectorAll("video")];
  const leader = () => films().reduce((a, b) => ((b.duration || 0) > (a ? a.duration || 0 : -1) ? b : a), null);
  const run = (film) => { if (playing && !film.ended) film.play().catch(() => {}); };
  const adopt = (film) => {
    film.controls = false;
    film.addEventListener("ended", () => {
      if (film !== leader()) return;
      for (const one of films()) { one.currentTime = 0; run(one); }
    });
    run(film);
  };
  const keepStep = () => {
    const first = leader();
    if (!first || !playing) return;
    for (const one of films()) {
      if (one === first || !(one.duration > 0)) continue;
      const at = Math.min(first.currentTime, one.duration);
      if (Math.abs(one.currentTime - at) > 0.12) one.currentTime = at;
      if (one.paused && at < one.duration) run(one);
    }
  };
  const setPlaying = (wanted) => {
    playing = wanted;
    if (playButton) playButton.textContent = playing ? "Pause" : "Play";
    for (const one of films()) if (playing) run(one); else one.pause();
  };
  films().forEach(adopt);
  setInterval(keepStep, 200);
  if (playButton) playButton.addEventListener("click", () => setPlaying(!playing));
  setPlaying(playing);

  // ---- what comes meanwhile: films that are ready, another review
  const place = (box, film) => {
    if (box.dataset.ready === "yes") return;
    const note = box.querySelector(".no-film");
    if (film.problem && note) note.textContent = `No film: ${film.problem}`;
    if (!film.ready) return;
    const video = document.createElement("video");
    Object.assign(video, { src: `films/${box.dataset.name}.mp4`, poster: `films/${box.dataset.name}.jpg`, muted: true, playsInline: true });
    video.setAttribute("aria-label", `Film of ${box.dataset.name}`);
    box.dataset.ready = "yes";
    box.replaceChildren(video);
    adopt(video);
  };
  const look = async () => {
    try {
      const answer = await fetch("state");
      if (!answer.ok) return;
      const state = await answer.json();
      if (state.version !== document.body.dataset.version) { location.replace("./"); return; }
      for (const box of document.querySelectorAll(".film")) if (state.films[box.dataset.name]) place(box, state.films[box.dataset.name]);
    } catch { /* the server has ended: what is shown stays */ }
  };
  setInterval(look, 1000);

  // ---- the keyboard
  if (!text) return;
  const radio = (name, value) => form.querySelector(`input[name="${name}"][value="${value}"]`);
  const current = () => document.activeElement.closest(".card") || null;
  const mark = () => {
    const said = [];
    for (const card of cards) {
      for (const kind of ["best", "worst"]) {
        const on = radio(kind, card.id).checked;
        card.classList.toggle(kind, on);
        if (on) said.push(`${kind}: ${card.id}`);
      }
    }
    const verdict = form.querySelector("input[name=verdict]:checked");
    if (verdict.value !== "choice") said.push(verdict.value);
    chosen.textContent = said.join(", ");
  };
  const choose = (kind, card) => {
    const box = radio(kind, card.id);
    box.checked = !box.checked;
    if (box.checked) {
      radio(kind === "best" ? "worst" : "best", card.id).checked = false;
      radio("verdict", "choice").checked = true;
    }
    mark();
  };
  const alike = (verdict) => {
    for (const box of form.querySelectorAll("input[name=best], input[name=worst]")) box.checked = false;
    radio("verdict", verdict).checked = true;
    mark();
  };
  form.addEventListener("change", (event) => {
    const { name, value } = event.target;
    if (name === "verdict" && value !== "choice") alike(value);
    if (name === "best" || name === "worst") {
      radio("verdict", "choice").checked = true;
      const other = radio(name === "best" ? "worst" : "best", value);
      other.checked = false;
    }
    mark();
  });
  const pick = (index) => { if (cards[index]) cards[index].focus(); };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === text) {
      if (event.target === text && event.key === "Escape") (cards[0] || text).focus();
      return;
    }
    const card = current();
    const at = card ? cards.indexOf(card) : -1;
    const native = event.target.closest("button, summary, a, pre");
    if (/^[1-9]$/.test(event.key)) pick(Number(event.key) - 1);
    else if (event.key === "ArrowRight" || event.key === "ArrowDown") { if (native) return; pick(Math.min(at + 1, cards.length - 1)); }
    else if (event.key === "ArrowLeft" || event.key === "ArrowUp") { if (native) return; pick(Math.max(at - 1, 0)); }
    else if (event.key === "b" && card) choose("best", card);
    else if (event.key === "w" && card) choose("worst", card);
    else if (event.key === "t") alike("tie");
    else if (event.key === "n") alike("none good");
    else if (event.key === "/") text.focus();
    else if (event.key === " " && !native && !event.target.matches("input")) setPlaying(!playing);
    else if (event.key === "Enter" && !native) form.requestSubmit();
    else return;
    event.preventDefault();
  });
  mark();
})();
