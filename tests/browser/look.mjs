// How every page of the journeys is looked at.
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import axe from "axe-core";

export const WIDE = { width: 1280, height: 900 };
const MIDDLE = { width: 820, height: 900 };
export const NARROW = { width: 320, height: 640 };
// All of A and AA, in every version of WCAG.
const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
// Colours do not change with the size: they are looked at once a page.
const SAME_COLOURS = { "color-contrast": { enabled: false } };
// Where pictures are kept, if they are.
const PICTURES = process.env.PICTURES;

// Says what is wrong and lets the journey go on, so that all of it is told.
export function fail(words) {
  console.error(words);
  process.exitCode = 1;
}

// No violation of WCAG 2.2 A and AA, nothing to scroll sideways, one heading of the first level and a language; in a
// narrow window too, with text of twice the size, and with wide spacing. `large`: large text is also looked at by axe.
export async function look(page, sizes = [WIDE, MIDDLE, NARROW], large = false) {
  await page.evaluate(axe.source);
  for (const size of sizes) {
    await page.setViewportSize(size);
    await fits(page, `${size.width} px`);
    // What is wide or narrow has all that stands between.
    if (size !== MIDDLE) await isAccessible(page, `${size.width} px`, size === sizes[0] ? {} : SAME_COLOURS);
  }
  await page.setViewportSize({ width: 640, height: 640 });
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await fits(page, "text of 200 %");
  if (large) await isAccessible(page, "text of 200 %", SAME_COLOURS);
  await page.evaluate(() => {
    document.documentElement.style.fontSize = "";
    const spacing = new CSSStyleSheet();
    spacing.replaceSync("* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }");
    document.adoptedStyleSheets = [spacing];
  });
  await page.setViewportSize(NARROW);
  await fits(page, "wide spacing");
  await page.evaluate(() => { document.adoptedStyleSheets = []; });
  await page.setViewportSize(WIDE);
  assert.match(await page.locator("html").getAttribute("lang"), /^(sv|en)$/);
  assert.equal(await page.locator("h1").count(), 1, page.url());
}

// Keeps how a page looks, wide and narrow, where pictures are kept.
export async function picture(page, name, { fullPage = true } = {}) {
  if (!PICTURES) return;
  await mkdir(PICTURES, { recursive: true });
  const browser = await page.context().newCDPSession(page);
  for (const size of [WIDE, NARROW]) {
    await page.setViewportSize(size);
    const { cssContentSize } = await browser.send("Page.getLayoutMetrics");
    const clip = { x: 0, y: 0, width: size.width, height: fullPage ? cssContentSize.height : size.height, scale: 1 };
    const { data } = await browser.send("Page.captureScreenshot", { clip, captureBeyondViewport: fullPage, optimizeForSpeed: true });
    await writeFile(`${PICTURES}/${name}-${size.width}.png`, data, "base64");
  }
  await browser.detach();
  await page.setViewportSize(WIDE);
}

async function isAccessible(page, how, rules) {
  const options = { runOnly: RULES, rules, resultTypes: ["violations"], elementRef: false, preload: false };
  const { violations } = await page.evaluate((options) => globalThis.axe.run(options), options);
  for (const { id, help, nodes } of violations) {
    fail(`${page.url()} with ${how}: ${id}: ${help}\n  ${nodes.map(({ html }) => html).join("\n  ")}`);
  }
}

async function fits(page, how) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) fail(`${page.url()} with ${how}: ${over} px to scroll sideways`);
}
