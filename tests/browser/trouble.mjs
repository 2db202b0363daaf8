// What goes wrong on the way, in a real browser: a slow network, an upload that is cut in the middle, an answer that is
// lost, a program that is killed and started again between two steps. Nothing that was typed or attached is lost, and each
// case is there once.
//
// node trouble.mjs <address of a demo>     When a line »restart« is printed, whoever runs it kills the program, starts it
//                                          again and says its new address.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { comes, Line } from "./line.mjs";
import { look, NARROW, picture } from "./look.mjs";
import { launch, openIn, shows } from "./window.mjs";

const line = new Line(process.argv[2]);
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const address = await line.open();
const WAYS = { Bakåt: (page) => page.goBack(), länk: (page) => page.goto(`${address}/skapa-arende`) };

const browser = await launch();
try {
  await onASlowLine();
  await cutInTheMiddle();
  await cutInTheMiddleWithoutScript();
  await withAnswersThatAreLost();
  await answerWithAFileIsLost();
  for (const [way, back] of Object.entries(WAYS)) {
    await sentInVain(way, back);
    await leftAndBackAtOnce(way, back);
  }
  await sentInVain("emellan", (page) => page.goto(`${address}/installningar?done=yes`).then(() => WAYS.länk(page)));
  await leftAndSentElsewhere();
  await leftAndGoneOnElsewhere();
  await leftInVain();
  await leftForAnotherForm();
  await keptInVain();
  await anotherPersonInTheSameTab({});
  await anotherPersonInTheSameTab({ javaScriptEnabled: false });
  await keptLate();
  await refusedAndLeft();
  await stoppedAndChanged();
  await stoppedAndSentAgain();
  await hiddenAndSent();
  await thrownAwayInsteadOfSent();
  await anotherDraftMeanwhile();
  await sameDraftMeanwhile();
  await typedWhileAFileIsUnderWay();
  await restartedBetweenTwoSteps({});
  await restartedBetweenTwoSteps({ javaScriptEnabled: false });
} finally {
  await browser.close();
  line.close();
  process.stdin.destroy();
}

// The whole file is on its way for some seconds; whoever sends meanwhile sends when it is there.
async function onASlowLine() {
  const page = await filledIn(await open(), "Bertil Exempel", "Långsamt");
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: 50_000, uploadThroughput: 50_000 });
  await page.locator("input[type=file]").setInputFiles(file("stor.pdf", 150_000));
  await page.waitForFunction(() => { const value = document.querySelector(".kw-file progress")?.value; return value > 0 && value < 100; });
  assert.match(await page.locator(".kw-file").textContent(), /Laddas upp, \d+ procent/);
  await picture(page, "trouble-slow");
  await send(page);
  await receipt(page, ["stor.pdf"]);
  await there(page, "Långsamt");
}

// The row says that the file did not come and has a button that sends it again; the text and the other file stay.
async function cutInTheMiddle() {
  const page = await filledIn(await open(), "Bertil Exempel", "Avbrutet");
  line.breaking = { request: "POST /skapa-arende/filer", after: 200_000 };
  // One name that breaks nowhere by itself.
  const long = `${"langt_namn_".repeat(8)}.pdf`;
  await page.locator("input[type=file]").setInputFiles([file("liten.pdf"), file(long, 1_000_000)]);
  const row = page.locator(".kw-file", { hasText: `${long} kunde inte laddas upp. Försök igen.` });
  await row.waitFor();
  await page.locator(".kw-file", { hasText: "liten.pdf" }).getByText("Bifogad").waitFor();
  await look(page, [NARROW]);
  await picture(page, "trouble-cut");
  // Nothing is sent without it unawares.
  await send(page);
  await page.getByText("Inte skickat: en fil kom inte med.").last().waitFor();
  line.breaking = null;
  await row.getByRole("button", { name: `Försök igen: ${long}` }).click();
  await page.locator(".kw-file", { hasText: long }).getByText("Bifogad").waitFor();
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Kan ni hjälpa mig?");
  await send(page);
  await receipt(page, ["liten.pdf", long]);
  await there(page, "Avbrutet");
}

