// Real speech, a real engine: in the browser, and by OpenAI's own client.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";
import test from "node:test";
import { promisify } from "node:util";
import { drop, env, file, state, texts, until, withPage } from "./harness.mjs";

const flags = Object.entries({ "-binary": "HOLDFAST_WHISPER_CLI", "-model": "HOLDFAST_WHISPER_MODEL" })
  .flatMap(([flag, name]) => process.env[name] ? [flag, process.env[name]] : []);
const sample = readFileSync(env("WEBUI_SAMPLE"));
const spoken = "Good morning everyone. Today we will talk about the history of the railway in England.";

test("real speech", withPage({ scripted: false, flags }, async ({ page, server }) => {
  await drop(page, file("sample.wav", sample));
  await state(page, "sample.wav", "done");
  await until("the words", async () => (await texts(page)).join(" ") === spoken);
  const [download] = await Promise.all([page.waitForEvent("download"), page.click("[data-format=json]")]);
  const got = JSON.parse(readFileSync(await download.path(), "utf8"));
  const journal = JSON.parse(readFileSync(path.join(server.out, "journal.jsonl"), "utf8"));
  assert.equal(got.text, journal.pred_text);
  assert.deepEqual(got.segments.map((s) => s.text), journal.segments.map((s) => s.text));
  await page.locator(".segment").first().click();
  await until("it plays", () => page.evaluate(() => document.querySelector("audio").currentTime > 0.3));
}));

test("OpenAI's client", withPage({ scripted: false, flags }, async ({ server }) => {
  const { stdout } = await promisify(execFile)(env("WEBUI_PYTHON"), [
    path.join(import.meta.dirname, "openai_client.py"), server.url, env("WEBUI_SAMPLE"), spoken,
  ]);
  console.log(stdout.trim());
}));
