// Markup in all that can be typed, in a real browser: nothing of it becomes an element, nothing runs, and the policy of the
// pages has nothing to stop.
//
// node markup.mjs <address of a demo>
import assert from "node:assert/strict";
import { fail, WIDE } from "./look.mjs";
import { launch } from "./window.mjs";

const address = process.argv[2];
const PDF = Buffer.from("%PDF-1.7\n% an invented document\n%%EOF\n");
const EVIL = `"'></textarea></title></script><script>globalThis.ran = 1</script><img src=x onerror="globalThis.ran = 1"><kw-evil>`;
const NAME = EVIL.replaceAll("/", "");

const browser = await launch();
try {
  const place = await filed();
  await answered(place);
  await read(place);
} finally {
  await browser.close();
}

async function filed() {
  const page = await open();
  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("Exempelverket", { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill(EVIL);
  await page.getByLabel("Meddelande").fill(EVIL);
  const files = [`${NAME}.pdf`, `${NAME}.exe`].map((name) => ({ name, mimeType: "application/pdf", buffer: PDF }));
  await page.locator("input[type=file]").setInputFiles(files);
  await page.getByText("Bifogad").first().waitFor();
  await page.locator("[data-file-error]").waitFor();
  await clean(page);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  // The file that was refused stops the sending once, and is told of.
  await page.getByText("Inte skickat").first().waitFor();
  await clean(page);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  await clean(page);
  await page.goto(`${address}/mina-arenden?q=${encodeURIComponent(EVIL)}`);
  await clean(page);
  await page.goto(`${address}/mina-arenden`);
  await page.getByRole("link", { name: /2026-/ }).first().click();
  await page.getByLabel("Meddelande").fill(EVIL);
  await page.getByRole("button", { name: "Skicka meddelande" }).click();
  await page.getByText(EVIL).nth(2).waitFor();
  await clean(page);
  const place = page.url().split("?")[0];
  await page.context().close();
  return place;
}

async function answered(place) {
  const page = await open();
  await page.goto(`${address}/logga-in?till=${new URL(place).pathname}`);
  await page.getByRole("button", { name: /Olle Handlund/ }).click();
  await page.getByRole("button", { name: "Börja handlägga" }).click();
  await page.getByLabel("Svar", { exact: true }).fill(EVIL);
  await page.getByRole("button", { name: "Svara och avsluta" }).click();
  await page.getByText("Avslutat").first().waitFor();
  await clean(page);
  for (const path of [`/handlaggare?q=${encodeURIComponent(EVIL)}`, "/handlaggare?status=closed", "/statistik"]) {
    await page.goto(address + path);
    await clean(page);
  }
  await page.context().close();
}

async function read(place) {
  const page = await open();
  for (const [person, path] of [[/Tora Revisén/, new URL(place).pathname], [/Anna Exempelsson/, new URL(place).pathname]]) {
    await page.goto(`${address}/logga-in?till=${path}`);
    await page.getByRole("button", { name: person }).click();
    await page.goto(address + path);
    await clean(page);
    await page.goto(`${address}/revision${path}?version=1`);
    await clean(page);
  }
  await page.context().close();
}

async function clean(page) {
  await page.waitForLoadState("networkidle");
  assert.equal(await page.evaluate(() => globalThis.ran), undefined, page.url());
  assert.equal(await page.locator("kw-evil").count(), 0, page.url());
  assert.equal(await page.locator("script:not([src^='/assets/'])").count(), 0, page.url());
  assert.deepEqual(await page.evaluate(() => globalThis.stopped), [], page.url());
}

async function open() {
  const context = await browser.newContext({ viewport: WIDE, locale: "sv-SE" });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  // What the policy stops is as wrong as what runs.
  await page.addInitScript(() => {
    globalThis.stopped = [];
    document.addEventListener("securitypolicyviolation", ({ violatedDirective }) => globalThis.stopped.push(violatedDirective));
  });
  page.on("dialog", (dialog) => fail(`${page.url()}: ${dialog.message()}`));
  page.on("console", (message) => {
    const expected = /Failed to load resource: the server responded with a status of 4(03|04|22)/;
    if (message.type() === "error" && !expected.test(message.text())) fail(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => fail(`${page.url()}: ${error.stack}`));
  return page;
}
