// Lighthouse on every page: accessibility and best practices must be 100, performance 95 at least.
//
// npm start --prefix tests/lighthouse -- <the program> [<name of a page> …]
//
// It starts the program as a demo in a folder of its own, logs in as each role, and goes to the pages of
// `browser/kinds.mjs` that need nothing done. A debug build is slower than what people meet: measure a release build.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import lighthouse, { desktopConfig } from "lighthouse";
import { kinds, NO_PAGE } from "../browser/kinds.mjs";
import { launch } from "../browser/window.mjs";

const DEMANDED = { accessibility: 1, "best-practices": 1, performance: 0.95 };
const PERSONS = {
  employee: "anna.exempel", newcomer: "bertil.exempel", other: "bertil.exempel", requester: "vera.exempel", officer: "olle.handlaggare",
  lead: "sam.ordnare", registrar: "rita.register", auditor: "tora.revisor", editor: "dan.drift",
};
const [program, ...wanted] = process.argv.slice(2);
if (!program) throw new Error("say which program: npm start --prefix tests/lighthouse -- target/release/kundwebb");

const folder = await mkdtemp(join(tmpdir(), "kundwebb-lighthouse-"));
// From where npm was called, not from where it calls.
const child = spawn(resolve(process.env.INIT_CWD ?? ".", program), ["serve", "--demo", "--demo-cases", "60", "--listen", "127.0.0.1:0", "--data", folder], { stdio: ["ignore", "ignore", "pipe"] });
const port = await freePort();
const browser = await launch([`--remote-debugging-port=${port}`]);
try {
  const address = await ready();
  const logins = Object.fromEntries(await Promise.all(Object.entries(PERSONS).map(async ([as, person]) => [as, await logIn(address, person)])));
  const rows = Object.entries(kinds(await places(address, logins)))
    .filter(([, kind]) => kind !== NO_PAGE)
    .flatMap(([route, kind]) => kind.map((visit) => ({ path: route, ...visit })))
    .filter(({ as, act, status, path }) => !act && !status && (!as || logins[as]) && !`${path}`.includes("undefined"))
    .filter(({ name }) => wanted.length === 0 || wanted.includes(name));
  console.log(`${"page".padEnd(22)} phone: perf  a11y  best   desktop: perf  a11y  best`);
  for (const visit of rows) await measured(address, visit, logins[visit.as]);
} finally {
  await browser.close();
  child.kill();
  await rm(folder, { recursive: true });
}

async function measured(address, { name, path }, cookie) {
  const scores = [];
  const wrong = [];
  for (const config of [undefined, desktopConfig]) {
    const extraHeaders = cookie ? { Cookie: cookie } : {};
    const flags = { port, onlyCategories: Object.keys(DEMANDED), extraHeaders, logLevel: "silent" };
    let { lhr } = await lighthouse(address + path, flags, config);
    // On a machine that does much else, a visit is not always recorded at once.
    if (lhr.runtimeError) ({ lhr } = await lighthouse(address + path, flags, config));
    if (lhr.runtimeError) throw new Error(`${path}: ${lhr.runtimeError.message}`);
    for (const [category, least] of Object.entries(DEMANDED)) {
      const { score, auditRefs } = lhr.categories[category];
      if (score < least) {
        const failing = auditRefs.filter(({ id, weight }) => weight > 0 && lhr.audits[id].score !== null && lhr.audits[id].score < least);
        wrong.push(...failing.map(({ id }) => `    ${category}: ${id}: ${lhr.audits[id].title} ${lhr.audits[id].displayValue ?? ""}`));
      }
    }
    scores.push(["performance", "accessibility", "best-practices"].map((category) => String(Math.round(lhr.categories[category].score * 100)).padStart(5)).join(" "));
  }
  console.log(`${name.padEnd(22)}       ${scores[0]}            ${scores[1]}`);
  for (const words of new Set(wrong)) console.log(words);
  if (wrong.length > 0) process.exitCode = 1;
}

// The addresses of cases and notices of the demo, in the states that it has them.
async function places(address, logins) {
  const first = async (as, path, pattern) => (await (await fetch(address + path, { headers: { Cookie: logins[as] ?? "" } })).text()).match(pattern)?.[1];
  const of = (status) => first("employee", `/mina-arenden?status=${status}`, /href="(\/arenden\/[0-9a-f-]+)"/);
  const [received, asked, closed] = await Promise.all(["received", "in-process", "closed"].map(of));
  const notice = await first(null, "/driftstatus", /href="(\/driftstatus\/[0-9a-f-]{36})"/);
  const any = received ?? asked ?? closed;
  return { received: received ?? any, asked: asked ?? any, closed: closed ?? any, unread: undefined, scanned: undefined, notice };
}

async function logIn(address, person) {
  const answer = await fetch(`${address}/logga-in`, { method: "POST", body: new URLSearchParams({ person }), redirect: "manual", headers: { Origin: address } });
  return answer.headers.getSetCookie().map((cookie) => cookie.split(";")[0]).join("; ");
}

function ready() {
  return new Promise((resolve, reject) => {
    child.once("exit", () => reject(new Error("the program did not get ready")));
    createInterface({ input: child.stderr }).on("line", (line) => {
      const address = line.match(/^Kundwebb is ready: (http:\/\/\S+)/)?.[1];
      if (address) resolve(address);
    });
  });
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
