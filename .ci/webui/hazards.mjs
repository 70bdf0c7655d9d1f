// What a stranger, another site or bad luck can do to the page.

import assert from "node:assert/strict";
import { readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import test from "node:test";
import { Browser, Line, card, drop, file, forgive, hostile, state, talk, texts, until, wav, withPage } from "./harness.mjs";

test("names are labels", withPage({}, async ({ page }) => {
  const names = {
    "..\\..\\x.wav": "x.wav",
    "CON.wav": "CON.wav",
    [`${"n".repeat(300)}.wav`]: "nnnnnnnnnn",
    "👩‍👧 talk.wav": "👩‍👧 talk.wav",
    "photo\u202egnp.wav": "photognp.wav",
    "<img src=x onerror=alert(1)>.wav": "<img src=x onerror=alert(1)>.wav",
  };
  await drop(page, ...Object.keys(names).map((name, i) => file(name, wav(talk, i + 1))));
  for (const shown of Object.values(names)) await state(page, shown, "done");
  const labels = await page.locator(".card-name").allTextContents();
  assert.equal(labels.length, 6);
  assert.ok(labels.every((l) => [...l].length <= 200));
  assert.equal(await page.locator(".card img, .reader img").count(), 0);
}));

test("what was heard never becomes mark-up", withPage({}, async ({ page }) => {
  await drop(page, file("hostile.wav", wav(hostile, 3)));
  await state(page, "hostile", "done");
  await until("three segments", async () => (await texts(page)).length === 3);
  const [first] = await texts(page);
  assert.equal(first, `</script><img src=x onerror="document.title='owned'"><b>&amp; --> 00:00:01.000`);
  assert.notEqual(await page.title(), "owned");
  assert.equal(await page.locator(".reader img, .reader b").count(), 0);
  // A player reads three cues in the subtitles, no more.
  const url = await page.locator("[data-format=vtt]").getAttribute("href");
  const cues = await page.evaluate((src) => new Promise((got) => {
    const video = document.createElement("video");
    const track = document.createElement("track");
    Object.assign(track, { src, default: true, kind: "subtitles" });
    track.onload = () => got([...track.track.cues].map((c) => c.text));
    track.onerror = () => got("error");
    video.append(track);
    document.body.append(video);
    track.track.mode = "showing";
  }), url);
  assert.equal(cues.length, 3);
}));

test("a download has the recording's name", withPage({}, async ({ page, server }) => {
  await drop(page, file("Ödegård „eins“.wav", wav(talk, 12)));
  await state(page, "Ödegård", "done");
  for (const format of ["txt", "srt", "vtt", "json"]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.click(`[data-format=${format}]`)]);
    assert.equal(download.suggestedFilename(), `Ödegård „eins“.${format}`);
    const [job] = readdirSync(path.join(server.out, "jobs"));
    assert.deepEqual(readFileSync(await download.path()), readFileSync(path.join(server.out, "jobs", job, `transcript.${format}`)));
  }
}));

test("a file that is too large is not even sent", withPage({ flags: ["-max-size", "1"] }, async ({ page }) => {
  await until("the limits", () => page.locator("#engine").textContent());
  let sent = 0;
  page.on("request", (r) => r.method() === "PUT" && sent++);
  await drop(page, file("large.wav", wav(talk, 40)));
  await state(page, "large.wav", "failed");
  assert.match(await card(page, "large.wav").textContent(), /too large: 1\.3 MB, and at most 1\.0 MB/);
  assert.equal(sent, 0);
}));

test("what is no recording is said to be none", withPage({}, async ({ page }) => {
  await drop(page, file("letter.wav", Buffer.from("Dear Sir or Madam,\n")), file("empty.wav", Buffer.alloc(0)), file("cut.wav", wav(talk, 1).subarray(0, 900)));
  await state(page, "letter.wav", "failed");
  assert.match(await card(page, "letter.wav").textContent(), /it looks like text/);
  assert.match(await card(page, "empty.wav").textContent(), /empty/);
  await state(page, "cut.wav", "failed");
  assert.match(await card(page, "cut.wav").textContent(), /not copied whole/);
  forgive(page, /415/);
}));

test("a page that is closed in the middle of an upload leaves nothing", withPage({}, async ({ browser, server }) => {
  const line = await new Line(server, 500_000).start();
  const page = await browser.open(line.url);
  await drop(page, file("half.wav", wav(talk, 60)));
  await until("a part of it", () => stagedFiles(server).length === 1);
  await page.close({ runBeforeUnload: false });
  await until("no file", () => stagedFiles(server).length === 0);
  assert.deepEqual(readdirSync(path.join(server.out, "jobs")), []);
  await line.stop();
}));

test("an upload that loses its connection can be tried again", withPage({}, async ({ browser, server }) => {
  const line = await new Line(server, 500_000).start();
  const page = await browser.open(line.url);
  await drop(page, file("talk.wav", wav(talk, 60)));
  await until("a part of it", () => stagedFiles(server).length === 1);
  await line.stop(); // a browser tries once more by itself where a connection was in use before
  await state(page, "talk.wav", "failed");
  assert.match(await card(page, "talk.wav").textContent(), /connection was lost/);
  line.rate = 0;
  await line.start();
  await card(page, "talk.wav").locator("[data-do=retry]").click();
  await state(page, "talk.wav", "done");
  assert.deepEqual(readdirSync(path.join(server.out, "jobs")).length, 1);
  forgive(page, /Failed to load/);
  await line.stop();
}));

