// The page: what is dropped on it, what the server says, what is open.

import * as api from "./api.js";
import { Cards, describe, progress } from "./cards.js";
import { Reader } from "./reader.js";
import { Stream } from "./stream.js";
import { Uploads, filesIn } from "./uploads.js";

const $ = (id) => document.getElementById(id);
const wide = matchMedia("(min-width: 56.01rem)");

const jobs = new Map(); // by id, as the server says
const reader = new Reader();
const uploads = new Uploads(render);
const cards = new Cards($("cards"), act);
let known = false; // the server has said what there is
let openId = "";
let ours = ""; // what is open, if nobody has chosen it

const stream = new Stream({
  jobs(all) {
    jobs.clear();
    all.forEach((j) => jobs.set(j.id, j));
    known = true;
    choose();
    render();
  },
  job(j) {
    announce(jobs.get(j.id), j);
    jobs.set(j.id, j);
    choose();
    render();
  },
  gone(id) {
    jobs.delete(id);
    choose();
    render();
  },
  segments: (event) => reader.add(event),
  online: () => { $("offline").hidden = true; },
  offline: () => tell("The server does not answer. Nothing is lost; the page goes on when it is there again."),
  unknown: () => tell("This browser is not known to the server any more. Load the page again."),
});

function tell(text) {
  $("offline").textContent = text;
  $("offline").hidden = false;
}

// choose makes sure that what is open exists, and on a wide screen that
// something is: what somebody has chosen, or else what is being transcribed.
function choose() {
  const wanted = location.hash.slice(1);
  let id = jobs.has(wanted) ? wanted : "";
  if (id && id !== ours) ours = "";
  if (known && wide.matches && (!id || id === ours && dull(jobs.get(id)))) {
    const all = sorted([...jobs.values()]);
    const better = all.find((j) => j.state === "working") ?? (id ? jobs.get(id) : all[0]);
    if (better) {
      id = ours = better.id;
      history.replaceState(null, "", `#${id}`);
    }
  }
  if (!id && wanted && known) history.replaceState(null, "", location.pathname);
  document.body.dataset.view = id ? "reader" : "list";
  document.body.toggleAttribute("data-open", id !== "");
  if (id === openId) return;
  openId = id;
  if (id) reader.open(id);
  stream.open(id);
}

const dull = (job) => job.state !== "working" && job.state !== "done";

addEventListener("hashchange", () => {
  choose();
  render();
  if (!wide.matches && openId) $("title").scrollIntoView();
});
wide.addEventListener("change", () => { choose(); render(); });

function sorted(items) {
  return items.sort((a, b) => b.order - a.order || (a.id < b.id ? -1 : 1));
}

let frame = 0;

function render() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    draw();
  });
}

function draw() {
  const items = [];
  const refs = new Set();
  for (const j of jobs.values()) {
    items.push({ ...j, key: j.ref || j.id });
    if (j.ref) refs.add(j.ref);
  }
  for (const u of uploads.all.values()) {
    if (refs.has(u.ref)) { // it is a job now
      if (u.state === "there") uploads.all.delete(u.ref);
    } else {
      items.push({ ...u, id: "", key: u.ref });
    }
  }
  cards.render(sorted(items), openId);
  document.body.toggleAttribute("data-empty", items.length === 0);
  const job = jobs.get(openId);
  if (job) reader.show(job);
  document.title = title(job, items);
}

function title(job, items) {
  const at = items.find((i) => i.state === "working" && progress(i)) ?? items.find((i) => i.state === "uploading");
  const part = at ? `${Math.floor(100 * progress(at))} % · ` : "";
  return part + (job?.name ?? at?.name ?? "Transcripts");
}

// announce tells those who do not see the cards.
function announce(old, now) {
  if (old && old.state === now.state) return;
  const what = { working: "transcribing", done: describe(now), failed: now.error, queued: "waiting", cancelled: "cancelled" }[now.state];
  $("status").textContent = `${now.name}: ${what}`;
}

async function act(what, item) {
  try {
    if (!item.id) {
      if (what === "retry") uploads.retry(item.ref);
      else uploads.remove(item.ref);
    } else if (what === "retry") {
      await api.retry(item.id);
    } else if (what === "cancel") {
      await api.cancel(item.id);
    } else if (await confirmed(item)) {
      await api.remove(item.id);
    }
  } catch (problem) {
    if (problem.status !== 404 && problem.status !== 409) $("status").textContent = problem.message;
  }
}

let question = null; // answers it

function confirmed(item) {
  const dialog = $("confirm");
  question?.(false);
  $("confirm-text").textContent = `“${item.name}” and its files are removed. Its line in the journal stays.`;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((answer) => { question = answer; });
}

$("confirm").addEventListener("close", (e) => {
  if (e.target.open) return; // the event of an earlier question, which comes late
  question?.(e.target.returnValue === "yes");
  question = null;
});

// Files come by the button, and by dropping them anywhere.
$("files").addEventListener("change", (e) => {
  uploads.add([...e.target.files]);
  e.target.value = "";
});
let depth = 0;
const carriesFiles = (e) => e.dataTransfer?.types.includes("Files");
addEventListener("dragenter", (e) => {
  if (carriesFiles(e)) document.body.classList.toggle("dragging", ++depth > 0);
});
addEventListener("dragleave", (e) => {
  if (carriesFiles(e)) document.body.classList.toggle("dragging", --depth > 0);
});
addEventListener("dragover", (e) => {
  if (carriesFiles(e)) e.preventDefault();
});
addEventListener("drop", async (e) => {
  if (!carriesFiles(e)) return;
  e.preventDefault();
  depth = 0;
  document.body.classList.remove("dragging");
  uploads.add(await filesIn(e.dataTransfer));
});
addEventListener("beforeunload", (e) => {
  if (uploads.busy) e.preventDefault();
});

stream.open("");
const config = await api.config();
uploads.maxBytes = config.maxBytes;
$("engine").textContent = `${config.engine} · ${config.model}`;
