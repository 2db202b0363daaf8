// Every page of the program, in both languages: its HTML as it is served, how it is looked at by axe, its title, its
// heading, its language, what it fetches; and a picture of it, wide and narrow, where pictures are kept.
//
// node every.mjs <facts>     JSON: the address of a demo, its routes, the cookies of logins, addresses of cases. When a
//                            line »break« is printed, whoever runs it makes the program fail, and says so with a line.
import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { HtmlValidate } from "html-validate";
import { failing, kinds, NO_PAGE, others } from "./kinds.mjs";
import { fail, look, NARROW, picture, WIDE } from "./look.mjs";
import { launch, openIn } from "./window.mjs";

const { address, routes, logins, at } = JSON.parse(process.argv[2]);
const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
// How many windows are looked at at once.
const WINDOWS = 3;
// A first visit in all, bytes as they are transferred.
const FIRST = 100_000;
// The rules of html-validate that are not those of its recommendation, and why.
const html = new HtmlValidate({
  extends: ["html-validate:recommended", "html-validate:a11y", "html-validate:document"],
  rules: {
    // How the source is laid out is no matter of who reads the page.
    "no-trailing-whitespace": "off",
    // A title may be long where the subject of a case is.
    "long-title": "off",
    // What is fetched comes from the same place as the page, under a policy that allows no other.
    "require-sri": "off",
    // A number stays on one line by its style, and is copied as it is dialled.
    "tel-non-breaking": "off",
    // What is wrong with a form is told before its heading, and has one of its own.
    "heading-level": ["error", { minInitialRank: "h2" }],
  },
});

const pages = kinds(at);
const browser = await launch();
try {
  assert.deepEqual(Object.keys(pages).sort(), [...routes].sort(), "the pages here, and the routes of the program");
  await theFirstPageIsSmall();
  const visits = [...Object.entries(pages).filter(([, kind]) => kind !== NO_PAGE), ["", others]]
    .flatMap(([route, kind]) => kind.map((visit) => ({ path: route, ...visit, route: route || visit.path })));
  await allOf(inBoth(visits));
  for (const [route, kind] of Object.entries(pages)) if (kind === NO_PAGE) await isNoPage(route);
  await failures();
} finally {
  await browser.close();
  process.stdin.destroy();
}

function inBoth(visits) {
  return visits.flatMap((visit) => [{ ...visit, language: "sv" }, { ...visit, language: "en" }]);
}

// Each login in each language has a window of its own.
async function allOf(visits) {
  const titles = new Map();
  const grouped = new Map();
  for (const visit of visits) {
    const whose = `${visit.as} ${visit.language}`;
    grouped.set(whose, [...grouped.get(whose) ?? [], visit]);
  }
  const groups = grouped.values();
  await Promise.all(Array.from({ length: WINDOWS }, async () => {
    for (const group of groups) {
      const page = await open(group[0]);
      const served = [];
      page.on("response", (response) => { if (response.request().isNavigationRequest()) served.push(response); });
      for (const visit of group) await seen(page, visit, served, titles).catch((error) => fail(`${visit.name}, ${visit.language}: ${error.stack}`));
      await page.context().close();
    }
  }));
}

async function seen(page, { name, route, path, act, status = 200, language }, served, titles) {
  await page.goto(address + path);
  await act?.(page);
  const answer = served.at(-1);
  assert.equal(answer.status(), status, path);
  isValid(await answer.text(), `${name}, ${language}`);
  assert.equal(await page.locator("html").getAttribute("lang"), language);
  const title = await page.title();
  assert.match(title, / – Kundwebben$/);
  // One title belongs to one page; what is not shown has no page.
  const one = `${language} ${title}`;
  if (status < 400 && (titles.get(one) ?? route) !== route) fail(`${route} and ${titles.get(one)} are both called ${title}`);
  if (status < 400) titles.set(one, route);
  // The words differ, the shape does not: in English it is looked at where there is least room, and the colours there.
  if (language === "en") return look(page, [NARROW]);
  await look(page, [WIDE, NARROW], true);
  await picture(page, name);
}

// By what it answers with: a file, or an address to go on to.
async function isNoPage(route) {
  const path = route.replace("/arenden/{id}", at.closed).replace("{attachment}", at.file);
  const page = await open({ as: "employee", language: "sv" });
  const answer = await page.request.get(address + path, { maxRedirects: 0 });
  const type = answer.headers()["content-type"] ?? "";
  if (answer.status() >= 400 || (answer.ok() && type.startsWith("text/html"))) fail(`${route}: ${answer.status()} ${type}`);
  await page.context().close();
}

// Everything that a first visit fetches: little, compressed, from here alone, and what does not change only once.
async function theFirstPageIsSmall() {
  const page = await open({ language: "sv" });
  const answers = [];
  page.on("response", (answer) => answers.push(answer));
  await page.goto(address, { waitUntil: "networkidle" });
  let bytes = 0;
  for (const answer of answers) {
    const { responseBodySize, responseHeadersSize } = await answer.request().sizes();
    bytes += responseBodySize + responseHeadersSize;
    const headers = await answer.allHeaders();
    const path = new URL(answer.url()).pathname;
    if (path.startsWith("/assets/")) assert.match(headers["cache-control"], /max-age=31536000.*immutable/, path);
    if (/html|css|javascript|svg/.test(headers["content-type"])) assert.match(headers["content-encoding"] ?? "", /gzip|br|zstd/, path);
  }
  assert.ok(answers.length > 2 && bytes > 5_000 && bytes < FIRST, `${answers.length} answers, ${bytes} bytes`);
  await page.context().close();
}

// The program fails: while the log cannot be written, and while the read models cannot be read.
async function failures() {
  console.log("break");
  await told.next();
  await allOf(inBoth(failing(at).map((visit) => ({ ...visit, route: visit.name }))));
}

function isValid(source, where) {
  for (const { messages } of html.validateStringSync(source).results) {
    for (const { ruleId, message, line, column } of messages) {
      fail(`${where}: ${ruleId}: ${message}\n  ${source.split("\n")[line - 1].slice(Math.max(0, column - 60), column + 120)}`);
    }
  }
}

async function open({ as, language }) {
  const page = await openIn(browser, /Failed to load resource: the server responded with a status of (4|5)\d\d/, {});
  const cookie = (name, value) => ({ name: `kundwebb_${name}`, value, url: address });
  const cookies = [cookie("language", language)];
  if (as) cookies.push(cookie("session", logins[as]), cookie("employer", at.employer));
  await page.context().addCookies(cookies);
  page.on("request", (request) => { if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(address)) fail(`${page.url()} asks ${request.url()}`); });
  return page;
}
