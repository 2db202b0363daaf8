// Mina ärenden and the case in a real browser: filters, opinion, a new question, archive, printing; in both languages, with
// JavaScript and without it. On the way every page is looked at by axe, wide and narrow.
//
// node cases.mjs <address of a demo> <open case> <asked case> <closed case>
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { fail, look, picture } from "./look.mjs";
import { launch, openIn } from "./window.mjs";
import { words } from "./words.mjs";

const [address, open, asked, closed] = process.argv.slice(2);
const browser = await launch();
try {
  await inBothLanguages();
  await onAPhone();
  await printed();
} finally {
  await browser.close();
}

// The table has so many rows, once the page that was asked for has come.
async function rows(page, count) {
  await page.getByRole("row").nth(count).waitFor({ state: "detached" });
  await page.getByRole("row").nth(count - 1).waitFor();
}

// The case is closed once and the opinion given once; all else is done in each language, with JavaScript and without it.
async function inBothLanguages() {
  for (const language of ["sv", "en"]) {
    for (const script of [false, true]) await once(language, script);
  }
}

async function once(language, script) {
  const t = words(language);
  const page = await logIn({ javaScriptEnabled: script }, language);
  const seen = (name) => script ? see(page, `${name}-${language}`) : Promise.resolve();
  const opinion = page.getByRole("button", { name: t("opinion-submit") });
  await seen("list");
  await page.getByLabel(t("filter-q")).fill("projekt");
  await page.getByLabel(t("case-status"), { exact: true }).selectOption({ label: t("status-closed") });
  await page.getByLabel(t("filter-from")).fill("2026-11-23");
  await page.getByRole("button", { name: t("filter-go") }).click();
  await rows(page, 2);
  await page.getByLabel(t("filter-to")).fill("2026-11-01");
  await page.getByRole("button", { name: t("filter-go") }).click();
  await page.getByRole("heading", { name: t("error-summary") }).waitFor();
  await seen("list-wrong");
  await page.getByRole("link", { name: t("filter-clear") }).click();
  await rows(page, 5);

  for (const [name, path] of [["open", open], ["asked", asked]]) {
    await page.goto(`${address}${path}`);
    await seen(name);
  }
  // An answer is new until it has been read, by whichever browser comes first.
  const first = language === "sv" && !script;
  await page.goto(`${address}/mina-arenden`);
  assert.equal(await page.getByText(t("list-new"), { exact: true }).count(), first ? 1 : 0);
  await page.goto(`${address}${closed}`);
  await seen("closed");
  if (await opinion.isVisible() !== first) fail(`the opinion in ${language}`);
  if (first) {
    await opinion.click();
    await page.getByRole("heading", { name: t("error-summary") }).waitFor();
    await page.getByLabel(t("helped-partly")).check();
    await page.getByLabel(t("opinion-text")).fill("Det gick fort.");
    await opinion.click();
  }
  await page.getByText(t("opinion-given", { helped: t("helped-partly") }).split(". ")[0]).waitFor();
  await page.getByRole("link", { name: t("case-closed-new") }).click();
  assert.match(await page.getByLabel(t("create-follows-label")).inputValue(), /^2026-\d{6}-\d$/);
  await page.goBack();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: t("case-everything") }).click()]);
  assert.match(download.suggestedFilename(), /^2026-\d{6}-\d\.zip$/);
  assert.equal((await readFile(await download.path())).subarray(0, 2).toString(), "PK");
  await page.context().close();
}

// What a search has found is said before the fields, and the list is a step away.
async function onAPhone() {
  const size = { width: 320, height: 568 };
  const page = await logIn({ viewport: size, javaScriptEnabled: false });
  const isSeen = async (part) => {
    const { y, height } = await part.boundingBox();
    assert.ok(y >= 0 && y + height <= size.height, `from ${y}, ${height} high`);
  };
  await page.getByLabel("Status", { exact: true }).selectOption("Avslutat");
  await page.getByRole("button", { name: "Visa ärenden" }).click();
  const found = page.getByRole("status").getByText("1–1 av 1 ärenden");
  await found.waitFor();
  await isSeen(found);
  await page.getByRole("link", { name: "Till listan" }).click();
  await isSeen(page.getByRole("rowheader").first());
  await page.context().close();
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

async function logIn(options = {}, language = "sv") {
  const t = words(language);
  const page = await openIn(browser, /Failed to load resource: the server responded with a status of 422/, options);
  await page.context().addCookies([{ name: "kundwebb_language", value: language, url: address }]);
  await page.goto(`${address}/mina-arenden`);
  await page.locator("[name=employer][value=\"4021000007\"]").check();
  await page.getByRole("button", { name: t("employer-go") }).click();
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  await page.getByRole("heading", { level: 1, name: t("list-title") }).waitFor();
  return page;
}

async function see(page, name) {
  await look(page);
  await picture(page, name);
}
