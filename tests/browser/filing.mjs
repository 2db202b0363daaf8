// A form on a line that breaks when it is told to: what the journeys of the form have in common.
import assert from "node:assert/strict";
import { Line } from "./line.mjs";
import { launch, openIn } from "./window.mjs";

export const line = new Line(process.argv[2]);
export const address = await line.open();
export const browser = await launch();
// How one comes back to the form.
export const WAYS = { Bakåt: (page) => page.goBack(), länk: (page) => page.goto(`${address}/skapa-arende`) };

export async function end() {
  await browser.close();
  line.close();
}

// The page is still there after it has asked for something else, and so has not sent its form.
export async function nothingSent(page) {
  assert.equal(await page.evaluate(async () => (await fetch("/support")).status), 200);
}

export async function discard(page) {
  await page.getByRole("button", { name: "Ta bort utkastet" }).click();
  await page.getByText("Utkastet är borttaget").waitFor();
}

export function kept(page) {
  return page.locator("[data-autosave-status]").getByText("Utkastet är sparat").waitFor();
}

// Types and pauses; what is kept then is held.
export async function pauseHeld(page, text) {
  const pause = line.held("POST /skapa-arende");
  const begun = page.waitForRequest((request) => request.method() === "POST" && !request.isNavigationRequest());
  await page.getByLabel("Meddelande").fill(text);
  await begun;
  return pause;
}

export async function filledIn(page, person, subject) {
  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("Exempelverket", { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("button", { name: new RegExp(person) }).click();
  await fillIn(page, subject);
  return page;
}

export async function fillIn(page, subject) {
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill(subject);
  await page.getByLabel("Meddelande").fill("Kan ni hjälpa mig?");
}

export async function attached(page, name) {
  await page.locator("input[type=file]").setInputFiles(file(name));
  await page.locator(".kw-file", { hasText: name }).getByText("Bifogad").waitFor();
}

export function send(page) {
  return page.getByRole("button", { name: "Skicka ärende" }).click();
}

// Sends, and waits until the line has broken.
export async function failed(page) {
  await Promise.all([page.waitForEvent("requestfailed", (request) => request.isNavigationRequest()), send(page)]);
  // The page of the browser itself has come when its address has.
  await page.waitForURL(/^chrome-error:/);
}

export async function receipt(page, files) {
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  for (const name of files) await page.getByText(name).first().waitFor();
}

// One case of that subject, and nothing left in the form.
export async function there(page, subject) {
  await page.goto(`${address}/mina-arenden?q=${encodeURIComponent(subject)}`);
  assert.equal(await page.getByRole("link", { name: new RegExp(`^${subject}`) }).count(), 1);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await page.context().close();
}

export function file(name, size = 100) {
  return { name, mimeType: "application/pdf", buffer: Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(size, " "), Buffer.from("\n%%EOF\n")]) };
}

export function open(options = {}) {
  return openIn(browser, /Failed to load resource: (the server responded with a status of (409|422)|net::ERR_)/, options);
}
