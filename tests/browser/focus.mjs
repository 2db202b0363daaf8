// Where the focus is when only a keyboard is used: it can be seen, nothing covers it, and it is large enough to be hit.
import { fail } from "./look.mjs";

// Presses Tab until something has the focus; each stop on the way is looked at. Fails when it is not met.
export async function tabTo(page, wanted, key = "Tab") {
  for (let stops = 0; stops < 150; stops++) {
    await page.keyboard.press(key);
    await stop(page, key === "Tab");
    if (await wanted.evaluateAll((all) => all.includes(document.activeElement))) return;
  }
  throw new Error(`${page.url()}: the keyboard does not come to ${wanted}`);
}

// Looks at what has the focus. `forward`: what is met comes after what was met before, as it stands on the page.
export async function stop(page, forward = false) {
  const wrong = await page.evaluate((forward) => {
    const element = document.activeElement;
    const before = globalThis.stopped;
    globalThis.stopped = element;
    if (element === document.body) return [];
    const wrong = [];
    // A choice and its label have one edge together.
    const edged = [element, element.matches("[type=radio], [type=checkbox]") && element.closest(".ds-field")].filter(Boolean);
    const shown = edged.map((of) => getComputedStyle(of)).some((style) =>
      style.boxShadow !== "none" || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2));
    if (!shown) wrong.push("its focus cannot be seen");
    if (element.tabIndex > 0) wrong.push("it stands out of order");
    if (forward && before?.isConnected && before !== document.body && before !== element
      && !(before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING)) wrong.push("it comes before what was met before");
    const { left, top, right, bottom, width, height } = element.getBoundingClientRect();
    // Some of it is there to be seen (2.4.11).
    const seen = [0.1, 0.5, 0.9].some((x) => [0.1, 0.5, 0.9].some((y) => {
      const found = document.elementFromPoint(left + width * x, top + height * y);
      return found && (element.contains(found) || found.contains(element) || found.closest("label")?.control === element);
    }));
    if (!seen) wrong.push(`it cannot be seen at ${[left, top, right, bottom].map(Math.round)}`);
    // 24 by 24 pixels (2.5.8); links may have the room around them instead, which axe looks at.
    if (!element.matches("a:not(.ds-button)") && (width < 23.9 || height < 23.9)) wrong.push(`it is ${Math.round(width)} by ${Math.round(height)}`);
    return wrong.map((words) => `${words}: ${element.outerHTML.slice(0, 160)}`);
  }, forward);
  for (const words of wrong) fail(`${page.url()}: ${words}`);
}

// Chooses among radio buttons by the arrows, as one group with one stop.
export async function choose(page, group, value) {
  await tabTo(page, page.locator(`input[name=${group}]`));
  await arrowTo(page, group, value);
}

// As `choose`, where the group has the focus already.
export async function arrowTo(page, group, value) {
  for (let steps = 0; steps < 20; steps++) {
    if (await page.evaluate(() => document.activeElement.value) === value) break;
    await page.keyboard.press("ArrowDown");
  }
  await page.keyboard.press("Space");
  if (!await page.locator(`input[name=${group}][value="${value}"]`).isChecked()) throw new Error(`${value} cannot be chosen`);
}
