// Mina ärenden and the case in a real browser: filters, opinion, archive, printing. On the way every page is looked at by
// axe, wide and narrow.
//
// node cases.mjs <address of a demo> <open case> <asked case> <closed case>     PICTURES=<folder> keeps what was seen.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { look, WIDE } from "./look.mjs";
import { launch } from "./window.mjs";

const [address, open, asked, closed] = process.argv.slice(2);
const browser = await launch();
try {
  await inBothLanguages();
  await printed();
} finally {
  await browser.close();
}

async function inBothLanguages() {
  const page = await logIn();
  const seen = (name) => see(page, name);
  await page.getByText("Nytt svar", { exact: true }).waitFor();
  await page.getByRole("link", { name: "1 ärende har ett nytt svar" }).waitFor();
  await seen("list");

  await page.getByLabel("Sök ord eller nummer").fill("projekt");
  await page.getByLabel("Status").selectOption({ label: "Avslutat" });
  await page.getByLabel("Bara ärenden med nytt svar").check();
  await page.getByLabel("Inkom från och med").fill("2026-11-23");
  await page.getByRole("button", { name: "Visa ärenden" }).click();
  assert.equal(await page.getByRole("row").count(), 2);
  await page.getByLabel("Inkom till och med").fill("2026-11-01");
  await page.getByRole("button", { name: "Visa ärenden" }).click();
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  await seen("list-wrong");
  await page.getByRole("link", { name: "Visa alla" }).click();
  assert.equal(await page.getByRole("row").count(), 5);

  for (const [name, path] of [["open", open], ["asked", asked]]) {
    await page.goto(`${address}${path}`);
    await seen(name);
  }
  await page.goto(`${address}${closed}`);
  await seen("closed");
  await page.getByRole("button", { name: "Skicka omdöme" }).click();
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  await seen("opinion-wrong");
  await page.getByLabel("Delvis").check();
  await page.getByLabel("Vad var bra").fill("Det gick fort.");
  await page.getByRole("button", { name: "Skicka omdöme" }).click();
  await page.getByText("Fick hjälp: Delvis.").waitFor();
  await seen("opinion");
  const waiting = page.waitForEvent("download");
  await page.getByRole("link", { name: "Ladda ner allt i ärendet" }).click();
  const download = await waiting;
  assert.match(download.suggestedFilename(), /^2026-\d{6}-\d\.zip$/);
  assert.equal((await readFile(await download.path())).subarray(0, 2).toString(), "PK");
  await page.goto(`${address}/mina-arenden`);
  assert.equal(await page.getByText("Nytt svar", { exact: true }).count(), 0);

  await page.getByRole("link", { name: "In English" }).or(page.getByRole("link", { name: "English" })).first().click();
  await page.getByRole("heading", { name: "My cases" }).waitFor();
  await seen("list-en");
  await page.goto(`${address}${closed}`);
  await page.getByText("Got help: Partly.").waitFor();
  await seen("closed-en");
}

// What is printed is the case: no menu, no form, no addresses of links.
async function printed() {
  const page = await logIn();
  await page.goto(`${address}${open}`);
  await page.evaluate(() => { window.print = () => { document.title = "printed"; }; });
  await page.getByRole("button", { name: "Skriv ut" }).click();
  assert.equal(await page.title(), "printed");
  await page.emulateMedia({ media: "print" });
  for (const hidden of ["header", "footer", ".kw-form", ".kw-case-tools", ".kw-back"]) {
    for (const part of await page.locator(hidden).all()) assert.equal(await part.isVisible(), false, hidden);
  }
  for (const shown of ["h1", ".kw-answer", ".kw-timeline", ".kw-facts"]) {
    assert.equal(await page.locator(shown).first().isVisible(), true, shown);
  }
  const after = await page.locator("main a").evaluateAll((links) => links.map((link) => getComputedStyle(link, "::after").content));
  assert.deepEqual(after.filter((content) => content.includes("http") || content.includes("attr")), []);
  await picture(page, "print");
}

async function logIn() {
  const page = await (await browser.newContext({ viewport: WIDE, locale: "sv-SE" })).newPage();
  page.setDefaultTimeout(20_000);
  await page.goto(`${address}/mina-arenden`);
  await page.getByLabel("Exempelverket", { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  await page.getByRole("heading", { level: 1, name: "Mina ärenden" }).waitFor();
  return page;
}

async function see(page, name) {
  await look(page);
  await picture(page, name);
}

async function picture(page, name) {
  if (!process.env.PICTURES) return;
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${process.env.PICTURES}/${name}-${width}.png`, fullPage: true });
  }
  await page.setViewportSize(WIDE);
}
