// What the pages say is written, looked at before it is published, read by everybody, and taken back; the catalogue keeps
// what employers use. Every page on the way is looked at by axe, wide and narrow.
//
// node editing.mjs <address of a demo> [<folder for pictures>]
import assert from "node:assert/strict";
import { look, WIDE } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const [address, pictures] = process.argv.slice(2);
const browser = await launch();
try {
  await goes({ javaScriptEnabled: false }, "Hjälp utan skript", async () => {});
  await goes({}, "Hjälp med skript", looked);
  await isReadInEnglish();
} finally {
  await browser.close();
  process.stdin.destroy();
}

async function goes(options, title, seen) {
  const page = await open(options);
  await page.goto(`${address}/logga-in?till=/`);
  await page.getByRole("button", { name: /Dan Driftberg/ }).click();
  await page.getByRole("link", { name: "Redaktion" }).click();
  await seen(page, "editing");
  await page.getByRole("rowheader", { name: "Support" }).getByRole("link").click();
  await seen(page, "editing-text");
  await page.getByLabel("Rubrik (frivilligt)").first().fill(title);
  await page.getByRole("textbox", { name: "Text", exact: true }).nth(0).fill("Ring **oss**.\n\n## Steg\n\n1. Ring.\n2. Vänta.");
  await page.getByRole("textbox", { name: "Text", exact: true }).nth(1).fill("");
  await page.getByRole("button", { name: "Publicera" }).click();
  await page.locator(".kw-summary").getByText("Skriv en text.").waitFor();
  await seen(page, "editing-wrong");
  await page.getByRole("textbox", { name: "Text", exact: true }).nth(1).fill("Call *us*.");
  await page.getByRole("button", { name: "Förhandsvisa" }).click();
  await page.locator(".kw-preview").getByText(title).waitFor();
  await seen(page, "editing-preview");
  await page.getByRole("button", { name: "Publicera" }).click();
  await page.getByText("Support är publicerad.").waitFor();
  await page.getByRole("link", { name: "Se hur den ser ut" }).click();
  await page.getByRole("heading", { level: 1, name: title }).waitFor();
  await seen(page, "support-published");

  await page.goto(`${address}/redaktion/support/historik?version=0`);
  await page.locator(".kw-preview").getByText("Knappval 1: Lön").waitFor();
  await seen(page, "editing-history");
  await page.getByRole("link", { name: "Använd den här versionen igen" }).click();
  assert.match(await page.getByRole("textbox", { name: "Text", exact: true }).nth(0).inputValue(), /Knappval 1: Lön/);
  await seen(page, "editing-again");

  await page.goto(`${address}/redaktion/tjanstekatalog`);
  await page.getByRole("group", { name: "Ekonomi" }).getByLabel("Tjänst 1, på svenska").fill("");
  await page.getByRole("group", { name: "Ekonomi" }).getByLabel("Tjänst 1, på engelska").fill("");
  await page.getByRole("button", { name: "Publicera" }).click();
  await page.locator(".kw-summary").getByText(/Redovisning och bokslut används av .*Exempelverket/).waitFor();
  await seen(page, "editing-catalogue");
  await page.goto(`${address}/redaktion/tjanstekatalog/historik?version=0`);
  await seen(page, "editing-catalogue-history");
  await page.context().close();
}

async function isReadInEnglish() {
  const page = await open();
  await page.goto(`${address}/sprak?kod=en&till=/support`);
  await page.getByText("Call us.").waitFor();
  await page.goto(address);
  await page.getByText("Payroll administration").waitFor();
  await looked(page, "start-english");
  await page.context().close();
}

function open(options = {}) {
  return openIn(browser, /Failed to load resource: the server responded with a status of 422/, options);
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
