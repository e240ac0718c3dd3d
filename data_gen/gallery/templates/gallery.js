"use strict";
// Only videos in or near the window are loaded, and only those in it play: a page may list thousands.
(() => {
  const videos = [...document.querySelectorAll("video[data-src]")];
  const cards = [...document.querySelectorAll("#cards article")];
  const refused = [...document.querySelectorAll("#refused article")];
  const field = (id) => document.getElementById(id);
  const playButton = field("play");
  const stopped = new WeakSet();
  const onScreen = new Set();
  let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  let rate = 1;

  function run(video) {
    video.playbackRate = rate;
    if (playing && onScreen.has(video) && !stopped.has(video)) video.play().catch(() => {});
    else video.pause();
  }

  function setPlaying(value) {
    playing = value;
    playButton.textContent = playing ? "Pause" : "Play";
    for (const video of onScreen) run(video);
  }

  const near = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && !target.getAttribute("src")) {
        target.preload = "auto";
        target.src = target.dataset.src;
      } else if (!isIntersecting && target.getAttribute("src")) {
        // Frees the decoder: browsers have few.
        target.removeAttribute("src");
        target.load();
      }
    }
  }, { rootMargin: "300px" });
  const seen = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) onScreen.add(target);
      else onScreen.delete(target);
      run(target);
    }
  });
  for (const video of videos) {
    near.observe(video);
    seen.observe(video);
    video.addEventListener("loadeddata", () => run(video));
    const toggle = () => {
      if (playing && !stopped.has(video)) stopped.add(video);
      else { stopped.delete(video); playing ||= (setPlaying(true), true); }
      run(video);
    };
    video.addEventListener("click", toggle);
    video.addEventListener("keydown", (event) => { if (event.key === "Enter") toggle(); });
  }

  function filter() {
    const [family, split, reason] = ["family", "split", "reason"].map((id) => field(id).value);
    const words = field("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = ({ dataset }) => (!family || dataset.family === family) && (!reason || dataset.reasons.split(" ").includes(reason));
    let shown = 0;
    for (const card of cards) {
      const caption = card.querySelector("h3").textContent.toLowerCase();
      const kept = fits(card) && (!split || card.dataset.split === split) && words.every((word) => caption.includes(word));
      card.hidden = !kept;
      shown += kept;
    }
    for (const card of refused) card.hidden = !fits(card);
    field("count").value = `${shown.toLocaleString("en")} of ${cards.length.toLocaleString("en")} pairs`;
    field("none").hidden = shown > 0;
  }

  const form = document.querySelector(".filters");
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));
  playButton.addEventListener("click", () => setPlaying(!playing));
  for (const button of document.querySelectorAll("[data-rate]")) {
    button.addEventListener("click", () => {
      rate = Number(button.dataset.rate);
      for (const video of onScreen) video.playbackRate = rate;
      for (const other of document.querySelectorAll("[data-rate]")) other.setAttribute("aria-pressed", String(other === button));
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("input, button, select, a")) return;
    event.preventDefault();
    setPlaying(!playing);
  });
  setPlaying(playing);
  // A browser may restore the fields of a page that is opened again.
  filter();
})();
