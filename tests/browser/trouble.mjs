// What goes wrong on the way, in a real browser: a slow network, an upload that is cut in the middle, an answer that is
// lost, a program that is killed and started again between two steps. Nothing that was typed or attached is lost, and each
// case is there once.
//
// node trouble.mjs <address of a demo>     When a line »restart« is printed, whoever runs it kills the program, starts it
//                                          again and says its new address.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { address, attached, discard, end, failed, file, filledIn, fillIn, kept, line, open, receipt, send, there, WAYS } from "./filing.mjs";
import { look, NARROW, picture } from "./look.mjs";
import { shows } from "./window.mjs";

const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
try {
  await onASlowLine();
  await cutInTheMiddle();
  await cutAndThrownAway();
  await cutInTheMiddleWithoutScript();
  await withAnswersThatAreLost();
  await answerWithAFileIsLost();
  for (const [way, back] of Object.entries(WAYS)) await sentInVain(way, back);
  await sentInVain("emellan", (page) => page.goto(`${address}/installningar?done=yes`).then(() => WAYS.länk(page)));
  await stoppedAndChanged();
  await stoppedAndSentAgain();
  await typedWhileAFileIsUnderWay();
  await restartedBetweenTwoSteps({});
  await restartedBetweenTwoSteps({ javaScriptEnabled: false });
} finally {
  await end();
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

// Nothing is told of sending to whoever does not send.
async function cutAndThrownAway() {
  const page = await filledIn(await open(), "Bertil Exempel", "Kastat");
  await kept(page);
  line.breaking = { request: "POST /skapa-arende/filer", after: 200 };
  await page.locator("input[type=file]").setInputFiles(file("underlag.pdf"));
  await page.locator(".kw-file", { hasText: "kunde inte laddas upp" }).waitFor();
  line.breaking = null;
  await discard(page);
  await page.context().close();
}

// The browser shows a page of its own; back in the form is what was chosen and written.
async function cutInTheMiddleWithoutScript() {
  const page = await filledIn(await open({ javaScriptEnabled: false }), "Bertil Exempel", "Utan skript");
  await failedAndBack(page, "Utan skript", async () => {
    await page.locator("input[type=file]").setInputFiles(file("stor.pdf", 1_000_000));
    line.breaking = { request: "POST /skapa-arende", after: 200_000 };
  }, 3);
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Kan ni hjälpa mig?");
  assert.equal(await page.getByLabel("Ekonomi", { exact: true }).isChecked(), true);
  await page.locator("input[type=file]").setInputFiles(file("stor.pdf", 1_000_000));
  await send(page);
  await receipt(page, ["stor.pdf"]);
  await there(page, "Utan skript");
}

// Sends in vain and goes back to what was typed. Without a script it is the browser that puts it back; Chromium under load
// now and then does not, and then it is typed once more, so many times.
async function failedAndBack(page, subject, breaks, times) {
  for (let left = times; ; left -= 1) {
    await breaks();
    await failed(page);
    line.breaking = null;
    await page.goBack();
    try {
      return await shows(page, "subject", subject);
    } catch (error) {
      if (left === 0) throw error;
      await fillIn(page, subject);
    }
  }
}

// It was received, but nobody was told: whoever sends it again is told of the same case.
async function withAnswersThatAreLost() {
  for (const javaScriptEnabled of [true, false]) {
    const subject = `Tappat svar ${javaScriptEnabled}`;
    const page = await filledIn(await open({ javaScriptEnabled }), "Bertil Exempel", subject);
    const breaks = () => { line.breaking = { request: "POST /skapa-arende", answer: true }; };
    await failedAndBack(page, subject, breaks, javaScriptEnabled ? 0 : 3);
    // What a script has kept as a draft is none any more; what the browser shows again is known to have been sent: with a
    // script by its key, so that one comes to its receipt.
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

// Whoever leaves is asked first, and can stay. What is kept meanwhile shows other buttons; whoever has pressed one before sends
// when the file is there.
async function typedWhileAFileIsUnderWay() {
  const page = await filledIn(await open(), "Bertil Exempel", "Under tiden");
  const upload = line.held("POST /skapa-arende/filer");
  await page.locator("input[type=file]").setInputFiles(file("underlag.pdf"));
  const asked = page.waitForEvent("dialog");
  const left = page.getByRole("link", { name: "Tjänster" }).first().click({ noWaitAfter: true });
  const dialog = await asked;
  assert.equal(dialog.type(), "beforeunload");
  await dialog.dismiss();
  await left;
  await send(page);
  const answered = page.waitForResponse((response) => response.url().endsWith("/skapa-arende") && response.request().method() === "POST");
  await page.getByLabel("Meddelande").fill("Kan ni hjälpa mig? Tack!");
  await answered;
  await page.getByRole("button", { name: "Ta bort utkastet" }).waitFor();
  upload.release();
  await receipt(page, ["underlag.pdf"]);
  await there(page, "Under tiden");
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

async function restart() {
  console.log("restart");
  line.target = (await told.next()).value;
}

// Sends, and stops before it has come; it comes nowhere once it is dropped.
async function stopped(page) {
  const { drop } = line.held("POST /skapa-arende");
  const begun = page.waitForRequest((request) => request.isNavigationRequest());
  await page.getByRole("button", { name: "Skicka ärende" }).click({ noWaitAfter: true });
  await begun;
  const browserItself = await page.context().newCDPSession(page);
  await browserItself.send("Page.stopLoading");
  return drop;
}
