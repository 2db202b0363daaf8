// What colour says is said without it: with forced colours (high contrast), every status, note, button and mark is still
// there and can be told from what is around it; whoever wants less motion gets none.
//
// node forced.mjs <facts>     JSON as of every.mjs.
import assert from "node:assert/strict";
import { stop } from "./focus.mjs";
import { fail, look, picture } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const { address, logins, at } = JSON.parse(process.argv[2]);
// What carries meaning by its colour or its edge, and where it is met.
const MARKED = [
  [null, "/", [".ds-button", ".kw-note", ".kw-door", ".kw-header-menu", ".kw-menu a[aria-current]"]],
  [null, "/driftstatus", [".ds-alert", ".kw-dot", ".kw-trouble"]],
  ["employee", "/mina-arenden", [".kw-status[data-status=received]", ".kw-status[data-status=closed]", ".kw-mark", ".ds-input", ".ds-pagination [aria-current]"]],
  ["employee", at.asked, [".ds-alert", ".kw-status", ".kw-letter", ".kw-timeline-entry", ".kw-drop", "textarea", ".ds-button"]],
  ["employee", at.closed, [".kw-answer", ".kw-status", ".kw-dot", "[type=radio]"]],
  ["employee", `${at.received}/mottaget`, [".kw-panel"]],
  ["employee", "/skapa-arende", ["[type=radio]", "#create-subject, [name=subject]", ".kw-drop", ".ds-button"]],
  [null, "/logga-in", [".kw-person"]],
  ["officer", at.asked, [".ds-details", ".kw-letter", ".ds-button"]],
];

const browser = await launch();
try {
  await Promise.all([isThereWithoutColour(), theFocusIsSeen(), nothingMoves()]);
} finally {
  await browser.close();
}

async function isThereWithoutColour() {
  for (const [as, path, marks] of MARKED) {
    const page = await open(as, { forcedColors: "active" });
    await page.goto(address + path);
    for (const mark of marks) {
      const first = page.locator(mark).first();
      await first.waitFor();
      if (!await first.evaluate(standsOut)) fail(`${path}: ${mark} cannot be told from what is around it`);
    }
    // Where one is can be told from where one can go.
    for (const here of await page.locator(".ds-pagination [aria-current]").all()) {
      const [own, other] = await Promise.all([here, page.locator(".ds-pagination li > a:not([aria-current])").first()].map((link) => link.evaluate((link) => getComputedStyle(link).backgroundColor)));
      assert.notEqual(own, other, path);
    }
    await picture(page, `forced-${path === "/" ? "start" : path.split("/").slice(1).join("-").replace(/[0-9a-f]{8}-[0-9a-f-]*/, `case-${marks.length}`)}`);
    await page.context().close();
  }
  // What is wrong, and what has been attached, is told in words beside the colour.
  const page = await open("employee", { forcedColors: "active" });
  await page.goto(`${address}/skapa-arende`);
  await page.locator("form.kw-create .kw-buttons button[value=send]").click();
  await page.locator(".kw-summary").waitFor();
  for (const mark of [".kw-summary", ".kw-field:has(.kw-errors)"]) {
    if (!await page.locator(mark).first().evaluate(standsOut)) fail(`${mark} cannot be told from what is around it`);
  }
  await look(page);
  await page.locator("input[type=file]").setInputFiles({ name: "a.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\n%%EOF\n") });
  await page.locator(".kw-file .kw-dot").waitFor();
  assert.equal(await page.locator(".kw-file .kw-dot").evaluate(standsOut), true);
  await picture(page, "forced-create-wrong");
  await page.context().close();
}

// Whether an element has an edge or a filling that is not the page's, or is drawn by the browser itself.
function standsOut(element) {
  const probe = document.createElement("div");
  probe.style.cssText = "background: Canvas; color: CanvasText; forced-color-adjust: none";
  document.body.append(probe);
  const canvas = getComputedStyle(probe).backgroundColor;
  probe.remove();
  const style = getComputedStyle(element);
  const before = getComputedStyle(element, "::before");
  if (["radio", "checkbox"].includes(element.type) && style.appearance !== "none") return true;
  const edged = (of) => ["Top", "Right", "Bottom", "Left"].some((side) =>
    of[`border${side}Style`] !== "none" && parseFloat(of[`border${side}Width`]) > 0 && of[`border${side}Color`] !== canvas
    && !/^rgba\(.*, 0\)$/.test(of[`border${side}Color`]));
  const filled = ![canvas, "rgba(0, 0, 0, 0)", "transparent"].includes(style.backgroundColor);
  return edged(style) || filled || (before.content !== "none" && edged(before));
}

// Shadows are not drawn here: each thing that takes the focus has an edge.
async function theFocusIsSeen() {
  for (const [as, path] of [[null, "/"], ["employee", "/skapa-arende"], ["employee", at.closed], ["officer", "/handlaggare"], [null, "/logga-in"]]) {
    const page = await open(as, { forcedColors: "active" });
    await page.goto(address + path);
    let stops = 0;
    do {
      await page.keyboard.press("Tab");
      await stop(page);
      stops++;
    } while (stops < 200 && await page.evaluate(() => document.activeElement !== document.body));
    assert.ok(stops > 10 && stops < 200, `${path}: ${stops} stops`);
    await page.context().close();
  }
}

// No transition and no animation of any length for who wants less motion.
async function nothingMoves() {
  for (const [as, path] of [[null, "/"], ["employee", "/skapa-arende"], [null, "/logga-in"], ["officer", at.asked]]) {
    const page = await open(as, { reducedMotion: "reduce" });
    await page.goto(address + path);
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => {
      const style = getComputedStyle(element);
      const lasts = (times) => times.split(",").some((time) => parseFloat(time) > 0.01);
      return lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration)) || style.scrollBehavior === "smooth";
    }).map((element) => element.outerHTML.slice(0, 80)));
    assert.deepEqual(moving, [], path);
    await page.context().close();
  }
}

async function open(as, options) {
  const page = await openIn(browser, /Failed to load resource: the server responded with a status of 422/, options);
  const cookie = (name, value) => ({ name: `kundwebb_${name}`, value, url: address });
  if (as) await page.context().addCookies([cookie("session", logins[as]), cookie("employer", at.employer)]);
  return page;
}
