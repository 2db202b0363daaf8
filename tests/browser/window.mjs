// The browser of the journeys, and its windows.
import { chromium } from "playwright-core";
import { fail, WIDE } from "./look.mjs";

// Chromium as it is made for servers without a screen, and without what it would ask of the net.
export function launch(more = []) {
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium-headless-shell";
  const args = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", ...more,
  ];
  return chromium.launch({ executablePath, args });
}

// A window of its own. What the console calls an error is one, but for answers that the pages are made to give.
export async function openIn(browser, expected, options) {
  const context = await browser.newContext({ viewport: WIDE, locale: "sv-SE", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    if (message.type() === "error" && !expected.test(message.text())) fail(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => fail(`${page.url()}: ${error.stack}`));
  return page;
}

// That a field has a value: what was typed is put back a moment after the page is there.
export function shows(page, name, value) {
  return page.waitForFunction(([name, value]) => document.querySelector(`[name=${name}]`)?.value === value, [name, value]);
}
