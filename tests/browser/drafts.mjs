// What is typed is a draft, in a real browser, however one leaves the form and comes back to it: before it has come, when it
// never came, when another window went on with it, when somebody else has logged in since. It is there once, and nothing that
// was sent or thrown away is a draft again.
//
// node drafts.mjs <address of a demo>
import assert from "node:assert/strict";
import { address, attached, discard, end, failed, filledIn, kept, line, nothingSent, open, pauseHeld, receipt, send, there, WAYS } from "./filing.mjs";
import { comes } from "./line.mjs";
import { shows } from "./window.mjs";

try {
  for (const [way, back] of Object.entries(WAYS)) await leftAndBackAtOnce(way, back);
  await sentAndBack();
  await leftAndSentElsewhere();
  await leftAndGoneOnElsewhere();
  await leftInVainAndGoneOnElsewhere();
  for (const [way, back] of Object.entries(WAYS)) await leftInVain(way, back);
  await leftInVainAndAskedInVain();
  await askedAgainWhereMoreWasKept();
  await askedWhileAnotherIsThrownAway();
  await thrownAwayBeforeItIsAsked();
  await leftForAnotherForm();
  await sentInVainAndAnotherFormSent();
  await sentUnawaresAndMoreTyped();
  await keptInVain();
  await anotherPersonInTheSameTab({});
  await anotherPersonInTheSameTab({ javaScriptEnabled: false });
  await keptLate();
  await refusedAndLeft();
  await refusedAtOnceAndLeft();
  await refusedWhereOnlySomeWasKept();
  await closedMeanwhileAndGoneOn();
  await hiddenAndSent();
  await thrownAwayInsteadOfSent();
  await anotherDraftMeanwhile();
  await sameDraftMeanwhile();
} finally {
  await end();
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

// What has come is not in the form any more; nor is nothing a draft.
async function sentAndBack() {
  const page = await filledIn(await open(), "Bertil Exempel", "Framme");
  await send(page);
  await receipt(page, []);
  await page.goBack();
  assert.equal(await page.getByLabel("Ämne").inputValue(), "");
  await send(page);
  await page.locator(".kw-summary").waitFor();
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await page.getByText("Utkastet").count(), 0);
  await there(page, "Framme");
}

// What was left here and sent in another window is not met again.
async function leftAndSentElsewhere() {
  const [page, other] = await leftAndOpenedElsewhere("Skickat där", comingLate);
  await other.getByLabel("Meddelande").fill("Här. Och mer.");
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
  const [page, other] = await leftAndOpenedElsewhere("Här och där", comingLate);
  await other.getByLabel("Meddelande").fill("Här. Och där.");
  await kept(other);
  await page.goBack();
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Här. Och där.");
  await send(page);
  await receipt(page, []);
  await there(page, "Här och där");
}

// The other window went on without what was left here, which is a draft of its own.
async function leftInVainAndGoneOnElsewhere() {
  const [page, other] = await leftAndOpenedElsewhere("Bara där", comingNever);
  await other.getByLabel("Ämne").fill("Bara där");
  await other.getByLabel("Meddelande").fill("Där.");
  await kept(other);
  await page.goBack();
  await page.getByText("i ett annat fönster").first().waitFor();
  assert.equal(await page.getByLabel("Meddelande").inputValue(), "Här.");
  await page.getByLabel("Ämne").fill("Bara här");
  await send(page);
  await receipt(page, []);
  await send(other);
  await receipt(other, []);
  await there(other, "Bara där");
}

// What was kept on leaving never came: it is there, and is kept.
async function leftInVain(way, back) {
  const page = await filledIn(await open(), "Bertil Exempel", `Lämnat: ${way}`);
  const message = page.getByLabel("Meddelande");
  await kept(page);
  await message.fill("Bara här.");
  await comingNever(() => page.goto(`${address}/support`));
  await back(page);
  await shows(page, "message", "Bara här.");
  await kept(page);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  assert.equal(await other.getByLabel("Meddelande").inputValue(), "Bara här.");
  await send(page);
  await receipt(page, []);
  await there(page, `Lämnat: ${way}`);
}

// Nor could it be asked what became of it: it is asked until it is answered, whatever is sent meanwhile.
async function leftInVainAndAskedInVain() {
  const page = await filledIn(await open(), "Bertil Exempel", "Frågat förgäves");
  const message = page.getByLabel("Meddelande");
  const failing = page.locator("[data-autosave-status]").getByText("Det du skrev senast är inte sparat än.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await failing.waitFor();
  assert.equal(await message.inputValue(), "");
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Något annat");
  await message.fill("Så länge.");
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await failing.waitFor();
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Ett tredje");
  await message.fill("Skickas först.");
  line.breaking = null;
  await send(page);
  await receipt(page, []);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "Så länge.");
  await kept(page);
  await send(page);
  await receipt(page, []);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await message.inputValue(), "Kan ni hjälpa mig?");
  await send(page);
  await receipt(page, []);
  await there(page, "Frågat förgäves");
}

