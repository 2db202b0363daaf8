// The service status is written and met where it matters; what is typed is kept by itself; what one chooses for oneself.
// Every page on the way is looked at by axe, wide and narrow.
//
// node news.mjs <address of a demo> [<folder for pictures>]
import assert from "node:assert/strict";
import { look, WIDE } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const [address, pictures] = process.argv.slice(2);
const browser = await launch();
try {
  await isWritten();
  await isMetInTheForm();
  await isKeptByItself();
  await isChosen();
  for (const path of ["/personuppgifter", "/kakor"]) await seen(await open(), path);
} finally {
  await browser.close();
  process.stdin.destroy();
}

// By forms alone, as somebody whose browser runs no script.
async function isWritten() {
  const page = await logIn(await open({ javaScriptEnabled: false }), "/driftstatus", /Dan Driftberg/);
  await page.getByRole("link", { name: "Skriv om en störning eller ett underhåll" }).click();
  await page.getByRole("button", { name: "Publicera" }).click();
  await page.locator(".kw-summary").getByText("Skriv en rubrik.").first().waitFor();
  await page.getByLabel("System").selectOption("primula");
  for (const [place, title, body] of [[0, "Primula går inte att nå", "Ingen kan logga in."], [1, "Primula cannot be reached", "Nobody can log in."]]) {
    await page.getByLabel("Rubrik").nth(place).fill(title);
    await page.getByLabel("Vad som påverkas").nth(place).fill(body);
    await page.getByLabel("Vad man kan göra (frivilligt)").nth(place).fill("Vänta.");
  }
  await page.getByRole("button", { name: "Publicera" }).click();
  await page.getByRole("heading", { name: "Primula går inte att nå", level: 1 }).waitFor();
  const script = await logIn(await open(), new URL(page.url()).pathname, /Dan Driftberg/);
  await looked(script, "notice");
  await script.getByRole("link", { name: "Ändra meddelandet" }).click();
  await looked(script, "notice-edit");
  await seen(script, "/driftstatus");
  await script.context().close();
  await page.context().close();
}

// The trouble of a system stands in the form when that system is chosen, and not before.
async function isMetInTheForm() {
  for (const javaScriptEnabled of [true, false]) {
    const page = await asEmployee(await open({ javaScriptEnabled }), "/skapa-arende");
    const trouble = page.locator(".kw-system-trouble", { hasText: "Primula går inte att nå" }).first();
    assert.equal(await trouble.isVisible(), false);
    await page.getByLabel("IT-tjänstestöd", { exact: true }).check();
    assert.equal(await trouble.isVisible(), false);
    await page.getByLabel("Vilket system gäller ärendet?").selectOption("primula");
    await trouble.waitFor();
    if (javaScriptEnabled) await looked(page, "trouble");
    await page.getByLabel("Vilket system gäller ärendet?").selectOption("agresso");
    assert.equal(await trouble.isVisible(), false);
    await page.context().close();
  }
}

// Nobody asks for it: who comes back finds what was typed, and what was sent is no draft.
async function isKeptByItself() {
  const page = await asEmployee(await open(), "/skapa-arende");
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Omföring");
  await page.locator("[data-autosave-status]").getByText("Utkastet är sparat").waitFor();
  await page.getByRole("button", { name: "Ta bort utkastet" }).waitFor();
  await page.getByLabel("Meddelande").fill("Kan ni flytta posten?");
  // Who leaves before the next pause loses nothing either.
  await page.goto(address);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Omföring");
  await page.getByLabel("Meddelande").fill("Kan ni flytta posten?");
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await page.context().close();
}

async function isChosen() {
  const page = await asEmployee(await open(), "/installningar");
  await looked(page, "settings");
  await page.getByLabel("English").check();
  await page.getByLabel("Primula").check();
  await page.getByRole("button", { name: "Spara inställningar" }).click();
  await page.getByText("Your settings are saved.").waitFor();
  assert.equal(await page.getByLabel("Primula").isChecked(), true);
  await looked(page, "settings-kept");
  await page.context().close();
}

function open(options = {}) {
  return openIn(browser, /Failed to load resource: the server responded with a status of 422/, options);
}

async function logIn(page, path, person) {
  await page.goto(`${address}/logga-in?till=${path}`);
  await page.getByRole("button", { name: person }).click();
  return page;
}

async function asEmployee(page, path) {
  await page.goto(address + path);
  const choice = page.getByLabel("Exempelverket", { exact: true });
  if (await choice.isVisible()) {
    await choice.check();
    await page.getByRole("button", { name: "Fortsätt" }).click();
  }
  await page.getByRole("button", { name: /Bertil Exempel/ }).click();
  await page.goto(address + path);
  return page;
}

async function seen(page, path) {
  await page.goto(address + path);
  await looked(page, path.slice(1));
}

async function looked(page, name) {
  await look(page);
  if (!pictures) return;
  for (const width of [1280, 320]) {
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: `${pictures}/${name}-${width}.png`, fullPage: true });
  }
  await page.setViewportSize(WIDE);
}
