// Files on their way to the server. Two at a time, in their order: more would
// share the same line, and a browser has six connections for a server.

import { problemIn } from "./api.js";
import { size } from "./format.js";

const atATime = 2;

export class Uploads {
  constructor(changed) {
    this.changed = changed;
    this.all = new Map(); // by ref
    this.maxBytes = Infinity;
  }

  get busy() {
    return [...this.all.values()].some((u) => u.state === "uploading" || u.state === "waiting");
  }

  add(files) {
    const dropped = Date.now() * 1000;
    files.forEach((file, i) => {
      const upload = {
        ref: Array.from(crypto.getRandomValues(new Uint8Array(10)), (b) => b.toString(16).padStart(2, "0")).join(""),
        order: dropped - i, file, name: file.name, size: file.size, state: "waiting", sent: 0, speed: 0, error: "",
      };
      this.all.set(upload.ref, upload);
      if (file.problem) this.fail(upload, file.problem, true);
      else if (file.size > this.maxBytes) this.fail(upload, `The file is too large: ${size(file.size)}, and at most ${size(this.maxBytes)} are taken.`, true);
      else if (file.size === 0) this.fail(upload, "The file is empty.", true);
    });
    this.next();
  }

  // next starts what may start now.
  next() {
    const all = [...this.all.values()];
    let running = all.filter((u) => u.state === "uploading").length;
    for (const u of all) {
      if (running >= atATime) break;
      if (u.state === "waiting" && !u.pause) {
        running++;
        this.send(u);
      }
    }
    this.changed();
  }

  // send uses XMLHttpRequest because fetch tells nothing of what was sent.
  send(u) {
    const xhr = new XMLHttpRequest();
    const query = new URLSearchParams({ name: u.name, ref: u.ref, order: u.order });
    Object.assign(u, { xhr, state: "uploading", sent: 0, speed: 0, error: "", began: performance.now() });
    xhr.open("PUT", `/api/uploads?${query}`);
    xhr.upload.onprogress = (e) => {
      u.sent = e.loaded;
      const seconds = (performance.now() - u.began) / 1000;
      if (seconds > 0.5) u.speed = u.sent / seconds;
      this.changed();
    };
    xhr.onload = () => {
      if (xhr.status === 201) {
        u.state = "there";
        u.id = JSON.parse(xhr.responseText).id;
        this.next();
      } else if (xhr.status === 503) {
        this.wait(u, Number(xhr.getResponseHeader("Retry-After")) || 2);
      } else {
        const problem = problemIn(xhr.responseText, xhr.status);
        this.fail(u, problem[0].toUpperCase() + problem.slice(1) + ".", xhr.status === 413 || xhr.status === 415);
      }
    };
    xhr.onerror = async () => this.fail(u, await readable(u.file) ? "The connection was lost before the file was there." : unreadable("file"));
    xhr.send(u.file);
  }

  // wait is for a server that has too much to do at the moment.
  wait(u, seconds) {
    Object.assign(u, { state: "waiting", pause: setTimeout(() => {
      u.pause = null;
      this.next();
    }, seconds * 1000) });
    this.next();
  }

  fail(u, error, final = false) {
    Object.assign(u, { state: "failed", error, final });
    this.next();
  }

  retry(ref) {
    this.all.get(ref).state = "waiting";
    this.next();
  }

  // remove forgets an upload, and stops it if it is on its way.
  remove(ref) {
    const u = this.all.get(ref);
    this.all.delete(ref);
    clearTimeout(u?.pause);
    if (u?.state === "uploading") u.xhr.abort();
    this.next();
  }
}

const unreadable = (what) => `The browser could not read this ${what}. It may be gone, in use by another program, or not open to you.`;

// readable tells a file that cannot be read from a connection that is lost.
const readable = (file) => file.slice(0, 1).arrayBuffer().then(() => true, () => false);

// filesIn lists what was dropped, the files in folders too. What cannot be read,
// and a folder with nothing in it, is in the list as a name with its problem.
export async function filesIn(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (entries.length === 0) return [...transfer.files];
  const empty = (entry) => ({ name: entry.name, size: 0, problem: "There is nothing to transcribe in this folder." });
  const files = await Promise.all(entries.map(async (entry) => {
    const found = await walk(entry);
    return found.length > 0 ? found : [empty(entry)];
  }));
  return files.flat();
}

async function walk(entry) {
  const found = [], problems = [];
  try {
    if (entry.isFile) return [await new Promise((got, failed) => entry.file(got, failed))];
    const reader = entry.createReader();
    for (;;) { // a reader gives a hundred at a time
      const some = await new Promise((got, failed) => reader.readEntries(got, failed));
      if (some.length === 0) break;
      found.push(...some);
    }
  } catch {
    problems.push({ name: entry.name, size: 0, problem: unreadable(entry.isFile ? "file" : "folder") });
  }
  found.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  const files = await Promise.all(found.filter((e) => !e.name.startsWith(".")).map(walk));
  return [...problems, ...files.flat()];
}