// The browser shows a page of its own; back in the form is what was chosen and written.
async function cutInTheMiddleWithoutScript() {
  const page = await filledIn(await open({ javaScriptEnabled: false }), "Bertil Exempel", "Utan skript");
  await page.locator("input[type=file]").setInputFiles(file("stor.pdf", 1_000_000));
  line.breaking = { request: "POST /skapa-arende", after: 200_000 };
  await failed(page);
  line.breaking = null;
  await page.goBack();
  await shows(page, "message", "Kan ni hjälpa mig?");
  assert.equal(await page.getByLabel("Ekonomi", { exact: true }).isChecked(), true);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Utan skript");
  await page.locator("input[type=file]").setInputFiles(file("stor.pdf", 1_000_000));
  await send(page);
  await receipt(page, ["stor.pdf"]);
  await there(page, "Utan skript");
}

// It was received, but nobody was told: whoever sends it again is told of the same case.
async function withAnswersThatAreLost() {
  for (const javaScriptEnabled of [true, false]) {
    const subject = `Tappat svar ${javaScriptEnabled}`;
    const page = await filledIn(await open({ javaScriptEnabled }), "Bertil Exempel", subject);
    line.breaking = { request: "POST /skapa-arende", answer: true };
    await failed(page);
    line.breaking = null;
    await page.goBack();
    // What a script has kept as a draft is none any more; what the browser shows again is known to have been sent: with a
    // script by its key, so that one comes to its receipt.
    await shows(page, "subject", subject);
    await send(page);
    if (javaScriptEnabled) await receipt(page, []);
    else await page.locator(".kw-summary").getByText("Ärendet är redan skickat.").waitFor();
    await there(page, subject);
  }
}

// It is shown again with its file, is no draft, and leads to its receipt.
async function answerWithAFileIsLost() {
  const page = await filledIn(await open(), "Bertil Exempel", "Tappat svar med fil");
  await attached(page, "underlag.pdf");
  line.breaking = { request: "POST /skapa-arende", answer: true };
  await failed(page);
  line.breaking = null;
  const asked = page.waitForResponse((response) => response.request().method() === "POST");
  await page.goBack();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Tappat svar med fil");
  await asked;
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  assert.equal(await other.getByLabel("Ämne").inputValue(), "");
  await send(page);
  await receipt(page, ["underlag.pdf"]);
  await there(page, "Tappat svar med fil");
}

