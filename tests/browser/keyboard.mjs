// The whole job by keyboard alone: log in, choose the employer, file a case with a file, add to it, read the answer, say
// whether it was of help, settings, log out. At each stop the focus is seen, in order, and covered by nothing.
//
// node keyboard.mjs <address of a demo>
import assert from "node:assert/strict";
import { arrowTo, choose, stop, tabTo } from "./focus.mjs";
import { NARROW, picture } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const address = process.argv[2];
const browser = await launch();
try {
  // Two people: what one is writing in one window, another window of theirs goes on with.
  await Promise.all([theWholeJob(/Anna Exempelsson/, {}), theWholeJob(/Bertil Exempel/, { viewport: NARROW })]);
} finally {
  await browser.close();
}

async function theWholeJob(person, options) {
  const subject = "Omföring mellan projekt";
  const page = await openIn(browser, /Failed to load resource: the server responded with a status of 422/, options);
  const button = (name) => page.getByRole("button", { name, exact: true });
  const link = (name) => page.getByRole("link", { name, exact: true });
  const heading = (name) => page.getByRole("heading", { name, level: 1 }).waitFor();
  const press = async (wanted, key = "Enter") => {
    await tabTo(page, wanted);
    await page.keyboard.press(key);
  };
  await page.goto(`${address}/skapa-arende`);
  await heading("Välj arbetsgivare");
  await skips(page);
  await choose(page, "employer", "4021000007");
  await press(button("Fortsätt"));
  await heading("Logga in");
  await press(page.getByRole("button", { name: person }), "Space");
  await heading("Skapa ärende");

  // A form that is refused says so first, and leads to what is wrong.
  await press(button("Skicka ärende"));
  await page.locator(".kw-summary").waitFor();
  await stop(page);
  assert.equal(await page.evaluate(() => document.activeElement.matches(".kw-summary")), true);
  await picture(page, `keyboard-refused-${options.viewport ? "narrow" : "wide"}`, { fullPage: false });
  await page.setViewportSize(options.viewport ?? { width: 1280, height: 900 });
  await press(link("Skriv ett ämne."));
  assert.equal(await page.evaluate(() => document.activeElement.name), "subject");
  await stop(page);
  await page.keyboard.type(subject);
  await tabTo(page, page.locator("[name=area]"), "Shift+Tab");
  await page.keyboard.press("Tab");
  await tabTo(page, page.locator("[name=area]"), "Shift+Tab");
  await arrowTo(page, "area", "ekonomi");
  await tabTo(page, page.locator("[name=message]"));
  await page.keyboard.type("Kan ni flytta posten?");
  const [chooser] = await Promise.all([
    page.waitForEvent("filechooser"),
    press(page.getByRole("button", { name: /Välj filer/ })),
  ]);
  await chooser.setFiles(["a.pdf", "b.pdf"].map((name) => ({ name, mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\n%%EOF\n") })));
  await button("Ta bort b.pdf").waitFor();
  await button("Ta bort a.pdf").waitFor();
  // What is taken away leaves the focus where more can be added.
  await tabTo(page, button("Ta bort b.pdf"), "Shift+Tab");
  await page.keyboard.press("Space");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Välj filer");
  await press(button("Skicka ärende"));
  await heading("Vi har tagit emot ditt ärende");
  await press(link("Visa ärendet"));
  await heading(subject);

  await tabTo(page, page.locator("[name=text]"));
  await page.keyboard.type("Projekt 4711.");
  await press(button("Skicka meddelande"));
  await page.getByText("Projekt 4711.").waitFor();
  await answered(new URL(page.url()).pathname.split("/").slice(0, 3).join("/"));
  await press(link("Mina ärenden"));
  await heading("Mina ärenden");
  await press(page.getByRole("link", { name: new RegExp(subject) }).first());
  await page.locator(".kw-answer").getByText("Posten är flyttad.").waitFor();
  await choose(page, "helped", "yes");
  await press(button("Skicka omdöme"));
  await page.getByText("Fick hjälp: Ja.").waitFor();

  await press(link("Inställningar"));
  await heading("Inställningar");
  await choose(page, "language", "en");
  await press(button("Spara inställningar"));
  await page.getByText("Your settings are saved.").waitFor();
  await choose(page, "language", "sv");
  await press(button("Save settings"));
  await page.getByText("Dina inställningar är sparade.").waitFor();
  await page.goto(address);
  await press(button("Logga ut"));
  await link("Logga in").waitFor();
  await page.context().close();
}

// The first stop of a page leads past what is the same on every page.
async function skips(page) {
  await page.keyboard.press("Tab");
  await stop(page);
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Hoppa till innehållet");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.closest("main") !== null), true);
}

async function answered(path) {
  const page = await openIn(browser, /nothing/, {});
  await page.goto(`${address}/logga-in?till=${path}`);
  await page.getByRole("button", { name: /Olle Handlund/ }).click();
  await page.getByRole("button", { name: "Börja handlägga" }).click();
  await page.getByLabel("Svar", { exact: true }).fill("Posten är flyttad.");
  await page.getByRole("button", { name: "Svara och avsluta" }).click();
  await page.getByText("Posten är flyttad.").first().waitFor();
  await page.context().close();
}
