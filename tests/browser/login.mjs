// The login in a real browser, at a certified provider: choose employer, log in there, come back, log out at both; another
// employer than the chosen one; a login that does not succeed. Each page of ours on the way is looked at by axe.
//
// node login.mjs <address of Kundwebb> <address of the provider>
import assert from "node:assert/strict";
import { fail, look, WIDE } from "./look.mjs";
import { launch } from "./window.mjs";

const [address, provider] = process.argv.slice(2);

const browser = await launch();
try {
  await inAndOut({ javaScriptEnabled: false }, async () => {});
  await inAndOut({}, look);
  await keepsWhatWasTyped({ javaScriptEnabled: false });
  await keepsWhatWasTyped({});
  await anotherEmployer();
  await noLogin();
} finally {
  await browser.close();
}

// The whole way; the plain link leads straight in afterwards, until one has logged out at the provider too.
async function inAndOut(options, seen) {
  const page = await open(options);
  await page.goto(`${address}/mina-arenden`);
  await page.getByText("Du loggar in med din arbetsgivares inloggning.").waitFor();
  await seen(page);
  await held(page, "/valj-arbetsgivare");
  await choose(page, "Exempelverket");
  await page.getByText("Du skickas vidare till din arbetsgivares inloggning.").waitFor();
  await seen(page);
  await page.getByRole("link", { name: "Fortsätt till inloggningen" }).click();
  await say(page, "anna");
  await page.getByText("Du har inga ärenden hos Exempelverket.").waitFor();
  assert.equal(page.url(), `${address}/mina-arenden`);
  await page.getByText("Anna Exempelsson").first().waitFor();
  const employer = (await page.context().cookies()).find(({ name }) => name === "kundwebb_employer");
  assert.equal(employer.value, "4021000007");
  const days = (employer.expires - Date.now() / 1000) / (24 * 60 * 60);
  assert.ok(days > 59.9 && days < 60.1, `${days} days`);

  await page.getByRole("link", { name: "Logga ut överallt" }).click();
  await page.getByText("Har du loggat in på en dator eller telefon").waitFor();
  await seen(page);
  await page.unroute(`${address}/valj-arbetsgivare`);
  await held(page, "/logga-ut");
  await page.getByRole("button", { name: "Logga ut i den här webbläsaren" }).click();
  await page.getByText("Du är utloggad ur Kundwebben.").waitFor();
  assert.equal(await page.getByText("Anna Exempelsson").count(), 0);
  await seen(page);
  await page.unroute(`${address}/logga-ut`);
  await page.goto(`${address}/skapa-arende`);
  await page.getByText("Ärendet skapas för").waitFor();
  assert.equal(page.url(), `${address}/skapa-arende`);

  // By itself: no link is needed, with or without the script.
  await page.getByRole("button", { name: "Logga ut", exact: true }).click();
  await page.getByRole("button", { name: /Yes, sign me out/ }).click();
  await page.waitForURL(`${address}/`);
  await page.goto(`${address}/mina-arenden`);
  await page.locator("input[name=login]").waitFor();
  assert.ok(page.url().startsWith(provider), page.url());
  await page.context().close();
}

// Somebody logs out everywhere from another browser while a form is filled in here: whoever sends it is led through the
// login and finds all that was typed.
async function keepsWhatWasTyped(options) {
  // The same words of the same person would be the same case.
  const subject = options?.javaScriptEnabled === false ? "Omföring utan skript" : "Omföring mellan projekt";
  const page = await open(options);
  await page.goto(`${address}/skapa-arende`);
  await choose(page, "Exempelverket");
  await say(page, "anna");
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill(subject);
  await page.getByLabel("Meddelande").fill("Kan ni flytta posten?");

  const other = await open();
  await other.goto(`${address}/mina-arenden`);
  await choose(other, "Exempelverket");
  await say(other, "anna");
  await other.getByRole("link", { name: "Logga ut överallt" }).click();
  await other.getByRole("button", { name: "Logga ut överallt" }).click();
  await other.getByRole("button", { name: /Yes, sign me out/ }).waitFor();
  await other.context().close();

  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByText("Ärendet skapas för").waitFor();
  assert.equal(page.url(), `${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), subject);
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Kan ni flytta posten?");
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  await page.context().close();
}

async function anotherEmployer() {
  const page = await open();
  await page.goto(`${address}/mina-arenden`);
  await choose(page, "Exempelverket");
  await say(page, "eva");
  await page.getByText("Du är inloggad hos Provmyndigheten men valde Exempelverket.").waitFor();
  await look(page);
  await page.getByRole("main").getByRole("link", { name: "Byt arbetsgivare" }).click();
  await choose(page, "Provmyndigheten");
  await page.getByText("Du har inga ärenden hos Provmyndigheten.").waitFor();
  await page.context().close();
}

async function noLogin() {
  const page = await open();
  await page.goto(`${address}/logga-in/svar?state=foreign&code=foreign`);
  await page.getByText("välj knappval 3, IT-tjänstestöd").waitFor();
  assert.match(await page.title(), /^Fel: Det gick inte att logga in/);
  await look(page);
  await page.getByRole("link", { name: "In English" }).click();
  await page.getByText("choose option 3, IT service support").waitFor();
  await look(page);
  await page.context().close();
}

// A page that leads on by itself stays, so that it can be looked at.
async function held(page, path) {
  await page.route(address + path, async (route) => {
    const response = await route.fetch({ maxRedirects: 0 });
    const { refresh, ...headers } = response.headers();
    await route.fulfill({ response, headers });
  });
}

async function choose(page, employer) {
  await page.getByLabel(employer, { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
}

async function say(page, person) {
  await page.locator("input[name=login]").fill(person);
  assert.ok(page.url().startsWith(provider), page.url());
  await page.locator("input[name=password]").fill("any");
  await page.locator("button[type=submit]").click();
}

async function open(options = {}) {
  const context = await browser.newContext({ viewport: WIDE, locale: "sv-SE", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.on("console", (message) => {
    const ours = page.url().startsWith(address);
    const expected = /Failed to load resource: the server responded with a status of 403/;
    if (ours && message.type() === "error" && !expected.test(message.text())) fail(`${page.url()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => fail(`${page.url()}: ${error.stack}`));
  return page;
}
