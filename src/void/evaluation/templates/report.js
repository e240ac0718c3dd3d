"use strict";
// All clips have the same number of frames. One leader on screen sets the pace; the others follow by frame, and what is off screen rests.
(() => {
  const total = Number(document.body.dataset.frames);
  const videos = [...document.querySelectorAll("video")];
  const onScreen = new Set();
  const scrub = document.getElementById("scrub");
  const output = document.getElementById("frame");
  const playButton = document.getElementById("play");
  let playing = true;
  let rate = 1;

  const fps = (video) => Number(video.closest("article").dataset.fps);
  const frameOf = (video) => Math.min(total - 1, Math.floor(video.currentTime * fps(video) + 1e-3));
  // The middle of a frame: rounding can't reach its neighbour.
  const seek = (video, frame) => { video.currentTime = (frame + 0.5) / fps(video); };
  const leader = () => videos.find((video) => onScreen.has(video) && video.readyState >= 2);
  const show = (frame) => { scrub.value = frame; output.value = `${frame + 1} / ${total}`; };

  function setPlaying(value) {
    playing = value;
    playButton.textContent = playing ? "Pause" : "Play";
    playButton.setAttribute("aria-label", playButton.textContent);
    for (const video of videos) {
      if (playing && onScreen.has(video)) video.play().catch(() => {});
      else video.pause();
    }
    if (!playing) goTo(Number(scrub.value));
  }

  function goTo(frame) {
    show(frame);
    for (const video of videos) seek(video, frame);
  }

  function follow() {
    const first = leader();
    if (!playing || !first) return;
    const frame = frameOf(first);
    show(frame);
    for (const video of onScreen) {
      const apart = Math.abs(frameOf(video) - frame);
      if (video !== first && Math.min(apart, total - apart) > 1) video.currentTime = first.currentTime * fps(first) / fps(video);
    }
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) {
        onScreen.add(target);
        target.playbackRate = rate;
        seek(target, Number(scrub.value));
        if (playing) target.play().catch(() => {});
      } else {
        onScreen.delete(target);
        target.pause();
      }
    }
  });
  for (const video of videos) observer.observe(video);

  playButton.addEventListener("click", () => setPlaying(!playing));
  scrub.addEventListener("input", () => {
    if (playing) setPlaying(false);
    goTo(Number(scrub.value));
  });
  for (const button of document.querySelectorAll("[data-rate]")) {
    button.addEventListener("click", () => {
      rate = Number(button.dataset.rate);
      for (const video of videos) video.playbackRate = rate;
      for (const other of document.querySelectorAll("[data-rate]")) other.setAttribute("aria-pressed", String(other === button));
    });
  }
  document.getElementById("baselines")?.addEventListener("click", (event) => {
    const shown = document.body.classList.toggle("with-baselines");
    event.currentTarget.setAttribute("aria-pressed", String(shown));
  });
  document.addEventListener("keydown", (event) => {
    if (event.target.closest("input, button, summary")) return;
    if (event.key === " ") {
      event.preventDefault();
      setPlaying(!playing);
    } else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      event.preventDefault();
      if (playing) setPlaying(false);
      goTo((Number(scrub.value) + (event.key === "ArrowRight" ? 1 : total - 1)) % total);
    }
  });
  setInterval(follow, 60);
})();
