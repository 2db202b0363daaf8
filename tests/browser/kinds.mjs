// Every page of the program, by its route, in every state that looks like something of its own. A new page needs a line
// here: `every.mjs` is told the program's routes and fails when one is missing.
//
// A visit has a name (that of its picture); `as` is who is logged in, `path` the address where it is not the route,
// `status` what is answered, `act` what is done there before it is looked at. `at` knows the addresses of cases.

// What answers with no page, but with a file, or by leading elsewhere.
export const NO_PAGE = Symbol("no page");

const file = { name: "underlag till ärendet.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.7\n%%EOF\n") };

export const kinds = (at) => ({
  "/": [{ name: "start" }, { name: "start-employee", as: "employee" }, { name: "start-officer", as: "officer" }],
  "/support": [{ name: "support" }],
  "/tjanster": [{ name: "services" }, { name: "services-payroll", as: "employee" }],
  "/tjanster/tidplan.ics": NO_PAGE,
  "/tjanster/blanketter/{code}": [
    { name: "payroll-form-none", as: "employee", path: "/tjanster/blanketter/saknas", status: 404 },
  ],
  "/redaktion": [{ name: "editing", as: "editor" }],
  "/redaktion/{page}": [
    { name: "editing-text", as: "editor", path: "/redaktion/start" },
    { name: "editing-catalogue", as: "editor", path: "/redaktion/tjanstekatalog" },
  ],
  "/redaktion/{page}/historik": [{ name: "editing-history", as: "editor", path: "/redaktion/start/historik" }],
  "/redaktion/blanketter": [{ name: "payroll-forms", as: "editor" }],
  "/redaktion/blanketter/ny": [
    { name: "payroll-form-new", as: "editor" },
    { name: "payroll-form-wrong", as: "editor", status: 422, act: sent("/redaktion/blanketter/ny") },
  ],
  "/redaktion/blanketter/{code}": [{ name: "payroll-form", as: "editor", path: "/redaktion/blanketter/L-101" }],
  "/redaktion/blanketter/{code}/versioner/{version}": [
    { name: "payroll-version-none", as: "editor", path: "/redaktion/blanketter/L-101/versioner/9", status: 404 },
  ],
  "/redaktion/tidplan": [{ name: "payroll-periods", as: "editor" }],
  "/redaktion/tidplan/ny": [
    { name: "payroll-period-new", as: "editor" },
    { name: "payroll-period-wrong", as: "editor", status: 422, act: sent("/redaktion/tidplan/ny", { payDay: "" }) },
  ],
  "/redaktion/tidplan/{period}": [{ name: "payroll-period", as: "editor", path: "/redaktion/tidplan/2027-01" }],
  "/driftstatus": [{ name: "status" }, { name: "status-editor", as: "editor" }],
  "/driftstatus/atom": NO_PAGE,
  "/driftstatus/ny": [
    { name: "status-new", as: "editor" },
    { name: "status-new-wrong", as: "editor", status: 422, act: sent("/driftstatus/ny") },
  ],
  "/driftstatus/{id}": [{ name: "notice", path: at.notice }, { name: "notice-editor", as: "editor", path: at.notice }],
  "/driftstatus/{id}/andra": [{ name: "notice-change", as: "editor", path: `${at.notice}/andra` }],
  "/tillganglighet": [{ name: "accessibility" }],
  "/personuppgifter": [{ name: "personal-data" }],
  "/kakor": [{ name: "cookies" }],
  "/sprak": NO_PAGE,
  "/valj-arbetsgivare": [
    { name: "employer" },
    { name: "employer-wrong", status: 422, act: sent("/valj-arbetsgivare") },
  ],
  "/logga-in": [{ name: "login" }],
  "/logga-in/svar": [{ name: "login-answer", status: 403 }],
  "/logga-in/fel": [{ name: "login-failed", status: 403 }],
  "/logga-ut": [{ name: "logout", as: "employee" }],
  "/session": NO_PAGE,
  "/roll": [{ name: "role", as: "lead" }],
  "/installningar": [
    { name: "settings", as: "employee" },
    { name: "settings-wrong", as: "employee", status: 422, act: sent("/installningar", { email: "anna@" }) },
  ],
  "/skapa-arende": [
    { name: "create", as: "employee" },
    { name: "create-wrong", as: "employee", status: 422, act: sent("/skapa-arende") },
    { name: "create-payroll", as: "other", act: payroll },
    { name: "create-other", as: "requester", act: payroll },
  ],
  "/mina-arenden": [
    { name: "list", as: "employee" },
    { name: "list-empty", as: "newcomer" },
    { name: "list-none", as: "employee", path: "/mina-arenden?q=finnsinte" },
    { name: "list-wrong", as: "employee", path: "/mina-arenden?fran=2026-11-23&till=2026-11-01" },
    { name: "list-page", as: "employee", path: "/mina-arenden?page=2" },
  ],
  "/arenden/{id}": [
    { name: "case-received", as: "employee", path: at.received },
    { name: "case-asked", as: "employee", path: at.asked },
    { name: "case-message-wrong", as: "employee", path: at.asked, status: 422, act: sent(`${at.asked}/meddelande`) },
    { name: "case-closed", as: "employee", path: at.closed },
    { name: "case-opinion-wrong", as: "employee", path: at.closed, status: 422, act: sent(`${at.closed}/omdome`) },
    { name: "case-scan", as: "employee", path: at.scanned },
    { name: "case-officer-received", as: "officer", path: at.received },
    { name: "case-officer-own", as: "officer", path: at.asked, act: unfolded },
    { name: "case-officer-answer-wrong", as: "officer", path: at.asked, status: 422, act: sent(`${at.asked}/svar`) },
    { name: "case-officer-closed", as: "officer", path: at.closed },
    { name: "case-officer-scan", as: "officer", path: at.scanned },
    { name: "case-lead", as: "lead", path: at.asked, act: unfolded },
    { name: "case-registrar", as: "registrar", path: at.asked, act: unfolded },
    { name: "case-auditor", as: "auditor", path: at.closed },
  ],
  "/arenden/{id}/mottaget": [{ name: "receipt", as: "employee", path: `${at.received}/mottaget` }],
  "/arenden/{id}/filer/{attachment}": NO_PAGE,
  "/arenden/{id}/allt": NO_PAGE,
  "/arenden/{id}/lasningar": [
    { name: "readings", as: "employee", path: `${at.closed}/lasningar` },
    { name: "readings-none", as: "other", path: `${at.unread}/lasningar` },
  ],
  "/handlaggare": [
    { name: "queue", as: "officer" },
    { name: "queue-all", as: "officer", path: "/handlaggare?status=all" },
    { name: "queue-none", as: "officer", path: "/handlaggare?q=finnsinte" },
    { name: "queue-lead", as: "lead" },
  ],
  "/handlaggare/telefonarende": [
    { name: "phone", as: "officer" },
    { name: "phone-wrong", as: "officer", status: 422, act: sent("/handlaggare/telefonarende") },
  ],
  "/register": [
    { name: "register", as: "registrar" },
    { name: "register-employer", as: "administrator" },
    { name: "register-archivist", as: "archivist" },
  ],
  "/statistik": [{ name: "statistics", as: "officer" }, { name: "statistics-employer", as: "administrator" }],
  "/revision": [
    { name: "audit", as: "auditor" },
    { name: "audit-wrong", as: "auditor", path: "/revision?case=fel" },
  ],
  "/revision/lasningar": [
    { name: "read-log", as: "auditor" },
    { name: "read-log-wrong", as: "auditor", path: "/revision/lasningar?show=1" },
    { name: "read-log-shown", as: "auditor", path: "/revision/lasningar?show=1&reason=Tillsyn" },
  ],
  "/revision/arenden/{id}": [
    { name: "replay", as: "auditor", path: `/revision${at.closed}` },
    { name: "replay-shown", as: "auditor", path: `/revision${at.closed}?version=2&reason=Tillsyn` },
  ],
});

