// What the browser tests share: the program in a process of its own, recordings
// for its scripted engine, and a browser that tells of everything that is wrong.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";

export const env = (name) => process.env[name] ?? assert.fail(`${name} is not set; run .ci/webui.sh`);
export const artefacts = env("WEBUI_ARTEFACTS");
export const modules = createRequire(env("WEBUI_MODULES"));
const { chromium } = modules("playwright-core");

// What a recording has the scripted engine do, as in examples/webui/fake_test.go.
export const talk = 1, hostile = 2, badAudio = 3, silence = 4, long = 5, endless = 6, lecture = 10;

// wav is a recording of some seconds in which every sample is the number.
export function wav(number, seconds) {
  const samples = 16000 * seconds;
  const b = Buffer.alloc(44 + 2 * samples);
  b.write("RIFF");
  b.writeUInt32LE(36 + 2 * samples, 4);
  b.write("WAVEfmt ", 8);
  [[16, 16], [24, 16000], [28, 32000], [40, 2 * samples]].forEach(([at, n]) => b.writeUInt32LE(n, at));
  [[20, 1], [22, 1], [32, 2], [34, 16]].forEach(([at, n]) => b.writeUInt16LE(n, at));
  b.write("data", 36);
  for (let at = 44; at < b.length; at += 2) b.writeUInt16LE(number, at);
  return b;
}

export const file = (name, buffer) => ({ name, mimeType: "audio/wav", buffer });

// Server is the program. It keeps its port when it is started again.
export class Server {
  constructor({ scripted = true, pace = 0, flags = [] } = {}) {
    this.dir = mkdtempSync(path.join(tmpdir(), "hf-"));
    this.out = path.join(this.dir, "out");
    this.scripted = scripted;
    this.pace = pace;
    this.flags = flags;
    this.port = 0;
  }

  async start() {
    const args = ["-addr", `127.0.0.1:${this.port}`, "-root", path.join(this.dir, "root"), "-out", this.out, ...this.flags];
    this.child = spawn(env(this.scripted ? "WEBUI_SCRIPTED" : "WEBUI_REAL"), args, {
      env: { ...process.env, ...(this.scripted ? { WEBUI_TEST_PLAY: "1", WEBUI_TEST_PACE: String(this.pace) } : {}) },
    });
    this.child.stderr.pipe(createWriteStream(path.join(artefacts, "server.log"), { flags: "a" }));
    this.ended = new Promise((done) => this.child.once("exit", done));
    const line = await new Promise((got, failed) => {
      this.child.stdout.once("data", (b) => got(String(b)));
      this.child.once("exit", () => failed(new Error("the program ended; see server.log")));
    });
    this.url = line.match(/http:\/\/\S+?\//)[0];
    this.port = new URL(this.url).port;
    return this;
  }

  async stop(signal = "SIGINT") {
    this.child.kill(signal);
    await this.ended;
  }

  async remove() {
    await this.stop("SIGKILL");
    rmSync(this.dir, { recursive: true, force: true });
  }
}

// Browser is a fresh profile. At its end nothing may have been complained about,
// and nothing may have been asked of anybody but the server.
export class Browser {
  pages = [];

  async start(options = {}) {
    this.browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
    this.context = await this.browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
    return this;
  }

  async open(url) {
    const page = await this.context.newPage();
    this.pages.push(page);
    page.complaints = [];
    page.on("console", (m) => m.type() === "error" && page.complaints.push(m.text()));
    page.on("pageerror", (e) => page.complaints.push(String(e)));
    page.on("dialog", (d) => {
      page.complaints.push(`dialog: ${d.message()}`);
      d.dismiss();
    });
    page.on("request", (r) => new URL(r.url()).origin === new URL(url).origin || page.complaints.push(`asks ${r.url()}`));
    await page.goto(url);
    return page;
  }

  check() {
    assert.deepEqual(this.pages.flatMap((p) => p.complaints), []);
  }
}

// forgive drops complaints that a test has provoked.
export function forgive(page, pattern) {
  page.complaints = page.complaints.filter((c) => !pattern.test(c));
}

export const card = (page, name) => page.locator(".card", { hasText: name });
export const state = (page, name, wanted) => page.locator(`.card[data-state=${wanted}]`, { hasText: name }).waitFor();
export const texts = (page) => page.locator(".segment .text").allTextContents();
export const drop = (page, ...files) => page.setInputFiles("#files", files);

// until waits for something that has no element to wait for.
export async function until(what, check) {
  for (let tries = 0; tries < 1200; tries++) {
    if (await check()) return;
    await new Promise((later) => setTimeout(later, 50));
  }
  assert.fail(`it never came: ${what}`);
}

// Line is a slow connection to a server, and one that can be cut. The server
// takes no other name than its own, so that is put in.
export class Line {
  constructor(server, bytesPerSecond) {
    this.rate = bytesPerSecond;
    this.ends = new Set();
    this.port = 0;
    this.listener = createServer((client) => this.join(client, connect(server.port, "127.0.0.1"), `127.0.0.1:${server.port}`));
  }

  async start() {
    await new Promise((ready) => this.listener.listen(this.port, "127.0.0.1", ready));
    this.port = this.listener.address().port;
    this.name = `127.0.0.1:${this.port}`;
    this.url = `http://${this.name}/`;
    return this;
  }

  join(client, server, name) {
    const drop = () => [client, server].forEach((end) => {
      end.destroy();
      this.ends.delete(end);
    });
    for (const end of [client, server]) {
      this.ends.add(end);
      end.on("close", drop).on("error", drop);
    }
    client.on("data", (b) => {
      server.write(Buffer.from(b.toString("latin1").replaceAll(this.name, name), "latin1"));
      if (b.length < 2000 || !this.rate) return;
      client.pause();
      setTimeout(() => client.resume(), 1000 * b.length / this.rate);
    });
    server.pipe(client);
  }

  // stop cuts everything off; start makes a new beginning at the same address.
  async stop() {
    const closed = new Promise((done) => this.listener.close(done));
    for (const end of this.ends) end.destroy();
    await closed;
  }
}

// withPage makes a test of f, with a server and a page of its own.
export function withPage(options, f) {
  return async () => {
    const server = await new Server(options).start();
    const browser = await new Browser().start(options.browser);
    try {
      await f({ server, browser, page: await browser.open(server.url) });
      browser.check();
    } finally {
      await browser.browser.close();
      await server.remove();
    }
  };
}