// What did not come is kept, once the writer is back in the form, whichever way.
async function sentInVain(way, back) {
  const page = await filledIn(await open(), "Bertil Exempel", `Förgäves: ${way}`);
  await attached(page, "underlag.pdf");
  await page.getByLabel("Meddelande").fill("Sista raden.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await failed(page);
  line.breaking = null;
  await back(page);
  await kept(page);
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Sista raden.");
  await send(page);
  await receipt(page, ["underlag.pdf"]);
  await there(page, `Förgäves: ${way}`);
}

// Back before what was kept on leaving has come: it is there with its files, whatever is typed next comes after it, and what
// comes late is not kept over that, nor once more when it was sent.
async function leftAndBackAtOnce(way, back) {
  for (const [files, more] of [[["underlag.pdf"], ""], [[], " Tre."]]) {
    const subject = `Genast åter: ${way} ${files.length}`;
    const page = await filledIn(await open(), "Bertil Exempel", subject);
    const message = page.getByLabel("Meddelande");
    await kept(page);
    for (const name of files) await attached(page, name);
    const left = line.held("POST /skapa-arende");
    await message.fill("Ett. Två.");
    await page.goto(`${address}/support`);
    await back(page);
    await kept(page);
    assert.equal(await message.inputValue(), "Ett. Två.");
    assert.equal(await page.locator(".kw-file").count(), files.length);
    if (more) {
      const again = page.waitForResponse((response) => response.request().method() === "POST");
      await message.pressSequentially(more);
      await again;
    }
    if (way === "länk") await comes(left);
    const other = await page.context().newPage();
    await other.goto(`${address}/skapa-arende`);
    assert.equal(await other.getByLabel("Meddelande").inputValue(), `Ett. Två.${more}`);
    assert.equal(await page.getByText("i ett annat fönster").count(), 0);
    await send(page);
    await receipt(page, files);
    if (way === "Bakåt") await comes(left);
    await there(page, subject);
  }
}

// What was left here and sent in another window is not met again.
async function leftAndSentElsewhere() {
  const page = await filledIn(await open(), "Bertil Exempel", "Skickat där");
  await kept(page);
  const left = line.held("POST /skapa-arende");
  await page.getByLabel("Meddelande").fill("Allt.");
  await page.goto(`${address}/support`);
  await comes(left);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await other.getByLabel("Meddelande").fill("Allt. Och mer.");
  await send(other);
  await receipt(other, []);
  const asked = page.waitForResponse((response) => response.request().method() === "POST");
  await page.goto(`${address}/skapa-arende`);
  await (await asked).finished();
  await nothingSent(page);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await there(page, "Skickat där");
}

// Back in a draft with which another window has gone on: what that has kept is there, and no second draft.
async function leftAndGoneOnElsewhere() {
  const page = await filledIn(await open(), "Bertil Exempel", "Här och där");
  await kept(page);
  const left = line.held("POST /skapa-arende");
  await page.getByLabel("Meddelande").fill("Här.");
  await page.goto(`${address}/support`);
  await comes(left);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await other.getByLabel("Meddelande").fill("Här. Och där.");
  await kept(other);
  await page.goBack();
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Här. Och där.");
  await send(page);
  await receipt(page, []);
  await there(page, "Här och där");
}

// What was kept on leaving never came: it is there, and is kept.
async function leftInVain() {
  const page = await filledIn(await open(), "Bertil Exempel", "Lämnat");
  const message = page.getByLabel("Meddelande");
  await kept(page);
  await message.fill("Bara här.");
  const left = page.waitForEvent("requestfailed", (request) => request.method() === "POST");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await page.goto(`${address}/support`);
  await left;
  line.breaking = null;
  await page.goBack();
  assert.equal(await message.inputValue(), "Bara här.");
  await kept(page);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  assert.equal(await other.getByLabel("Meddelande").inputValue(), "Bara här.");
  await send(page);
  await receipt(page, []);
  await there(page, "Lämnat");
}

// What was left in vain in one form stays where it is, whatever is left in others.
async function leftForAnotherForm() {
  const first = await filledIn(await open(), "Bertil Exempel", "Att följa upp");
  await send(first);
  await receipt(first, []);
  const number = (await first.locator(".kw-panel-number").textContent()).match(/\d{4}-\d{6}-\d/)[0];
  const cut = async (leave) => {
    const left = first.waitForEvent("requestfailed", (request) => request.method() === "POST");
    line.breaking = { request: "POST /skapa-arende", after: 200 };
    await leave();
    await left;
    line.breaking = null;
  };
  const message = first.getByLabel("Meddelande");
  await first.goto(`${address}/skapa-arende`);
  await message.fill("I det ena.");
  await cut(() => first.goto(`${address}/skapa-arende?foljer=${number}`));
  assert.equal(await message.inputValue(), "");
  assert.equal(await first.getByLabel("Tidigare ärende").inputValue(), number);
  await message.fill("I det andra.");
  await cut(() => first.goto(`${address}/support`));
  await first.goto(`${address}/skapa-arende?foljer=${number}`);
  await kept(first);
  assert.equal(await message.inputValue(), "I det andra.");
  assert.equal(await first.getByLabel("Tidigare ärende").inputValue(), number);
  await discard(first);
  await first.goto(`${address}/skapa-arende`);
  await shows(first, "message", "I det ena.");
  await discard(first);
  await first.context().close();
}

// What cannot be kept is said, and tried again by itself.
async function keptInVain() {
  const page = await filledIn(await open(), "Bertil Exempel", "Utan linje");
  await kept(page);
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await page.getByLabel("Meddelande").fill("Skrivet på tåget.");
  await page.locator("[data-autosave-status]").getByText("Det du skrev senast är inte sparat än.").waitFor();
  line.breaking = null;
  await kept(page);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  assert.equal(await other.getByLabel("Meddelande").inputValue(), "Skrivet på tåget.");
  await send(page);
  await receipt(page, []);
  await there(page, "Utan linje");
}

// Nothing of what somebody wrote is shown to who logs in next.
async function anotherPersonInTheSameTab(options) {
  const page = await filledIn(await open(options), "Bertil Exempel", "Mitt och ingen annans");
  const form = page.url();
  await page.getByRole("button", { name: "Logga ut" }).click();
  await page.goto(`${address}/logga-in`);
  await page.getByRole("button", { name: /Anna Exempel/ }).click();
  await page.getByRole("button", { name: "Logga ut" }).waitFor();
  do await page.goBack(); while (page.url() !== form);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "");
  assert.ok(!await page.evaluate(() => JSON.stringify(sessionStorage)).then((all) => all.includes("ingen annans")));
  await page.context().close();
}

