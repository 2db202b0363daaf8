// How every page of the journeys is looked at.
import assert from "node:assert/strict";
import axe from "axe-core";

export const WIDE = { width: 1280, height: 900 };
const MIDDLE = { width: 820, height: 900 };
const NARROW = { width: 320, height: 640 };

// Says what is wrong and lets the journey go on, so that all of it is told.
export function fail(words) {
  console.error(words);
  process.exitCode = 1;
}

// No violation of WCAG 2.2 A and AA, nothing to scroll sideways, one heading of the first level and a language; in a
// narrow window too, with text of twice the size, and with wide spacing.
export async function look(page) {
  for (const size of [WIDE, MIDDLE, NARROW]) {
    await page.setViewportSize(size);
    await fits(page, `${size.width} px`);
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run({
      runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"],
    }));
    for (const { id, help, nodes } of violations) {
      fail(`${page.url()} at ${size.width} px: ${id}: ${help}\n  ${nodes.map(({ html }) => html).join("\n  ")}`);
    }
  }
  await page.setViewportSize({ width: 640, height: 640 });
  await page.evaluate(() => { document.documentElement.style.fontSize = "200%"; });
  await fits(page, "text of 200 %");
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

async function fits(page, how) {
  const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  if (over > 0) fail(`${page.url()} with ${how}: ${over} px to scroll sideways`);
}