// What is no route of its own: failures, and the description of the API.
export const others = [
  { name: "404", path: "/finns-inte", status: 404 },
  { name: "404-employee", as: "employee", path: "/arenden/01931b2c-0000-7000-8000-000000000001", status: 404 },
  { name: "403", as: "employee", path: "/handlaggare", status: 403 },
  { name: "403-centre", as: "officer", path: "/revision", status: 403 },
  { name: "api-docs", path: "/api/v1/docs" },
];

// What is seen while nothing can be written, no reading can be recorded, and the service status cannot be read.
export const failing = (at) => [
  { name: "500", path: "/driftstatus", status: 500 },
  { name: "503", as: "officer", path: at.received, status: 503 },
  {
    name: "503-form", as: "employee", path: at.received, status: 503,
    act: sent(`${at.received}/meddelande`, { text: "En sak till" }),
  },
];

// Sends a form as it is, or with some fields filled in.
function sent(action, fields = {}) {
  return async (page) => {
    for (const [name, value] of Object.entries(fields)) await page.locator(`form[action="${action}"] [name=${name}]`).fill(value);
    await Promise.all([
      page.waitForEvent("response", (response) => response.request().isNavigationRequest()),
      page.evaluate((action) => {
        const form = document.querySelector(`form[action="${action}"]`);
        form.requestSubmit(form.querySelector("[name=action]"));
      }, action),
    ]);
    await page.waitForLoadState();
  };
}

// The form at its longest: payroll, a document, a file that is there and one that cannot be.
async function payroll(page) {
  await page.locator("[name=area][value=lon]").check();
  await page.locator("[name=subArea][value=beslut-underlag]").check();
  await page.locator("[name=subject]").fill("Beslut om tjänstledighet");
  await page.locator("[name=message]").fill("Här kommer beslutet.");
  await page.locator("input[type=file]").setInputFiles([file, { ...file, name: "program.exe" }]);
  await page.locator(".kw-file .kw-dot").first().waitFor();
  await page.locator("[data-file-error]").waitFor();
}

// All that an officer can do with the case.
async function unfolded(page) {
  await page.evaluate(() => { for (const part of document.querySelectorAll("details")) part.open = true; });
}