// What a script keeps at a pause comes after what it keeps on leaving, and is not kept over that; nor is it a draft of what
// was sent or thrown away before it came.
async function keptLate() {
  const page = await filledIn(await open(), "Bertil Exempel", "Sent");
  const message = page.getByLabel("Meddelande");
  const left = await pauseHeld(page, "Ett.");
  await message.fill("Ett. Två.");
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "Ett. Två.");
  await comes(left);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await message.inputValue(), "Ett. Två.");

  const thrown = await pauseHeld(page, "Tre.");
  await page.getByRole("button", { name: "Ta bort utkastet" }).click();
  await nothingSent(page);
  await Promise.all([thrown.over, page.getByText("Utkastet är borttaget").waitFor(), thrown.release()]);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await message.inputValue(), "");

  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Sent");
  const gone = await pauseHeld(page, "Fyra.");
  await message.fill("Fyra. Fem.");
  await send(page);
  await nothingSent(page);
  await Promise.all([gone.over, receipt(page, []), gone.release()]);
  await there(page, "Sent");
}

// What is typed after an error is kept as it was before.
async function refusedAndLeft() {
  const page = await filledIn(await open(), "Bertil Exempel", "Rättat");
  await kept(page);
  await page.getByLabel("Ämne").fill("");
  await send(page);
  await page.locator(".kw-summary").waitFor();
  await page.getByLabel("Meddelande").fill("Efter felet.");
  await kept(page);
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Efter felet.");
  await page.getByLabel("Ämne").fill("Rättat");
  await send(page);
  await receipt(page, []);
  await there(page, "Rättat");
}

// Whoever stops what is being sent can go on typing, and send that.
async function stoppedAndChanged() {
  const page = await filledIn(await open(), "Bertil Exempel", "Stoppat");
  await kept(page);
  const drop = await stopped(page);
  const again = page.waitForResponse((response) => response.request().method() === "POST");
  await page.getByLabel("Meddelande").fill("Ändrat.");
  assert.match((await again).request().postData(), /Ändrat\./);
  await send(page);
  await receipt(page, []);
  drop();
  await there(page, "Stoppat");
}

// Whoever stops what is being sent can send it again, though nothing has changed.
async function stoppedAndSentAgain() {
  const page = await filledIn(await open(), "Bertil Exempel", "Stoppat igen");
  await kept(page);
  await page.clock.install();
  const drop = await stopped(page);
  await page.clock.fastForward(5000);
  await send(page);
  await receipt(page, []);
  drop();
  await there(page, "Stoppat igen");
}

