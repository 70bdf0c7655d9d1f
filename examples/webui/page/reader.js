// The open transcript: it grows while the engine listens, a click plays from
// there, and it never scrolls away from somebody who reads.

import * as api from "./api.js";
import { about, clock, language, size, words } from "./format.js";

const $ = (id) => document.getElementById(id);
const template = $("segment");

export class Reader {
  constructor() {
    this.segments = []; // {start, end, text, button}
    this.queue = [];
    this.audio = $("audio");
    this.list = $("segments");
    this.scroller = $("scroller");
    this.playing = -1;

    this.list.addEventListener("click", (e) => this.play(e.target.closest(".segment")));
    this.list.addEventListener("keydown", (e) => this.key(e));
    this.audio.addEventListener("timeupdate", () => this.follow());
    this.audio.addEventListener("error", () => {
      if (!this.audio.getAttribute("src")) return;
      this.audio.hidden = true;
    });
    this.scroller.addEventListener("scroll", () => {
      if (this.atEnd()) $("newest").hidden = true;
    });
    $("newest").addEventListener("click", () => this.toEnd());
    $("copy").addEventListener("click", () => this.copy());
    $("again").addEventListener("click", () => api.retry(this.job.id));
  }

  // open clears the reader for another job.
  open(id) {
    this.id = id;
    this.job = null;
    this.segments = [];
    this.queue = [];
    this.playing = -1;
    this.list.replaceChildren();
    $("newest").hidden = true;
    $("log").ariaLive = "off"; // what was there already is not read out
    this.audio.pause();
    this.audio.hidden = false;
    this.audio.src = api.audioURL(id);
    for (const link of document.querySelectorAll("[data-format]")) {
      link.href = api.transcriptURL(id, link.dataset.format);
    }
    this.scroller.scrollTop = 0;
  }

  // show what the server says about the job itself.
  show(job) {
    this.job = job;
    $("title").textContent = job.name;
    $("title").title = job.name;
    $("meta").textContent = [
      job.duration ? clock(job.duration) : "", size(job.size),
      job.state === "done" && job.language ? language(job.language) : "",
      job.state === "done" ? words(job.words ?? 0) : "",
      job.state === "done" && job.elapsed >= 1 ? `transcribed in ${about(job.elapsed)}` : "",
    ].filter(Boolean).join(" · ");
    $("take").toggleAttribute("data-off", job.state !== "done");
    $("problem").hidden = job.state !== "failed" && job.state !== "cancelled";
    $("problem").toggleAttribute("data-calm", job.state === "cancelled");
    $("problem-text").textContent = job.state === "failed" ? job.error : "This was cancelled.";
    this.note();
  }

  note() {
    const note = $("note");
    const state = this.job?.state;
    const text = {
      queued: "It waits for its turn.",
      working: this.segments.length > 0 ? "Listening…" : "Listening. The first words take a moment…",
      done: this.segments.length > 0 ? "" : "No speech was found in this recording.",
    }[state] ?? "";
    if (note.textContent !== text) note.textContent = text;
    note.toggleAttribute("data-live", state === "working");
  }

  // add takes an event of the job's history; they are shown once a frame.
  add(event) {
    this.queue.push(event);
    if (this.queue.length > 1) return;
    const id = this.id;
    const flush = () => {
      if (this.id === id) this.flush();
    };
    // A page in the background has no frames.
    document.hidden ? setTimeout(flush, 50) : requestAnimationFrame(flush);
  }

  flush() {
    const stick = this.atEnd();
    const events = this.queue;
    this.queue = [];
    for (const event of events) {
      if (event.replace) this.replace(event.segments);
      else this.append(event.segments);
    }
    this.note();
    if (this.job?.state !== "working") return;
    $("log").ariaLive = "polite";
    if (stick) this.toEnd();
    else $("newest").hidden = false;
  }

  append(segments) {
    const fragment = document.createDocumentFragment();
    for (const s of segments) {
      const li = template.content.firstElementChild.cloneNode(true);
      const button = li.firstElementChild;
      button.dataset.at = this.segments.length;
      if (this.segments.length === 0) button.tabIndex = 0;
      fill(button, s);
      this.segments.push({ ...s, button });
      fragment.append(li);
    }
    this.list.append(fragment);
  }

  // replace keeps the elements that say the same, and so the reader's place.
  replace(segments) {
    let same = 0;
    while (same < segments.length && same < this.segments.length &&
      segments[same].start === this.segments[same].start && segments[same].text === this.segments[same].text) same++;
    for (const s of this.segments.splice(same)) s.button.parentElement.remove();
    this.append(segments.slice(same));
  }

  atEnd() {
    const s = this.scroller;
    return s.scrollHeight - s.scrollTop - s.clientHeight < 80;
  }

  toEnd() {
    this.scroller.scrollTop = this.scroller.scrollHeight;
    $("newest").hidden = true;
  }

  play(button) {
    if (!button || getSelection().type === "Range") return; // somebody marks text
    this.focus(Number(button.dataset.at));
    this.audio.currentTime = this.segments[button.dataset.at].start;
    this.audio.play().catch(() => {}); // a format that this browser does not know
  }

  // key moves through the transcript: one stop for the tabulator, arrows inside.
  key(e) {
    const at = Number(document.activeElement?.dataset?.at);
    const last = this.segments.length - 1;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last }[e.key];
    if (to === undefined || Number.isNaN(at)) return;
    e.preventDefault();
    this.focus(Math.min(Math.max(to, 0), last));
  }

  focus(at) {
    this.list.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    const { button } = this.segments[at];
    button.tabIndex = 0;
    button.focus();
  }

  // follow marks what is being played.
  follow() {
    let low = 0, high = this.segments.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.segments[middle].start <= this.audio.currentTime + 0.05) low = middle + 1;
      else high = middle;
    }
    const at = low - 1;
    if (at === this.playing) return;
    const old = this.segments[this.playing]?.button;
    const visible = !old || inView(old, this.scroller);
    old?.removeAttribute("aria-current");
    this.playing = at;
    const now = this.segments[at]?.button;
    now?.setAttribute("aria-current", "true");
    if (visible && !this.audio.paused) now?.scrollIntoView({ block: "nearest" });
  }

  async copy() {
    const label = $("copy").querySelector("span");
    try {
      await navigator.clipboard.writeText(this.segments.map((s) => s.text.trim()).join("\n"));
      label.textContent = "Copied";
    } catch {
      label.textContent = "Not allowed";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 1500);
  }
}

function fill(button, segment) {
  button.querySelector(".time").textContent = clock(segment.start);
  button.querySelector(".text").textContent = segment.text.trim();
}

function inView(element, scroller) {
  const e = element.getBoundingClientRect(), s = scroller.getBoundingClientRect();
  return e.bottom > s.top && e.top < s.bottom;
}
