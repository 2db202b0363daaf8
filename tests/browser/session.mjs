// A login that nears its end, in a real browser whose clock is moved together with that of the server: the warning, going
// on, what other windows learn of it, both ends, and what happens to what is typed. The warning is looked at by axe.
//
// node session.mjs <address of a demo>
//
// A login lasts five minutes without use there, and an hour at most. Who runs it moves the clock when a line »pass
// <minutes>« is printed, and says so with a line of its own.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { tabTo } from "./focus.mjs";
import { fail, look, picture, WIDE } from "./look.mjs";
import { launch } from "./window.mjs";

const address = process.argv[2];
// A little longer than a writer pauses before the page keeps a draft, milliseconds.
const PAUSE = 3_500;
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await launch();
try {
  await goesOn();
  await otherWindowsLearnOfIt();
  await whoWritesIsHere();
  await isOverAndLosesNothing();
  await comesToTheLatestEnd();
  await withoutScript();
} finally {
  await browser.close();
  process.stdin.destroy();
}

async function goesOn() {
  const page = await logIn(await open());
  const subject = page.getByLabel("Ämne");
  await subject.fill("Omföring");
  await pass(page, 2);
  assert.equal(await warning(page).isVisible(), false);
  await pass(page, 1);
  await page.getByRole("alertdialog", { name: "Du loggas ut om 2 minuter. Det du har skrivit finns kvar." }).waitFor();
  assert.equal(await hasFocus(page), true);
  await look(page);
  await picture(page, "session-idle", { fullPage: false });
  // The count goes by the minute.
  await pass(page, 1);
  await page.getByRole("alertdialog", { name: "Du loggas ut om 1 minut." }).waitFor();
  assert.equal(await page.locator("[data-session-told]").textContent(), "Du loggas ut om 1 minut. Det du har skrivit finns kvar.");
  // It covers nothing that one comes to by keyboard, from the end of the page to its beginning.
  await tabTo(page, page.locator(".ds-skip-link"), "Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  await tabTo(page, page.locator("[data-stay]"), "Shift+Tab");
  await page.keyboard.press("Enter");
  await warning(page).waitFor({ state: "hidden" });
  assert.equal(await page.locator("[data-session-told]").textContent(), "Du är fortfarande inloggad.");
  assert.equal(await page.evaluate(() => document.activeElement.name), "subject");
  // It holds: by its first time it would be over.
  await pass(page, 2);
  assert.equal(await page.evaluate(async () => (await (await fetch("/session")).json()).unused), 180);

  // Escape puts it away; the next minute does not bring it back, the end does.
  await pass(page, 1);
  await page.getByRole("alertdialog").waitFor();
  await page.keyboard.press("Escape");
  await warning(page).waitFor({ state: "hidden" });
  await pass(page, 1);
  assert.equal(await warning(page).isVisible(), false);
  await pass(page, 1);
  await warning(page).getByText("Tiden gick ut och du är utloggad.").waitFor();
  assert.equal(await subject.inputValue(), "Omföring");
  await page.context().close();
}

async function otherWindowsLearnOfIt() {
  const page = await logIn(await open());
  const other = await page.context().newPage();
  await other.goto(`${address}/mina-arenden`);
  await pass(page, 3);
  for (const window of [page, other]) await window.getByRole("alertdialog").waitFor();
  await other.getByRole("button", { name: "Fortsätt vara inloggad" }).click();
  for (const window of [page, other]) await warning(window).waitFor({ state: "hidden" });
  // A visit in one window is a use for all.
  await pass(page, 2);
  await other.goto(`${address}/mina-arenden`);
  await pass(page, 2);
  await warning(page).waitFor({ state: "hidden" });
  // At the end what is typed stays, and a page without it makes way.
  await page.getByLabel("Ämne").fill("Omföring");
  await pass(page, 6);
  await other.getByText("Tiden gick ut och du är utloggad.").waitFor();
  assert.equal(new URL(other.url()).pathname, "/logga-in");
  await warning(page).getByText("Tiden gick ut och du är utloggad.").waitFor();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Omföring");
  await page.context().close();
}

async function whoWritesIsHere() {
  const page = await logIn(await open());
  for (let minutes = 0; minutes < 8; minutes += 2) {
    await pass(page, 2);
    const kept = page.waitForResponse((response) => response.url().endsWith("/session") && response.request().method() === "POST");
    await page.getByLabel("Ämne").press("a");
    assert.equal((await kept).status(), 200);
    assert.equal(await warning(page).isVisible(), false);
  }
  await page.context().close();
}

async function isOverAndLosesNothing() {
  const page = await logIn(await open());
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Omföring mellan projekt");
  await page.getByLabel("Meddelande").fill("Kan ni flytta posten?");
  await pass(page, 6);
  await warning(page).getByText("Tiden gick ut och du är utloggad.").waitFor();
  await look(page);
  await picture(page, "session-over", { fullPage: false });
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByText("Tiden gick ut och du är utloggad. Det du skrev finns kvar.").waitFor();
  await look(page);
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Omföring mellan projekt");
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Kan ni flytta posten?");

  // Or in a new tab, and this one may go on.
  await pass(page, 6);
  await warning(page).getByText("Tiden gick ut").waitFor();
  const [tab] = await Promise.all([
    page.context().waitForEvent("page"),
    page.getByRole("link", { name: "Logga in i en ny flik" }).click(),
  ]);
  await tab.getByRole("button", { name: /Anna Exempelsson/ }).click();
  await tab.getByText("Ärendet skapas för").waitFor();
  await warning(page).waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  await page.context().close();
}

// What cannot be put off interrupts nobody: the focus stays.
async function comesToTheLatestEnd() {
  const page = await logIn(await open());
  await page.goto(`${address}/sprak?kod=en&till=/skapa-arende`);
  const message = page.getByLabel("Message");
  for (let minutes = 0; minutes < 56; minutes += 2) {
    await pass(page, 2);
    const kept = page.waitForResponse((response) => response.url().endsWith("/session") && response.request().method() === "POST");
    await message.press("a");
    await kept;
  }
  await pass(page, 2);
  await warning(page).getByText("In 2 minutes you need to log in again.").waitFor();
  assert.equal(await page.getByRole("alertdialog").count(), 0);
  assert.match(await page.locator("[data-session-told]").textContent(), /^In 2 minutes/);
  assert.equal(await page.evaluate(() => document.activeElement.name), "message");
  assert.equal(await page.getByRole("button", { name: "Stay logged in" }).isVisible(), false);
  await look(page);
  await picture(page, "session-latest", { fullPage: false });
  await page.getByRole("button", { name: "Close the message" }).click();
  await warning(page).waitFor({ state: "hidden" });
  await pass(page, 2);
  await warning(page).getByText("Your time ran out and you are logged out.").waitFor();
  await page.context().close();
}

// No script warns: the forms say until when, and what is sent later is kept.
async function withoutScript() {
  const page = await logIn(await open({ javaScriptEnabled: false }));
  await page.getByText(/Du är inloggad till kl. \d\d\.\d\d\. Skickar du senare får du logga in först\./).waitFor();
  assert.equal(await warning(page).isVisible(), false);
  await page.getByLabel("Ämne").fill("Omföring");
  console.log("pass 6");
  await told.next();
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByText("Tiden gick ut och du är utloggad. Det du skrev finns kvar.").waitFor();
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Omföring");
  await page.context().close();
}

function warning(page) {
  return page.locator("[data-session]");
}

function hasFocus(page) {
  return page.evaluate(() => document.activeElement.hasAttribute("data-session"));
}

// The server's clock first: what asks it when its own timer is due must be told the same.
async function pass(page, minutes) {
  // A draft of what was typed is kept at the next pause: it is due before the minutes are.
  const clock = page.context().clock;
  await clock.fastForward(PAUSE);
  await page.waitForLoadState("networkidle");
  console.log(`pass ${minutes}`);
  await told.next();
  await clock.fastForward(minutes * 60_000 - PAUSE);
  // What is asked then is answered.
  await page.waitForLoadState("networkidle");
}

async function open(options = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: "sv-SE", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  if (options.javaScriptEnabled !== false) await context.clock.install();
  page.on("console", (message) => {
    if (message.type() === "error") fail(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => fail(`${page.url()}: ${error.stack}`));
  return page;
}

async function logIn(page) {
  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("Exempelverket", { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("button", { name: /Anna Exempelsson/ }).click();
  await page.getByText("Ärendet skapas för").waitFor();
  return page;
}