// What is kept of a page that nobody sees comes before what is sent by whoever is back in it.
async function hiddenAndSent() {
  const page = await filledIn(await open(), "Bertil Exempel", "Bakom");
  await kept(page);
  await page.getByLabel("Meddelande").fill("Sist.");
  const hidden = line.held("POST /skapa-arende");
  const begun = page.waitForRequest((request) => request.method() === "POST");
  await page.evaluate(() => {
    Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "hidden" });
    document.dispatchEvent(new Event("visibilitychange"));
    delete document.visibilityState;
  });
  assert.match((await begun).postData(), /Sist\./);
  await page.getByLabel("Meddelande").fill("Sist. Och till sist.");
  await send(page);
  await nothingSent(page);
  await Promise.all([receipt(page, []), hidden.release()]);
  await there(page, "Bakom");
}

// Who presses another button while the first one waits wants what the other does.
async function thrownAwayInsteadOfSent() {
  const page = await filledIn(await open(), "Bertil Exempel", "Ångrat");
  await kept(page);
  const pause = await pauseHeld(page, "Nej.");
  await send(page);
  await page.getByRole("button", { name: "Ta bort utkastet" }).click();
  await nothingSent(page);
  await Promise.all([page.getByText("Utkastet är borttaget").waitFor(), pause.release()]);
  await page.goto(`${address}/mina-arenden?q=${encodeURIComponent("Ångrat")}`);
  await page.getByRole("heading", { name: "Mina ärenden" }).waitFor();
  assert.equal(await page.getByRole("link", { name: /^Ångrat/ }).count(), 0);
  await page.context().close();
}

// Back in the form that was sent in vain is what was written there, without the files of what another window has kept.
async function anotherDraftMeanwhile() {
  const page = await filledIn(await open(), "Bertil Exempel", "Mitt eget");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await failed(page);
  line.breaking = null;
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await other.getByLabel("Ekonomi", { exact: true }).check();
  await other.getByLabel("Ämne").fill("Ett annat");
  await other.getByLabel("Meddelande").fill("Med fil.");
  await attached(other, "annan.pdf");
  await kept(other);
  await page.goBack();
  await kept(page);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "Mitt eget");
  assert.equal(await page.locator(".kw-file").count(), 0);
  await send(page);
  await receipt(page, []);
  assert.equal(await page.getByText("annan.pdf").count(), 0);
  await send(other);
  await receipt(other, ["annan.pdf"]);
  await there(other, "Ett annat");
}

