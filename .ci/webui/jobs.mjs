// A person's way through the page, with an engine that follows a script.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { card, drop, endless, file, forgive, lecture, silence, state, talk, texts, until, wav, withPage } from "./harness.mjs";

test("two files: one works, one waits, both come to their end", withPage({ pace: 300 }, async ({ page }) => {
  await drop(page, file("first.wav", wav(talk, 20)), file("second.wav", wav(talk, 30)));
  // Which one is first depends on which upload is.
  await until("one at work, one in line", async () => /Next in line/.test(await page.locator(".card:has(~ .card[data-state=working]), .card[data-state=working] ~ .card").textContent({ timeout: 1000 }).catch(() => "")));
  await state(page, "first.wav", "done");
  await state(page, "second.wav", "done");
  assert.match(await card(page, "first.wav").textContent(), /0:20 · 122 words · English/);
  await until("all", async () => (await texts(page)).length === 12);
}));

test("cancel, try again, delete", withPage({ pace: 20 }, async ({ page }) => {
  await drop(page, file("endless.wav", wav(endless, 60)));
  await state(page, "endless.wav", "working");
  await drop(page, file("next.wav", wav(talk, 3)));
  await state(page, "next.wav", "queued");
  await until("what was heard", async () => (await texts(page)).length === 1);
  await card(page, "next.wav").locator("[data-do=cancel]").click();
  await state(page, "next.wav", "cancelled");
  await card(page, "endless.wav").locator("[data-do=cancel]").click();
  await state(page, "endless.wav", "cancelled");
  assert.deepEqual(await texts(page), ["It goes on and on."]);
  await card(page, "next.wav").locator("[data-do=retry]").click();
  await state(page, "next.wav", "done");
  await card(page, "endless.wav").locator("[data-do=delete]").click();
  await page.getByRole("button", { name: "Keep it" }).click();
  assert.equal(await page.locator(".card").count(), 2);
  await card(page, "endless.wav").locator("[data-do=delete]").click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await until("one card", async () => (await page.locator(".card").count()) === 1);
}));

test("reload in the middle, and carry on", withPage({ pace: 60 }, async ({ page }) => {
  await drop(page, file("lecture.wav", wav(lecture, 120)));
  await until("some words", async () => (await texts(page)).length >= 5);
  const before = await texts(page);
  await page.reload();
  await until("what was there", async () => (await texts(page)).length >= before.length);
  assert.deepEqual((await texts(page)).slice(0, before.length), before);
  await state(page, "lecture.wav", "done");
  await until("all of it", async () => (await texts(page)).length === 60);
}));

test("the server is killed in the middle: the page goes on, and so does the job", withPage({ pace: 60 }, async ({ page, server }) => {
  await drop(page, file("lecture.wav", wav(lecture, 120)));
  await until("some words", async () => (await texts(page)).length >= 8);
  await server.stop("SIGKILL");
  const before = await texts(page);
  await page.locator("#offline").waitFor();
  await server.start();
  await page.locator("#offline").waitFor({ state: "hidden" });
  await until("more words", async () => (await texts(page)).length > before.length);
  await page.reload();
  await until("what was there", async () => (await texts(page)).length >= before.length);
  assert.deepEqual((await texts(page)).slice(0, before.length), before);
  await state(page, "lecture.wav", "done");
  await until("all of it", async () => (await texts(page)).length === 60);
  const shown = await texts(page);
  assert.deepEqual(shown, journaled(server));
  forgive(page, /Failed to load resource/);
}));

test("two tabs show the same", withPage({ pace: 40 }, async ({ page, browser, server }) => {
  const second = await browser.open(server.url);
  await drop(page, file("talk.wav", wav(talk, 30)));
  await state(second, "talk.wav", "done");
  await until("all in both", async () => (await texts(page)).length === 12 && (await texts(second)).length === 12);
  assert.deepEqual(await texts(second), await texts(page));
}));

test("silence is no failure", withPage({}, async ({ page }) => {
  await drop(page, file("silence.wav", wav(silence, 3)));
  await state(page, "silence.wav", "done");
  assert.match(await card(page, "silence.wav").textContent(), /No speech found/);
  await until("it says so", async () => /No speech was found/.test(await page.locator("#note").textContent()));
}));

test("files dropped on the page", withPage({}, async ({ page }) => {
  const data = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    for (const name of ["a.wav", "b.wav"]) transfer.items.add(new File([new Uint8Array(bytes)], name));
    return transfer;
  }, [...wav(talk, 1)]);
  await page.dispatchEvent("body", "dragenter", { dataTransfer: data });
  assert.equal(await page.locator("body.dragging").count(), 1);
  await page.dispatchEvent("body", "drop", { dataTransfer: data });
  await state(page, "a.wav", "done");
  await state(page, "b.wav", "done");
  assert.deepEqual(await page.locator(".card-name").allTextContents(), ["a.wav", "b.wav"]);
}));

test("twenty files at once", withPage({}, async ({ page }) => {
  await drop(page, ...Array.from({ length: 20 }, (_, i) => file(`${i}.wav`, wav(20 + i, 2))));
  await until("twenty", async () => (await page.locator(".card[data-state=done]").count()) === 20);
  forgive(page, /503/);
}));

// journaled gives the lines of the only transcript in the server's journal.
function journaled(server) {
  const [line] = readFileSync(path.join(server.out, "journal.jsonl"), "utf8").trim().split("\n");
  return JSON.parse(line).segments.map((s) => s.text);
}