// What was kept here meanwhile stays here; what was asked about is a draft all the same.
async function askedAgainWhereMoreWasKept() {
  const page = await filledIn(await open(), "Bertil Exempel", "Frågat igen");
  const message = page.getByLabel("Meddelande");
  await comingNever(() => page.goto(`${address}/support`));
  const isAsking = (request) => request.postData()?.includes("Frågat igen");
  await page.route("**/skapa-arende", (route) => isAsking(route.request()) ? route.abort() : route.fallback());
  await page.goto(`${address}/skapa-arende`);
  await page.locator("[data-autosave-status]").getByText("inte sparat än").waitFor();
  await message.fill("Skrivet här.");
  await kept(page);
  const answered = page.waitForResponse((response) => isAsking(response.request()));
  await page.unroute("**/skapa-arende");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await (await answered).finished();
  await nothingSent(page);
  assert.equal(await message.inputValue(), "Skrivet här.");
  await discard(page);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await message.inputValue(), "Kan ni hjälpa mig?");
  await send(page);
  await receipt(page, []);
  await there(page, "Frågat igen");
}

// What is thrown away is what was shown when the button was pressed.
async function askedWhileAnotherIsThrownAway() {
  const page = await filledIn(await open(), "Bertil Exempel", "Inte kastat");
  const message = page.getByLabel("Meddelande");
  await comingNever(() => page.goto(`${address}/support`));
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  await other.getByLabel("Meddelande").fill("Ska kastas.");
  await kept(other);
  const asked = line.held("POST /skapa-arende");
  await page.goto(`${address}/skapa-arende`);
  await asked.taken;
  assert.equal(await message.inputValue(), "Ska kastas.");
  await page.getByRole("button", { name: "Ta bort utkastet" }).click();
  await nothingSent(page);
  await Promise.all([page.getByText("Utkastet är borttaget").waitFor(), asked.release()]);
  await page.goto(`${address}/skapa-arende`);
  assert.equal(await message.inputValue(), "Kan ni hjälpa mig?");
  await send(page);
  await receipt(page, []);
  await there(page, "Inte kastat");
}

// What is thrown away is a draft no more, nor what this tab noted of it and could not ask about.
async function thrownAwayBeforeItIsAsked() {
  const page = await filledIn(await open(), "Bertil Exempel", "Kastat i stället");
  const message = page.getByLabel("Meddelande");
  await kept(page);
  await message.fill("Kom aldrig fram.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await page.locator("[data-autosave-status]").getByText("inte sparat än").waitFor();
  assert.equal(await message.inputValue(), "Kan ni hjälpa mig?");
  line.breaking = null;
  await discard(page);
  await page.goto(`${address}/skapa-arende`);
  await nothingSent(page);
  await page.reload();
  assert.equal(await message.inputValue(), "");
  await page.context().close();
}

// What was left in vain in one form stays where it is, whatever is left in others.
async function leftForAnotherForm() {
  const [page, number] = await toFollow("Att följa upp");
  const message = page.getByLabel("Meddelande");
  await page.goto(`${address}/skapa-arende`);
  await message.fill("I det ena.");
  await comingNever(() => page.goto(`${address}/skapa-arende?foljer=${number}`));
  assert.equal(await message.inputValue(), "");
  assert.equal(await page.getByLabel("Tidigare ärende").inputValue(), number);
  await message.fill("I det andra.");
  await comingNever(() => page.goto(`${address}/support`));
  await page.goto(`${address}/skapa-arende?foljer=${number}`);
  await kept(page);
  assert.equal(await message.inputValue(), "I det andra.");
  assert.equal(await page.getByLabel("Tidigare ärende").inputValue(), number);
  await discard(page);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "I det ena.");
  await discard(page);
  await page.context().close();
}

// The receipt of another form says nothing of this one.
async function sentInVainAndAnotherFormSent() {
  const [page, number] = await toFollow("Att gå vidare från");
  await page.goto(`${address}/skapa-arende`);
  await page.getByLabel("Ekonomi", { exact: true }).check();
  await page.getByLabel("Ämne").fill("Inte det andra");
  await page.getByLabel("Meddelande").fill("Kom inte fram.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await failed(page);
  line.breaking = null;
  await page.goto(`${address}/skapa-arende?foljer=${number}`);
  await page.getByLabel("Ämne").fill("Det andra");
  await page.getByLabel("Meddelande").fill("Kom fram.");
  await send(page);
  await receipt(page, []);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "Kom inte fram.");
  await kept(page);
  await send(page);
  await receipt(page, []);
  await there(page, "Inte det andra");
}

