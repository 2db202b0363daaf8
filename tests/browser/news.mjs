// The service status is written and met where it matters; what is typed is kept by itself; what one chooses for oneself:
// in both languages, with JavaScript and without it. Every page on the way is looked at by axe, wide and narrow.
//
// node news.mjs <address of a demo>
import assert from "node:assert/strict";
import { look, picture } from "./look.mjs";
import { launch, openIn } from "./window.mjs";
import { words } from "./words.mjs";

const address = process.argv[2];
const TITLES = { sv: "Primula går inte att nå", en: "Primula cannot be reached" };
const EVERY_WAY = ["sv", "en"].flatMap((language) => [true, false].map((script) => ({ language, script })));

const browser = await launch();
try {
  await isWritten({ language: "sv", script: false });
  await isWritten({ language: "en", script: true });
  await Promise.all([statusIsMet(), whatIsTypedIsKept(), whoIsBackAtOnceFindsIt(), settingsAreChosen()]);
  await whoTypesWhileThePageLoads();
} finally {
  await browser.close();
  process.stdin.destroy();
}

// Refused first, then published, changed and resolved.
async function isWritten(way) {
  const t = words(way.language);
  const page = await logIn(await open(way), "/driftstatus", "Dan Driftberg");
  await page.getByRole("link", { name: t("status-new") }).click();
  await page.getByRole("button", { name: t("status-publish") }).click();
  await page.locator(".kw-summary").getByText(t("error-title-missing")).first().waitFor();
  await page.getByLabel(t("status-system")).selectOption("primula");
  for (const [place, title, body] of [[0, TITLES.sv, "Ingen kan logga in."], [1, TITLES.en, "Nobody can log in."]]) {
    await page.getByLabel(t("status-title")).nth(place).fill(title);
    await page.getByLabel(t("status-affected")).nth(place).fill(body);
    await page.getByLabel(t("status-advice-optional")).nth(place).fill("Vänta.");
  }
  await page.getByRole("button", { name: t("status-publish") }).click();
  await page.getByRole("heading", { name: TITLES[way.language], level: 1 }).waitFor();
  if (way.script) await look(page);
  await page.getByRole("link", { name: t("status-edit") }).click();
  if (way.script) await look(page);
  await page.getByLabel(t("status-affected")).first().fill("Bara några kan logga in.");
  await page.getByRole("button", { name: t("status-publish") }).click();
  await page.getByRole("heading", { name: TITLES[way.language], level: 1 }).waitFor();
  if (way.script) {
    // One of the two is over; the other is met in the form.
    await page.getByRole("button", { name: t("status-resolve") }).click();
    await page.getByText(t("status-over")).first().waitFor();
    await page.goto(`${address}/driftstatus`);
    await look(page);
  }
  await page.context().close();
}

// The trouble of a system stands in the form when that system is chosen, and not before.
async function statusIsMet() {
  // Each somebody else, who has no draft from before.
  const persons = ["Anna Exempelsson", "Bertil Exempel", "Karin Sagolund", "Lars Sagström"];
  for (const [place, way] of EVERY_WAY.entries()) {
    const t = words(way.language);
    const page = await logIn(await open(way), "/skapa-arende", persons[place]);
    const trouble = page.locator(".kw-system-trouble", { hasText: TITLES[way.language] }).first();
    assert.equal(await trouble.isVisible(), false);
    await page.getByLabel(t("area-it-tjanstestod"), { exact: true }).check();
    assert.equal(await trouble.isVisible(), false);
    await page.getByLabel(t("create-system-label")).selectOption("primula");
    await trouble.waitFor();
    if (way.script) {
      await look(page);
      if (way.language === "sv") await picture(page, "create-trouble");
    }
    await page.getByLabel(t("create-system-label")).selectOption("agresso");
    assert.equal(await trouble.isVisible(), false);
    await page.context().close();
  }
}

// Who comes back finds what was typed, without being asked where a script runs; what was sent is no draft.
async function whatIsTypedIsKept() {
  for (const [place, way] of EVERY_WAY.entries()) {
    const t = words(way.language);
    const subject = `Omföring ${place}`;
    const page = await logIn(await open(way), "/skapa-arende", "Cecilia Provberg");
    await page.getByLabel(t("area-ekonomi"), { exact: true }).check();
    await page.getByLabel(t("create-subject-label")).fill(subject);
    if (way.script) {
      await page.locator("[data-autosave-status]").getByText(t("draft-saved").split(" ").slice(0, 3).join(" ")).waitFor();
      await page.getByRole("button", { name: t("create-discard") }).waitFor();
    } else {
      await page.getByRole("button", { name: t("create-draft") }).click();
      await page.locator("[data-draft-saved]").waitFor();
    }
    await page.getByLabel(t("create-message-label")).fill("Kan ni flytta posten?");
    await page.goto(address);
    await page.goto(`${address}/skapa-arende`);
    // With a script, who leaves before the next pause loses nothing either.
    if (way.script) await written(page, "Kan ni flytta posten?");
    else await page.getByLabel(t("create-message-label")).fill("Kan ni flytta posten?");
    assert.equal(await page.getByLabel(t("create-subject-label")).inputValue(), subject);
    await page.getByRole("button", { name: t("create-submit") }).click();
    await page.getByRole("heading", { name: t("confirm-title") }).waitFor();
    await page.goto(`${address}/skapa-arende`);
    assert.equal(await page.getByLabel(t("create-subject-label")).inputValue(), "");
    // Thrown away, it does not come back.
    await page.getByLabel(t("create-subject-label")).fill("Ångrat");
    await page.getByRole("button", { name: t("create-draft") }).click();
    await page.locator("[data-draft-saved]").waitFor();
    await page.getByRole("button", { name: t("create-discard") }).click();
    await page.goto(`${address}/skapa-arende`);
    assert.equal(await page.getByLabel(t("create-subject-label")).inputValue(), "");
    await page.context().close();
  }
}

