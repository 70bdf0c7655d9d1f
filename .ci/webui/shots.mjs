// Pictures of the page in its states: narrow and wide, light and dark.

import path from "node:path";
import test from "node:test";
import { Line, artefacts, badAudio, card, drop, endless, file, forgive, lecture, silence, state, talk, texts, until, wav, withPage } from "./harness.mjs";

test("screenshots", withPage({ pace: 250, browser: { reducedMotion: "reduce" } }, async ({ browser, server }) => {
  const line = await new Line(server, 0).start();
  const page = await browser.open(line.url);
  const shoot = async (name) => {
    for (const [width, height] of [[1280, 800], [320, 640]]) {
      for (const colorScheme of ["light", "dark"]) {
        await page.setViewportSize({ width, height });
        await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
        await page.waitForTimeout(120);
        await page.screenshot({ path: path.join(artefacts, `${name}-${width}-${colorScheme}.png`) });
      }
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  };
  await shoot("1-empty");
  line.rate = 3_000_000;
  await drop(page, file("Railway lecture, part one.wav", wav(talk, 475)), file("Interview mit Frau Dr. Ödegård über die frühen Eisenbahnen.wav", wav(lecture, 180)),
    file("voice memo 12.wav", wav(talk, 31)));
  await until("a part of it", async () => /Uploading \d\d %/.test(await card(page, "Railway").textContent()));
  await shoot("2-uploading");
  line.rate = 0;
  await card(page, "Interview").locator(".card-open").click(); // it is shorter, and so there first
  await drop(page, file("noise.wav", wav(badAudio, 9)), file("silence.wav", wav(silence, 8)));
  await until("words", async () => (await texts(page)).length > 3);
  await shoot("3-working");
  await state(page, "Interview", "done");
  await drop(page, file("long meeting.wav", wav(endless, 90)));
  await card(page, "Interview").locator(".card-open").click();
  await until("all", async () => (await texts(page)).length === 60);
  await page.locator(".segment").nth(4).click();
  await until("it is marked", async () => (await page.locator(".segment[aria-current]").count()) === 1);
  await page.evaluate(() => document.querySelector("audio").pause());
  await shoot("4-done");
  await state(page, "long meeting", "working");
  await card(page, "long meeting").locator("[data-do=cancel]").click();
  await state(page, "long meeting", "cancelled");
  await card(page, "noise.wav").locator(".card-open").click();
  await shoot("5-failed");
  await card(page, "long meeting").locator(".card-open").click();
  await shoot("6-cancelled");
  await page.setViewportSize({ width: 320, height: 640 });
  await page.getByRole("link", { name: "Back to the recordings" }).click();
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.mouse.move(300, 630);
  await page.screenshot({ path: path.join(artefacts, "7-list-320-light.png") });
  await page.setViewportSize({ width: 1280, height: 800 });
  await card(page, "Railway").locator("[data-do=delete]").click();
  await shoot("8-question");
  await page.keyboard.press("Escape");
  await server.stop("SIGKILL");
  await page.locator("#offline").waitFor();
  await shoot("9-offline");
  browser.pages.forEach((p) => forgive(p, /Failed to load resource/));
  await line.stop();
}));