// It was received, but nobody was told, and more was typed and left: what was typed then is a draft, and what was sent is none.
async function sentUnawaresAndMoreTyped() {
  for (const mended of ["före", "efter"]) {
    const subject = `Ovetande: ${mended}`;
    const page = await filledIn(await open(), "Bertil Exempel", subject);
    line.breaking = { request: "POST /skapa-arende", answer: true };
    await failed(page);
    if (mended === "före") line.breaking = null;
    await page.goBack();
    await shows(page, "subject", subject);
    await page.getByLabel("Meddelande").fill("Och en sak till.");
    await page.goto(`${address}/support`);
    line.breaking = null;
    await page.goto(`${address}/skapa-arende`);
    await shows(page, "message", "Och en sak till.");
    await discard(page);
    await there(page, subject);
  }
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
  await shows(page, "message", "Efter felet.");
  await page.getByLabel("Ämne").fill("Rättat");
  await send(page);
  await receipt(page, []);
  await there(page, "Rättat");
}

// What came to the program only to be shown again is kept, too.
async function refusedAtOnceAndLeft() {
  const page = await filledIn(await open(), "Bertil Exempel", "");
  await page.getByLabel("Meddelande").fill("Skickat utan ämne.");
  await send(page);
  await page.locator(".kw-summary").waitFor();
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "Skickat utan ämne.");
  await page.getByLabel("Ämne").fill("Med ämne");
  await send(page);
  await receipt(page, []);
  await there(page, "Med ämne");
}

// Nor is it another window that has kept less of it before, unanswered.
async function refusedWhereOnlySomeWasKept() {
  const page = await filledIn(await open(), "Bertil Exempel", "");
  const message = page.getByLabel("Meddelande");
  const some = await pauseHeld(page, "Ett.");
  await message.fill("Ett. Två.");
  line.breaking = { request: "POST /skapa-arende", after: 200 };
  await page.reload();
  await page.locator("[data-autosave-status]").getByText("inte sparat än").waitFor();
  await comes(some);
  line.breaking = null;
  await send(page);
  await page.locator(".kw-summary").waitFor();
  await kept(page);
  assert.equal(await page.getByText("i ett annat fönster").count(), 0);
  assert.equal(await message.inputValue(), "Ett. Två.");
  await page.getByLabel("Ämne").fill("Sparat till en del");
  await send(page);
  await receipt(page, []);
  await there(page, "Sparat till en del");
}

// What was written in a case that was closed meanwhile becomes a new case, which is kept as any other.
async function closedMeanwhileAndGoneOn() {
  const page = await filledIn(await open(), "Bertil Exempel", "Avslutat under tiden");
  await send(page);
  await receipt(page, []);
  await page.getByRole("link", { name: "Visa ärendet" }).click();
  await page.getByLabel("Meddelande").fill("En sak till.");
  await page.locator("[data-autosave-status]").getByText("Ditt utkast finns kvar här").waitFor();
  await closed(page.url());
  await page.getByRole("button", { name: "Skicka meddelande" }).click();
  await page.getByRole("button", { name: "Skapa ett nytt ärende av det" }).click();
  await page.getByLabel("Ämne").fill("Nytt av det");
  await page.getByLabel("Meddelande").fill("En sak till. Och en.");
  await kept(page);
  await page.goto(`${address}/support`);
  await page.goto(`${address}/skapa-arende`);
  await shows(page, "message", "En sak till. Och en.");
  await send(page);
  await receipt(page, []);
  await there(page, "Nytt av det");
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

// A case that another can follow, and its number.
async function toFollow(subject) {
  const page = await filledIn(await open(), "Bertil Exempel", subject);
  await send(page);
  await receipt(page, []);
  const panel = await page.locator(".kw-panel-number").textContent();
  return [page, panel.match(/\d{4}-\d{6}-\d/)[0]];
}

// An officer answers and closes a case.
async function closed(place) {
  const page = await open();
  await page.goto(`${address}/logga-in?till=${new URL(place).pathname}`);
  await page.getByRole("button", { name: /Olle Handlund/ }).click();
  await page.getByRole("button", { name: "Börja handlägga" }).click();
  await page.getByLabel("Svar", { exact: true }).fill("Klart.");
  await page.getByRole("button", { name: "Svara och avsluta" }).click();
  await page.getByText("Klart.").first().waitFor();
  await page.context().close();
}

// Left in a window, where what is kept on leaving fares as it does, and opened in another one.
async function leftAndOpenedElsewhere(subject, faring) {
  const page = await filledIn(await open(), "Bertil Exempel", subject);
  await kept(page);
  await page.getByLabel("Meddelande").fill("Här.");
  await faring(() => page.goto(`${address}/support`));
  const other = await page.context().newPage();
  await other.goto(`${address}/skapa-arende`);
  return [page, other];
}

// Leaves; what is kept then does not come.
async function comingNever(leave) {
  const left = line.held("POST /skapa-arende");
  await leave();
  await left.taken;
}

// Leaves; what is kept then comes only after that.
async function comingLate(leave) {
  const left = line.held("POST /skapa-arende");
  await leave();
  await comes(left);
}