// Before the writer has paused, and before what is kept on leaving has come; and in two windows, of which neither writes over
// the other.
async function whoIsBackAtOnceFindsIt() {
  const page = await logIn(await open({ language: "sv", script: true }), "/skapa-arende", "David Provin");
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Meddelande").fill("Stycke ett.");
  await page.reload();
  await written(page, "Stycke ett.");
  await page.getByLabel("Meddelande").fill("Stycke ett. Stycke två.");
  await page.getByRole("link", { name: "In English" }).click();
  await page.getByRole("heading", { name: "Create a case" }).waitFor();
  await written(page, "Stycke ett. Stycke två.");
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await written(other, "Stycke ett. Stycke två.");
  await other.getByLabel("Message").fill("In the other window.");
  await other.locator("[data-autosave-status]").getByText("Your draft was saved").waitFor();
  await page.getByLabel("Message").fill("In the first window.");
  await page.locator("[data-autosave-status]").getByText("The same draft has been changed in another window.").waitFor();
  await other.close();
  const kept = [];
  for (const _ of [1, 2]) {
    await page.goto(`${address}/skapa-arende`);
    kept.push(await page.getByLabel("Message").inputValue());
    await Promise.all([page.waitForNavigation(), page.getByRole("button", { name: "Delete the draft" }).click()]);
  }
  assert.deepEqual(kept.sort(), ["In the first window.", "In the other window."]);
  await page.context().close();
}

// What is typed before everything on the page has come is kept as what is typed after it.
async function whoTypesWhileThePageLoads() {
  const page = await logIn(await open({ language: "sv", script: true }), "/skapa-arende", "David Provin");
  await page.addInitScript(() => {
    document.addEventListener("DOMContentLoaded", () => {
      const { href } = document.querySelector("link[rel=icon]");
      document.body.append(Object.assign(new Image(), { src: `${href}?comes-late` }));
    });
  });
  let comes;
  const late = new Promise((resolve) => { comes = resolve; });
  await page.route(/comes-late/, async (route) => {
    await late;
    await route.continue();
  });
  await page.goto(`${address}/skapa-arende`, { waitUntil: "domcontentloaded" });
  await page.getByLabel("Meddelande").fill("Medan sidan laddas.");
  assert.equal(await page.evaluate(() => document.readyState), "interactive");
  comes();
  await page.waitForLoadState("load");
  // Whoever looks into requests stops what a page sends when it is left.
  await page.unroute(/comes-late/);
  await page.goto(address);
  await page.goto(`${address}/skapa-arende`);
  await written(page, "Medan sidan laddas.");
  await page.context().close();
}

// Each from the other language to that of the way; a login brings back what was chosen before.
async function settingsAreChosen() {
  for (const way of EVERY_WAY) {
    const other = way.language === "sv" ? "en" : "sv";
    const [t, before] = [words(way.language), words(other)];
    const page = await logIn(await open(way), "/installningar", "Elin Påhittson");
    await page.goto(`${address}/sprak?kod=${other}&till=/installningar`);
    await page.getByLabel(before("settings-email")).fill("elin@");
    await page.getByRole("button", { name: before("settings-save") }).click();
    await page.locator(".kw-summary").waitFor();
    await page.getByLabel(before("settings-email")).fill("elin@example.com");
    await page.locator(`[name=language][value=${way.language}]`).check();
    await page.getByLabel("Primula").setChecked(way.script);
    await page.getByRole("button", { name: before("settings-save") }).click();
    await page.getByText(t("settings-kept")).waitFor();
    assert.equal(await page.getByLabel("Primula").isChecked(), way.script);
    assert.equal(await page.getByLabel(t("settings-email")).inputValue(), "elin@example.com");
    if (way.script) await look(page);
    await page.context().close();
  }
}

// What was kept on leaving may come after the page that it is shown on, which then loads itself once more.
function written(page, message) {
  return page.waitForFunction((message) => document.querySelector("[name=message]")?.value === message, message);
}

async function open({ language, script }) {
  const page = await openIn(browser, /Failed to load resource: the server responded with a status of 422/, { javaScriptEnabled: script });
  await page.context().addCookies([{ name: "kundwebb_language", value: language, url: address }]);
  return page;
}

// Past the choice of employer, which other journeys make.
async function logIn(page, path, person) {
  await page.goto(`${address}/logga-in?till=${path}`);
  await page.getByRole("button", { name: new RegExp(person) }).click();
  return page;
}
