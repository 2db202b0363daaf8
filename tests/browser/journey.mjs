// The main job in a real browser, without JavaScript and with it: choose employer, log in, file a case with a file, find
// it, have it answered, read the answer. On the way what one meets is looked at by axe, wide and narrow; `every.mjs` looks at
// what anybody meets.
//
// node journey.mjs <address of a demo>      Who runs it moves the clock when a line »pass <minutes>« is printed, and says
//                                           so with a line of its own.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { look } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const address = process.argv[2];
const PDF = Buffer.from("%PDF-1.7\n% an invented document\n%%EOF\n");
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

const browser = await launch();
try {
  await withoutScript();
  await withScript();
  await keepsWhatWasTyped();
  await inEnglish();
  await filesThatCannotBeRead();
  await aFileThatDoesNotComeStopsTheSending();
} finally {
  await browser.close();
  process.stdin.destroy();
}

// One case from the first page to the answer, by forms alone and with the Enter key where a form is sent.
async function withoutScript() {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${address}/skapa-arende`);
  await logIn(page, "Exempelverket", "Anna Exempelsson");
  assert.equal(new URL(page.url()).pathname, "/skapa-arende");
  await page.getByLabel("Ämne").press("Enter");
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  assert.match(await page.title(), /^Fel: Skapa ärende/);

  assert.equal(await page.getByText("Vad vill du göra?").isVisible(), false);
  await page.getByLabel("Lön", { exact: true }).check();
  await page.getByLabel("Skicka in ett beslut eller underlag").check();
  await page.getByLabel("Ämne").fill("Beslut om tjänstledighet");
  await page.getByLabel("Meddelande").fill("Hej!\n\nHär kommer beslutet.");
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.locator(".kw-summary").getByText("Bifoga minst en fil.").waitFor();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Beslut om tjänstledighet");
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Hej!\n\nHär kommer beslutet.");

  await page.locator("input[type=file]").setInputFiles(file("beslut.pdf"));
  await page.getByRole("button", { name: "Ladda upp valda filer" }).click();
  await attached(page, "beslut.pdf");
  await page.locator("input[type=file]").setInputFiles([file("extra.pdf"), file("program.exe", "MZ")]);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.locator(".kw-summary").getByText("program.exe kan inte bifogas.").waitFor();
  await attached(page, "beslut.pdf");
  await page.getByRole("button", { name: "Ta bort extra.pdf" }).click();
  assert.equal(await page.getByText("extra.pdf").count(), 0);
  await page.getByRole("button", { name: "Skicka ärende" }).click();

  const number = await receipt(page);
  await page.getByRole("link", { name: "Gå till Mina ärenden" }).click();
  await page.getByRole("link", { name: number }).click();
  await page.getByText("Du ser svaret här när ärendet är avslutat.").waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "beslut.pdf" }).click(),
  ]);
  assert.equal(download.suggestedFilename(), "beslut.pdf");
  await page.getByLabel("Meddelande").fill("Beslutet gäller från måndag.");
  await page.locator("input[type=file]").setInputFiles(file("mer.pdf"));
  await page.getByRole("button", { name: "Skicka meddelande" }).click();
  await page.getByRole("status").getByText("Meddelandet är skickat.").waitFor();
  await page.getByText("Beslutet gäller från måndag.").waitFor();

  const place = page.url().split("?")[0];
  await answered(place, "Tjänstledigheten är inlagd.\nDu ser den i Primula.");
  await page.goto(place);
  await page.locator(".kw-answer").getByText("Tjänstledigheten är inlagd.").waitFor();
  assert.equal(await page.locator(".kw-case-number .kw-status").textContent(), "Avslutat");
  await page.getByRole("link", { name: "Vem har läst mitt ärende" }).click();
  await page.getByRole("cell", { name: "Handläggare" }).first().waitFor();
  await page.getByRole("link", { name: "Till ärendet" }).click();
  await page.getByRole("link", { name: "Ny fråga om det här ärendet" }).click();
  assert.equal(await page.getByLabel("Tidigare ärende").inputValue(), number);
  await page.context().close();
}

// The same with what the script adds; what one meets on the way is looked at.
async function withScript() {
  const page = await open();
  await page.goto(`${address}/mina-arenden`);
  await look(page);
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await look(page);
  await logIn(page, "Exempelverket", "Bertil Exempel", look);
  await page.getByText("Du har inga ärenden hos Exempelverket.").waitFor();
  await look(page);
  await page.goto(`${address}/tjanster`);
  await look(page);

  await page.getByRole("link", { name: "Skapa ärende" }).first().click();
  await look(page);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className.includes("kw-summary")), true);
  await look(page);
  await page.getByRole("link", { name: "Skriv ett ämne." }).click();
  assert.equal(await page.evaluate(() => document.activeElement.name), "subject");

  await page.getByLabel("IT-tjänstestöd", { exact: true }).check();
  await page.getByLabel("Vilket system gäller ärendet?").selectOption("primula");
  await page.getByLabel("Ämne").fill("Kan inte logga in");
  await page.getByLabel("Meddelande").fill("Sidan visar ett fel.");
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    page.getByRole("button", { name: "Välj filer" }).click(),
  ]);
  await chooser.setFiles([file("skärmbild.pdf"), file("program.exe", "MZ")]);
  await attached(page, "skärmbild.pdf");
  await page.locator("[data-file-error]").getByText("program.exe kan inte bifogas.").waitFor();
  assert.match(await page.locator("[data-file-status]").textContent(), /Bifogad|kan inte bifogas/);
  await dropped(page, "indragen.pdf");
  await attached(page, "indragen.pdf");
  await page.getByRole("button", { name: "Ta bort indragen.pdf" }).click();
  assert.equal(await page.getByText("indragen.pdf", { exact: true }).count(), 0);
  await look(page);

  await page.getByRole("button", { name: "Skicka ärende" }).dblclick();
  const number = await receipt(page);
  await look(page);
  await page.goto(`${address}/mina-arenden`);
  assert.equal(await page.locator("tbody tr").count(), 1);
  await look(page);
  await page.getByRole("link", { name: number }).click();
  await look(page);
  await page.getByRole("button", { name: "Skicka meddelande" }).click();
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  await look(page);
  const place = page.url().replace("/meddelande", "");
  await answered(place, "Prova igen nu.");
  await page.goto(place);
  await page.getByText("Prova igen nu.").waitFor();
  await look(page);
  await page.getByRole("link", { name: "Vem har läst mitt ärende" }).click();
  await page.getByRole("cell", { name: "Öppnade ärendet" }).first().waitFor();
  await look(page);
  await audited(number);
  await page.goto(`${address}/mina-arenden?q=finnsinte`);
  await look(page);
  await page.context().close();
}

// A double click without the script, and a session that ends while somebody writes.
async function keepsWhatWasTyped() {
  const page = await open({ javaScriptEnabled: false });
  await page.goto(`${address}/skapa-arende`);
  await logIn(page, "Provmyndigheten", "Cecilia Provberg");
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Omföring mellan projekt");
  await page.getByLabel("Meddelande").fill("Kan ni flytta posten?");
  await page.locator("input[type=file]").setInputFiles(file("underlag.pdf"));
  await page.getByRole("button", { name: "Skicka ärende" }).dblclick();
  await receipt(page);
  await page.reload();
  await page.goBack();
  // The browser shows what was typed; sent once more unawares, it is no other case.
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Omföring mellan projekt");
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.locator(".kw-summary").getByText("Ärendet är redan skickat.").waitFor();
  await page.goto(`${address}/mina-arenden`);
  assert.equal(await page.locator("tbody tr").count(), 1);

  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("E-handel", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Leverantör saknas");
  await page.getByLabel("Meddelande").fill("Den finns inte i listan.");
  await page.locator("input[type=file]").setInputFiles(file("leverantör.pdf"));
  await pass(9 * 60);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await page.getByText("Det du skrev finns kvar.").waitFor();
  await page.getByRole("button", { name: /Cecilia Provberg/ }).click();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Leverantör saknas");
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Den finns inte i listan.");
  assert.equal(await page.getByLabel("E-handel", { exact: true }).isChecked(), true);
  await attached(page, "leverantör.pdf");
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await receipt(page);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await page.context().close();
}

async function inEnglish() {
  const page = await open();
  await page.goto(address);
  await page.getByRole("link", { name: "In English" }).click();
  for (const path of ["/", "/support", "/tjanster", "/driftstatus", "/tillganglighet", "/valj-arbetsgivare"]) {
    await page.goto(address + path);
    assert.equal(await page.locator("html").getAttribute("lang"), "en");
  }
  await page.context().close();
}

function open(options = {}) {
  return openIn(browser, /Failed to load resource: (the server responded with a status of 4(04|22)|net::ERR_(FILE_NOT_FOUND|UPLOAD_FILE_CHANGED))/, options);
}

async function logIn(page, employer, person, seen = async () => {}) {
  await page.getByLabel(employer, { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("heading", { name: "Logga in" }).waitFor();
  await seen(page);
  await page.getByRole("button", { name: new RegExp(person) }).click();
}

// An officer takes the case and closes it with an answer.
async function answered(place, answer) {
  const page = await open();
  await page.goto(`${address}/logga-in?till=${new URL(place).pathname}`);
  await page.getByRole("button", { name: /Olle Handlund/ }).click();
  await look(page);
  await page.getByRole("button", { name: "Börja handlägga" }).click();
  await page.getByLabel("Svar", { exact: true }).fill(answer);
  await page.getByRole("button", { name: "Svara och avsluta" }).click();
  await page.getByText(answer.split("\n")[0]).first().waitFor();
  await look(page);
  await page.context().close();
}

// An auditor asks who has read the case, and says why.
async function audited(number) {
  const page = await open();
  await page.goto(`${address}/logga-in?till=/revision/lasningar`);
  await page.getByRole("button", { name: /Tora Revisén/ }).click();
  await look(page);
  await page.getByRole("button", { name: "Visa läsningarna" }).click();
  await page.getByRole("heading", { name: "Det finns ett problem" }).waitFor();
  await look(page);
  await page.getByLabel("Ärende").fill(number);
  await page.getByLabel("Varför behöver du läsa läsloggen?").fill("Tillsyn");
  await page.getByRole("button", { name: "Visa läsningarna" }).click();
  await page.getByText("Olle Handlund, Handläggare").first().waitFor();
  await look(page);
  await page.context().close();
}

async function receipt(page) {
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  const words = await page.getByText("Ditt ärendenummer är").textContent();
  return words.match(/\d{4}-\d{6,}-\d/)[0];
}

// A file that is removed, or changes, between being chosen and being sent is named; the others stay (file.unreadable).
async function filesThatCannotBeRead() {
  const page = await open();
  await page.goto(`${address}/skapa-arende`);
  await logIn(page, "Exempelverket", "Anna Exempelsson");
  const folder = await mkdtemp(join(tmpdir(), "kundwebb-"));
  const [stays, goes, changes] = ["stannar.pdf", "borta.pdf", "ändras.pdf"].map((name) => join(folder, name));
  for (const path of [stays, goes, changes]) await writeFile(path, PDF);
  // The files are chosen, but the page hears of it only when the disk has changed.
  await page.evaluate(() => addEventListener("change", (event) => event.stopImmediatePropagation(), { capture: true, once: true }));
  await page.locator("input[type=file]").setInputFiles([stays, goes, changes]);
  await rm(goes);
  await writeFile(changes, Buffer.concat([PDF, PDF]));
  await page.locator("input[type=file]").evaluate((input) => input.dispatchEvent(new Event("change", { bubbles: true })));
  for (const name of ["borta.pdf", "ändras.pdf"]) {
    await page.getByText(`${name} gick inte att läsa. Stäng filen om den är öppen i ett annat program`).first().waitFor();
  }
  await attached(page, "stannar.pdf");
  await rm(folder, { recursive: true });
  await page.context().close();
}

// Whoever sends while a file is under way that then does not come is told, and nothing is sent without it unawares.
async function aFileThatDoesNotComeStopsTheSending() {
  const page = await open();
  await page.goto(`${address}/skapa-arende`);
  await logIn(page, "Exempelverket", "Anna Exempelsson");
  await page.getByLabel("Ekonomi").check();
  await page.getByLabel("Ämne").fill("En fil som inte kommer fram");
  await page.getByLabel("Meddelande").fill("Se filen.");
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route("**/skapa-arende/filer", async (route) => { await held; await route.continue(); });
  await page.locator("input[type=file]").setInputFiles([file("viktig.exe", "MZ")]);
  await page.getByRole("button", { name: "Skicka ärende" }).dblclick();
  release();
  await page.getByText("Inte skickat: en fil kom inte med.").last().waitFor();
  await page.getByText(/viktig\.exe kan inte bifogas/).first().waitFor();
  assert.match(page.url(), /skapa-arende$/);
  await page.unroute("**/skapa-arende/filer");
  await page.locator("input[type=file]").setInputFiles([file("viktig.pdf")]);
  await page.getByRole("button", { name: "Skicka ärende" }).click();
  await receipt(page);
  await page.getByText("viktig.pdf").waitFor();
  await page.context().close();
}

// The green dot and the word (K9).
async function attached(page, name) {
  const row = page.locator(".kw-file", { hasText: name });
  await row.getByText("Bifogad").waitFor();
  assert.equal(await row.locator(".kw-dot").count(), 1);
}

async function dropped(page, name) {
  const data = await page.evaluateHandle(([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name, { type: "application/pdf" }));
    return data;
  }, [name, PDF.toString()]);
  await page.dispatchEvent("[data-drop]", "drop", { dataTransfer: data });
}

function file(name, content = PDF) {
  return { name, mimeType: "application/octet-stream", buffer: Buffer.from(content) };
}

// Whoever runs this moves the clock.
async function pass(minutes) {
  console.log(`pass ${minutes}`);
  await told.next();
}