// Nor is it kept over what another window has kept of the same draft since.
async function sameDraftMeanwhile() {
  const page = await filledIn(await open(), "Bertil Exempel", "Mitt utkast");
  await kept(page);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await page.getByLabel("Meddelande").fill("Mitt.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await failed(page);
  line.breaking = null;
  const answered = other.waitForResponse((response) => response.request().method() === "POST");
  await other.getByLabel("Ämne").fill("Ditt utkast");
  await answered;
  await page.goBack();
  await page.getByText("i ett annat fönster").first().waitFor();
  await send(page);
  await receipt(page, []);
  await send(other);
  await receipt(other, []);
  await there(other, "Ditt utkast");
}

// What is kept meanwhile shows other buttons; whoever has pressed one before sends when the file is there.
async function typedWhileAFileIsUnderWay() {
  const page = await filledIn(await open(), "Bertil Exempel", "Under tiden");
  const upload = line.held("POST /skapa-arende/filer");
  await page.locator("input[type=file]").setInputFiles(file("underlag.pdf"));
  await send(page);
  const answered = page.waitForResponse((response) => response.url().endsWith("/skapa-arende") && response.request().method() === "POST");
  await page.getByLabel("Meddelande").fill("Kan ni hjälpa mig? Tack!");
  await answered;
  await page.getByRole("button", { name: "Ta bort utkastet" }).waitFor();
  upload.release();
  await receipt(page, ["underlag.pdf"]);
  await there(page, "Under tiden");
}

// Sends, and stops before it has come; it comes nowhere once it is dropped.
async function stopped(page) {
  let drop;
  line.breaking = { request: "POST /skapa-arende", until: new Promise((_, reject) => { drop = reject; }) };
  const begun = page.waitForRequest((request) => request.isNavigationRequest());
  await page.getByRole("button", { name: "Skicka ärende" }).click({ noWaitAfter: true });
  await begun;
  const browserItself = await page.context().newCDPSession(page);
  await browserItself.send("Page.stopLoading");
  return drop;
}

// The page is still there after it has asked for something else, and so has not sent its form.
async function nothingSent(page) {
  assert.equal(await page.evaluate(async () => (await fetch("/support")).status), 200);
}

async function discard(page) {
  await page.getByRole("button", { name: "Ta bort utkastet" }).click();
  await page.getByText("Utkastet är borttaget").waitFor();
}

function kept(page) {
  return page.locator("[data-autosave-status]").getByText("Utkastet är sparat").waitFor();
}

// Types and pauses; what is kept then is held.
async function pauseHeld(page, text) {
  const pause = line.held("POST /skapa-arende");
  const begun = page.waitForRequest((request) => request.method() === "POST" && !request.isNavigationRequest());
  await page.getByLabel("Meddelande").fill(text);
  await begun;
  return pause;
}

// Filled in, restarted, with a file, restarted, sent.
async function restartedBetweenTwoSteps(options) {
  const subject = options.javaScriptEnabled === false ? "Omstart utan skript" : "Omstart";
  const page = await filledIn(await open(options), "Bertil Exempel", subject);
  await restart();
  await page.locator("input[type=file]").setInputFiles(file("underlag.pdf"));
  if (options.javaScriptEnabled === false) await page.getByRole("button", { name: "Ladda upp valda filer" }).click();
  await page.locator(".kw-file", { hasText: "underlag.pdf" }).getByText("Bifogad").waitFor();
  await restart();
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Kan ni hjälpa mig?");
  await send(page);
  await receipt(page, ["underlag.pdf"]);
  await there(page, subject);
}

async function filledIn(page, person, subject) {
  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("Exempelverket", { exact: true }).check();
  await page.getByRole("button", { name: "Fortsätt" }).click();
  await page.getByRole("button", { name: new RegExp(person) }).click();
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill(subject);
  await page.getByLabel("Meddelande").fill("Kan ni hjälpa mig?");
  return page;
}

async function attached(page, name) {
  await page.locator("input[type=file]").setInputFiles(file(name));
  await page.locator(".kw-file", { hasText: name }).getByText("Bifogad").waitFor();
}

function send(page) {
  return page.getByRole("button", { name: "Skicka ärende" }).click();
}

// Sends, and waits until the line has broken.
async function failed(page) {
  await Promise.all([page.waitForEvent("requestfailed", (request) => request.isNavigationRequest()), send(page)]);
  // The page of the browser itself has come when its address has.
  await page.waitForURL(/^chrome-error:/);
}

async function receipt(page, files) {
  await page.getByRole("heading", { name: "Vi har tagit emot ditt ärende" }).waitFor();
  for (const name of files) await page.getByText(name).first().waitFor();
}

// One case of that subject, and nothing left in the form.
async function there(page, subject) {
  await page.goto(`${address}/mina-arenden?q=${encodeURIComponent(subject)}`);
  assert.equal(await page.getByRole("link", { name: new RegExp(`^${subject}`) }).count(), 1);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await page.context().close();
}

async function restart() {
  console.log("restart");
  line.target = (await told.next()).value;
}

function file(name, size = 100) {
  return { name, mimeType: "application/pdf", buffer: Buffer.concat([Buffer.from("%PDF-1.7\n"), Buffer.alloc(size, " "), Buffer.from("\n%%EOF\n")]) };
}

function open(options = {}) {
  return openIn(browser, /Failed to load resource: (the server responded with a status of 422|net::ERR_)/, options);
}