test("what cannot be read in a dropped folder is named, an empty one too, and the rest is taken", withPage({}, async ({ page }) => {
  // A browser gives such entries for real files only, and root may read all of those.
  await page.evaluate((bytes) => {
    const unreadable = (_, failed) => failed(new DOMException("permission", "NotReadableError"));
    const file = (name) => ({ name, isFile: true, file: (got) => got(new File([new Uint8Array(bytes)], name)) });
    const folder = (name, ...lists) => ({ name, isFile: false, createReader: () => ({
      readEntries: (got, failed) => lists.length ? lists.shift()(got, failed) : got([]),
    }) });
    const dropped = folder("talks",
      (got) => got([file("c.wav"), { name: "b.wav", isFile: true, file: unreadable }]),
      (got) => got([file("a.wav"), folder("private", unreadable), folder("torn", (got) => got([file("d.wav")]), unreadable)]));
    const entries = [dropped, folder("empty"), folder("hidden", (got) => got([file(".DS_Store")]))];
    DataTransferItem.prototype.webkitGetAsEntry = () => entries.shift();
  }, [...wav(talk, 1)]);
  const data = await page.evaluateHandle(() => {
    const transfer = new DataTransfer();
    for (const name of ["talks", "empty", "hidden"]) transfer.items.add(new File(["x"], name));
    return transfer;
  });
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  for (const name of ["a.wav", "c.wav", "d.wav"]) await state(page, name, "done");
  for (const [name, what] of [["b.wav", "file"], ["private", "folder"], ["torn", "folder"]]) {
    await state(page, name, "failed");
    assert.match(await card(page, name).textContent(), new RegExp(`could not read this ${what}`));
  }
  for (const name of ["empty", "hidden"]) {
    await state(page, name, "failed");
    assert.match(await card(page, name).textContent(), /nothing to transcribe in this folder/);
  }
  assert.equal(await page.locator(".card").count(), 8);
}));

test("a file that is gone before it is sent is not called a lost connection", withPage({}, async ({ page, server }) => {
  const recording = path.join(server.dir, "gone.wav");
  writeFileSync(recording, wav(talk, 1));
  await page.route("**/api/uploads*", (route) => route.abort());
  await page.setInputFiles("#files", recording);
  await state(page, "gone.wav", "failed");
  assert.match(await card(page, "gone.wav").textContent(), /connection was lost/);
  await page.unroute("**/api/uploads*");
  rmSync(recording);
  await card(page, "gone.wav").locator("[data-do=retry]").click();
  await until("the cause", async () => /could not read this file/.test(await card(page, "gone.wav").textContent()));
  forgive(page, /Failed to load/);
}));

test("other sites reach nothing", withPage({}, async ({ browser, page, server }) => {
  await drop(page, file("secret.wav", wav(talk, 3)));
  await state(page, "secret.wav", "done");
  const [job] = readdirSync(path.join(server.out, "jobs"));
  const site = createServer((_, answer) => answer.setHeader("Content-Type", "text/html").end("<p>another site"));
  await new Promise((ready) => site.listen(0, "127.0.0.1", ready));
  const other = await browser.context.newPage(); // with the same cookies
  await other.goto(`http://localhost:${site.address().port}/`);
  const tried = await other.evaluate(async ({ url, job }) => {
    const attempt = (path, options) => fetch(url + path, { credentials: "include", ...options }).then((a) => a.status, () => "blocked");
    return {
      list: await attempt("api/jobs"),
      remove: await attempt(`api/jobs/${job}`, { method: "DELETE" }),
      cancel: await attempt(`api/jobs/${job}/cancel`, { method: "POST", mode: "no-cors" }),
      upload: await attempt("api/uploads?name=x", { method: "PUT", body: "x" }),
      form: await attempt("v1/audio/transcriptions", { method: "POST", mode: "no-cors", body: new FormData() }),
      audio: await new Promise((got) => {
        const audio = document.createElement("audio");
        audio.oncanplay = () => got("played");
        audio.onerror = () => got("blocked");
        audio.src = `${url}api/jobs/${job}/audio`;
      }),
    };
  }, { url: server.url, job });
  assert.equal(tried.list, "blocked");
  assert.equal(tried.remove, "blocked");
  assert.equal(tried.upload, "blocked");
  assert.equal(tried.audio, "blocked");
  assert.equal(await page.locator(".card").count(), 1);
  site.close();
}));

test("another browser sees none of it", withPage({}, async ({ page, server }) => {
  await drop(page, file("secret.wav", wav(talk, 3)));
  await state(page, "secret.wav", "done");
  const other = await new Browser().start();
  try {
    const stranger = await other.open(page.url()); // with the job's address
    await until("the list", () => stranger.evaluate(() => location.hash === ""));
    assert.equal(await stranger.locator(".card").count(), 0);
    other.check();
  } finally {
    await other.browser.close();
  }
}));

// stagedFiles are the recordings in the root's scopes.
function stagedFiles(server) {
  const scopes = path.join(server.dir, "root", "s");
  return readdirSync(scopes, { withFileTypes: true }).filter((e) => e.isDirectory()).flatMap((scope) => {
    try {
      return readdirSync(path.join(scopes, scope.name)).filter((name) => name.endsWith(".wav"));
    } catch {
      return []; // it is just going away
    }
  });
}
