// What the script adds: the focus on what is wrong, a count of characters, files that are uploaded at once, and one
// sending only. Everything works without it.
"use strict";
(() => {
  document.documentElement.classList.add("kw-script");

  // What was just done is told once, not each time that the page is loaded again.
  const here = new URL(location.href);
  const arrived = here.searchParams.has("done") || document.querySelector("[data-arrived]") !== null;
  if (["done", "utloggad"].some((told) => here.searchParams.has(told))) {
    for (const told of ["done", "utloggad"]) here.searchParams.delete(told);
    history.replaceState(history.state, "", here);
  }

  // The error summary has the focus, and its links lead into the field.
  document.querySelector("[data-focus]")?.focus();
  for (const link of document.querySelectorAll(".kw-summary a[href^='#']")) {
    link.addEventListener("click", (event) => {
      const field = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (!field) return;
      event.preventDefault();
      (field.closest(".kw-field") ?? field).scrollIntoView();
      field.focus({ preventScroll: true });
    });
  }

  // How many characters are left; told to screen readers when the writer has paused.
  for (const area of document.querySelectorAll("textarea[data-count-max]")) {
    const shown = document.querySelector(`[data-count-for="${area.id}"]`);
    if (!shown) continue;
    const spoken = document.createElement("p");
    spoken.className = "ds-sr-only";
    spoken.setAttribute("role", "status");
    shown.after(spoken);
    const max = Number(area.dataset.countMax);
    let pause;
    const tell = () => {
      const left = max - [...area.value.replaceAll("\r\n", "\n")].length;
      const words = left < 0 ? area.dataset.countOver : area.dataset.countLeft;
      shown.textContent = words.replace("{n}", Math.abs(left).toLocaleString("sv"));
      shown.toggleAttribute("data-over", left < 0);
      clearTimeout(pause);
      if (left < 200) pause = setTimeout(() => { spoken.textContent = shown.textContent; }, 1000);
    };
    area.addEventListener("input", tell);
    if (area.value) tell();
  }

  for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => { window.print(); });
  }

  // A form is sent once; the server would take a second sending as the same, too.
  for (const form of document.querySelectorAll("form[data-once]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.sent) return event.preventDefault();
      form.dataset.sent = "yes";
      // Whoever stopped the loading can send again.
      setTimeout(free, 5000);
    });
    const free = () => { delete form.dataset.sent; };
    // Whoever goes on typing has not sent that.
    form.addEventListener("input", free);
    window.addEventListener("pageshow", free);
  }

  // Notes of forms for the pages that come next in this tab: for each form a list, the latest first. Whoever forbids them, or
  // has no room for them, goes without.
  const NOTES = "kundwebb-form ";

  function forms() {
    try { return Object.keys(sessionStorage).filter((name) => name.startsWith(NOTES)); } catch { return []; }
  }

  function noted(name) {
    try { return JSON.parse(sessionStorage.getItem(name)) ?? []; } catch { return []; }
  }

  function note(name, all) {
    try {
      if (all.length > 0) sessionStorage.setItem(name, JSON.stringify(all));
      else sessionStorage.removeItem(name);
    } catch { /* As it would be without a script. */ }
  }

  // Who is logged in, without saying it.
  const { owner } = document.body.dataset;
  // How a form was sent is noted until it is known what became of that, and how it was left until it is kept. For nobody else
  // than who wrote it.
  for (const name of forms()) {
    const own = noted(name).filter((was) => !owner || was.owner === owner);
    note(name, own.map((was) => ({ ...was, arrived: was.arrived || (arrived && was.sent) })));
  }
  // How soon, and how late at most, what could not be kept is tried again, ms.
  const [AGAIN, AT_LAST] = [5000, 15_000];

  // What is typed in a form, and which files it has.
  function content(form) {
    const body = new FormData(form);
    for (const name of ["files", "action", "owner", "form", "window", "seen", "turn"]) body.delete(name);
    return JSON.stringify([...body]);
  }

  function fileName(row) {
    return row.querySelector(".kw-file-name").textContent.trim();
  }

  // The same as told to a person: the receipt of a file is another each time that it is shown, and whether it is sent once more
  // is nothing that was typed.
  function words(form) {
    return JSON.stringify([JSON.parse(content(form)).filter(([name]) => !["receipt", "again"].includes(name)), rows(form).map(fileName)]);
  }

  function hidden(form, name) {
    return form.querySelector(`input[type=hidden][name=${name}]`);
  }

  function fill(form, fields) {
    for (const field of form.querySelectorAll("textarea, select, input:not([type=hidden], [type=file])")) {
      const values = fields.filter(([name]) => name === field.name).map(([, value]) => value);
      if (["radio", "checkbox"].includes(field.type)) field.checked = values.includes(field.value);
      else field.value = values[0] ?? "";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }

  function rows(form) {
    return [...form.querySelectorAll("[data-file]")];
  }

  // Its button may have made way for another meanwhile.
  function submitAgain(form, button) {
    const same = [...form.elements].find(({ name, value }) => name === button?.name && value === button?.value);
    form.requestSubmit(button?.form === form ? button : same);
  }

  // A form that is kept as a draft: the whole of it each time, numbered within its window, which stays the same for whoever is
  // back in it in this tab.
  class Draft {
    constructor(form) {
      this.form = form;
      // By the address that it is sent to, and the case that it goes on from.
      this.notes = `${NOTES}${form.getAttribute("action")} ${form.dataset.autosave}`;
      this.status = form.querySelector("[data-autosave-status]");
      this.spoken = document.createElement("p");
      this.spoken.className = "ds-sr-only";
      this.spoken.setAttribute("role", "status");
      this.status.after(this.spoken);
      this.turn = 0;
      this.number = document.createElement("input");
      [this.number.type, this.number.name] = ["hidden", "turn"];
      form.append(this.number);
      // Nothing is put back by the browser, here, where it is known what became of it.
      for (const field of [form, ...form.elements]) field.autocomplete = "off";
      [this.kept, this.wait] = [content(form), AGAIN];
      form.addEventListener("input", () => this.later());
      form.addEventListener("submit", (event) => this.submit(event));
      window.addEventListener("online", () => this.saveNext());
      window.addEventListener("pageshow", ({ persisted }) => { if (persisted) this.maybeKept(true); });
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "hidden") this.keep(Promise.all([this.under, this.save(true)]));
      });
      this.goesOn();
    }

    async save(leaving) {
      clearTimeout(this.pause);
      if (!leaving) {
        clearTimeout(this.retry);
        await this.ask();
      }
      const now = content(this.form);
      if (this.form.dataset.sent || this.thrown || now === this.kept || (this.waits && !leaving)) return;
      const mine = this.turn += 1;
      const body = new FormData(this.form);
      body.delete("files");
      // What comes late is not kept over what was kept later.
      body.set("turn", mine);
      if (now === this.maybeSent) body.set("unanswered", "yes");
      if (leaving) this.note({ unanswered: now === this.maybeSent });
      const page = await this.post(body, leaving);
      if (!page) return this.missed();
      [this.kept, this.wait] = [now, AGAIN];
      if (mine === this.turn) this.forget();
      this.status.textContent = "";
      // What was sent is no draft.
      if (page.querySelector("[data-draft-saved]")) this.show(page, body.getAll("receipt"));
    }

    // The page that answers what is kept; none where it was not.
    async post(body, leaving) {
      body.set("action", "draft");
      try {
        const signal = AbortSignal.timeout(10_000);
        const request = { method: "POST", body, redirect: "manual", keepalive: leaving, signal };
        const answer = await fetch(this.form.getAttribute("action"), request);
        // Whoever has to log in, or to change roles, meets it there.
        if (!answer.ok && answer.type !== "opaqueredirect" && answer.status !== 403) return null;
        return new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
      } catch {
        return null;
      }
    }

    // It is said, and tried again, less and less often.
    missed() {
      const words = this.status.dataset.failed;
      if (this.status.textContent !== words) this.status.textContent = this.spoken.textContent = words;
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.saveNext(), this.wait);
      this.wait = Math.min(2 * this.wait, AT_LAST);
    }

    // The form goes on with what the page that answered has kept of it, and says so.
    show(page, receipts) {
      const { form, spoken } = this;
      const written = page.querySelector("form[data-autosave]");
      const [old, box] = [document, page].map((shown) => shown.querySelector("[data-draft-saved]"));
      const words = box.textContent.trim();
      this.status.textContent = words;
      spoken.textContent = "";
      // A draft of its own from now on: that is said where it stays, and spoken. Nothing older stays there.
      if (hidden(written, "form").value === hidden(form, "form").value) spoken.textContent = old ? "" : words;
      else if (!old) form.before(box);
      old?.replaceChildren(...box.children);
      // Files that went with what was sent are no longer its own.
      const there = rows(written).map(fileName);
      for (const receipt of form.querySelectorAll("[data-file] [name=receipt]")) {
        const row = receipt.closest("[data-file]");
        if (receipts.includes(receipt.value) && !there.includes(fileName(row))) row.remove();
      }
      // What is kept next comes after what that page shows.
      for (const name of ["form", "seen"]) hidden(form, name).value = hidden(written, name).value;
      // What was kept can be thrown away.
      const buttons = form.querySelector(".kw-buttons");
      if (!buttons.contains(document.activeElement)) buttons.replaceWith(written.querySelector(".kw-buttons"));
    }

    keep(saved) {
      const own = saved.finally(() => { if (this.under === own) this.under = null; });
      this.under = own;
    }

    // One after the other, for what comes later replaces what came before.
    saveNext() {
      this.keep(Promise.resolve(this.under).then(() => this.save(false)));
    }

    // When the writer has paused.
    later() {
      this.thrown = false;
      clearTimeout(this.pause);
      this.pause = setTimeout(() => this.saveNext(), 1500);
    }

    // What is being kept comes before what is sent or thrown away, lest it is a draft afterwards.
    submit(event) {
      if (event.defaultPrevented) return;
      clearTimeout(this.pause);
      if (!this.under) {
        // What was kept before, and comes late, is no draft any more.
        this.number.value = this.turn += 1;
        this.thrown = event.submitter?.value === "discard";
        const key = hidden(this.form, "form").value;
        if (this.thrown) this.forget((was) => was.key === key);
        else this.note({ sent: true, unanswered: true });
        return;
      }
      event.preventDefault();
      delete this.form.dataset.sent;
      this.pressed = event.submitter;
      this.waits = true;
      this.under.finally(() => {
        this.waits = false;
        submitAgain(this.form, this.pressed);
      });
    }

    // What the tab notes of it, in place of what it noted of this window before.
    note(more) {
      const { form, turn } = this;
      const [key, id, seen] = ["form", "window", "seen"].map((name) => hidden(form, name).value);
      const files = rows(form).map((row) => row.outerHTML).join("");
      this.forget();
      note(this.notes, [{ owner, key, id, seen, turn, content: content(form), words: words(form), files, ...more }, ...noted(this.notes)]);
    }

    forget(isOver = (was) => was.id === hidden(this.form, "window").value) {
      note(this.notes, noted(this.notes).filter((was) => !isOver(was)));
    }

    // From what this tab knows more of the form than the page that shows it again.
    goesOn() {
      const all = noted(this.notes).filter((was) => was.owner === owner);
      this.open = all.filter((was) => was.words !== words(this.form));
      note(this.notes, this.open);
      // What was sent and is shown again may be kept nowhere; it is the same window.
      const shown = all.find((was) => was.key === hidden(this.form, "form").value && !this.open.includes(was));
      const isEmpty = JSON.parse(content(this.form)).every(([, value]) => value === "");
      if (shown && !isEmpty && !hidden(this.form, "again")) {
        hidden(this.form, "window").value = shown.id;
        [this.turn, this.kept] = [shown.turn, null];
      }
      const [last] = this.open;
      const again = ["back_forward", "reload"].includes(performance.getEntriesByType("navigation")[0]?.type);
      if (last && again && !last.arrived && !this.isElsewhere(last)) this.goOnFrom(this.open.shift());
      else if (all.length > 0) this.saveNext();
    }

    // Whether another window has gone on with it.
    isElsewhere({ key, id, seen }) {
      const [shown, its] = [hidden(this.form, "seen"), hidden(this.form, "form")];
      return its.value === key && shown.dataset.keeper !== id && shown.value !== seen;
    }

    // What became of what is noted, the server knows: only if nothing has it is a draft now, and goes on here.
    async ask() {
      for (const was of [...this.open]) {
        const page = await this.post(this.asItWas(was), false);
        if (!page) {
          this.missed();
          continue;
        }
        this.open = this.open.filter((other) => other !== was);
        this.forget(({ id }) => id === was.id);
        if (page.querySelector("[data-draft-saved]") && this.isUntouched()) this.goOnFrom(was);
      }
    }

    // Whether nothing was typed, attached, kept, sent or thrown away here.
    isUntouched() {
      return this.turn === 0 && !this.waits && content(this.form) === this.kept && !this.form.querySelector("progress");
    }

    asItWas(was) {
      const body = new FormData();
      for (const [name, value] of JSON.parse(was.content)) body.append(name, value);
      const told = { form: was.key, window: was.id, seen: was.seen, turn: was.turn };
      for (const [name, value] of Object.entries(told)) body.set(name, value);
      if (was.unanswered) body.set("unanswered", "yes");
      body.set("owner", hidden(this.form, "owner").value);
      return body;
    }

    // It is the same window again, with all that was in it.
    goOnFrom(was) {
      const names = [["form", was.key], ["window", was.id], ["seen", was.seen]];
      for (const [name, value] of names) hidden(this.form, name).value = value;
      this.turn = was.turn;
      fill(this.form, JSON.parse(was.content));
      for (const row of rows(this.form)) row.remove();
      const files = new DOMParser().parseFromString(was.files, "text/html");
      this.form.querySelector("[data-file-list]").append(...rows(files));
      this.maybeKept(was.unanswered);
    }

    // Whether what is here now has come, the server knows by its key: it keeps as a draft only what was not sent or thrown
    // away, and writes over nothing that this window has not seen.
    maybeKept(unanswered) {
      [this.kept, this.maybeSent] = [null, unanswered ? content(this.form) : null];
      this.saveNext();
    }
  }

  // Files are uploaded as soon as they are chosen or dropped.
  for (const field of document.querySelectorAll("[data-files]")) upload(field);

  // What is typed is kept as a draft without being asked, when the writer has paused or leaves.
  for (const form of document.querySelectorAll("form[data-autosave]")) new Draft(form);

  function upload(field) {
    const input = field.querySelector("input[type=file]");
    const list = field.querySelector("[data-file-list]");
    const drop = field.querySelector("[data-drop]");
    const status = field.querySelector("[data-file-status]");
    const form = field.closest("form");
    const waiting = new Set();
    let resending = false;

    // A button that voice control can press too; the label and the errors lead to it.
    const choose = document.createElement("button");
    choose.type = "button";
    choose.className = "ds-button";
    choose.dataset.variant = "secondary";
    choose.id = input.id;
    const words = document.createElement("span");
    words.textContent = field.dataset.choose;
    words.id = `${input.id}-choose`;
    choose.append(words);
    const label = field.querySelector("label");
    label.id ||= `${input.id}-label`;
    choose.setAttribute("aria-labelledby", `${label.id} ${words.id}`);
    const described = input.getAttribute("aria-describedby");
    if (described) choose.setAttribute("aria-describedby", described);
    input.removeAttribute("id");
    input.hidden = true;
    input.before(choose);
    choose.addEventListener("click", () => input.click());

    input.addEventListener("change", () => take([...input.files]));
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.setAttribute("data-over", ""); });
    }
    for (const name of ["dragleave", "drop"]) {
      drop.addEventListener(name, (event) => { event.preventDefault(); drop.removeAttribute("data-over"); });
    }
    drop.addEventListener("drop", (event) => take([...event.dataTransfer.files]));

    // What has been uploaded can be taken away at once.
    list.addEventListener("click", (event) => {
      const button = event.target.closest("button[name=remove]");
      if (!button) return;
      event.preventDefault();
      const row = button.closest("li");
      status.textContent = field.dataset.removed.replace("{file}", fileName(row));
      row.remove();
      form.dispatchEvent(new Event("input"));
      choose.focus();
    });

    // Whoever leaves while files are under way is asked first.
    window.addEventListener("beforeunload", (event) => { if (waiting.size > 0) event.preventDefault(); });

    // Whoever sends while files are under way sends when they are there. A file that did not come stops the sending once:
    // who then sends again does so without it.
    form.addEventListener("submit", (event) => {
      const isSent = !["draft", "discard"].includes(event.submitter?.value);
      const failed = isSent ? [...list.querySelectorAll("[data-file-error]:not([data-told])")] : [];
      if (waiting.size === 0 && failed.length === 0) return;
      event.preventDefault();
      delete form.dataset.sent;
      const submitter = event.submitter;
      if (waiting.size > 0) {
        // However often the button is pressed meanwhile, it is sent again once.
        if (resending) return;
        resending = true;
        Promise.allSettled([...waiting]).then(() => {
          resending = false;
          submitAgain(form, submitter);
        });
        return;
      }
      for (const row of failed) row.setAttribute("data-told", "");
      status.textContent = field.dataset.notSent;
      const told = document.createElement("p");
      told.className = "ds-validation-message";
      told.dataset.field = "validation";
      told.textContent = field.dataset.notSent;
      failed.at(-1).append(told);
      field.scrollIntoView();
      choose.focus({ preventScroll: true });
    });

    function take(files) {
      for (const row of list.querySelectorAll("[data-file-error]")) row.remove();
      input.value = "";
      for (const file of files) begin(file);
    }

    function begin(file) {
      const done = send(file).finally(() => waiting.delete(done));
      waiting.add(done);
    }

    async function send(file) {
      const row = document.createElement("li");
      row.className = "kw-file";
      const name = document.createElement("span");
      name.className = "kw-file-name";
      name.textContent = file.name;
      const state = document.createElement("span");
      const bar = document.createElement("progress");
      bar.max = 100;
      bar.setAttribute("aria-label", file.name);
      row.append(name, bar, state);
      list.append(row);
      try {
        // A file that is open elsewhere or has changed is found out here, before anything is sent.
        await file.slice(0, 1).arrayBuffer();
      } catch {
        return refuse(row, field.dataset.unreadable.replace("{file}", file.name));
      }
      const tell = (percent) => {
        bar.value = percent;
        state.textContent = field.dataset.uploading.replace("{percent}", percent);
      };
      tell(0);
      status.textContent = `${file.name}: ${state.textContent}`;
      const answer = await post(file, tell);
      const rows = new DOMParser().parseFromString(answer?.text ?? "", "text/html").querySelectorAll("li");
      if (!answer || rows.length === 0) {
        // A file that cannot be read to its end looks like a line that broke, until one reads all of it: of a part of one
        // that is gone browsers say that it is empty.
        const readable = answer || await file.arrayBuffer().then(() => true, () => false);
        refuse(row, field.dataset[readable ? "failed" : "unreadable"].replace("{file}", file.name));
        if (readable) row.append(again(row, file));
        return;
      }
      row.replaceWith(...rows);
      form.dispatchEvent(new Event("input"));
      if (![...rows].some((own) => own.hasAttribute("data-file-error"))) settled();
      status.textContent = [...rows].map((own) => own.querySelector(".ds-validation-message")?.textContent
        ?? `${file.name}: ${field.dataset.attached}`).join(" ");
    }

    // What was wrong with the files before is not wrong any more.
    function settled() {
      field.querySelector(".kw-errors")?.remove();
      field.removeAttribute("data-invalid");
      for (const link of document.querySelectorAll(`.kw-summary a[href="#${choose.id}"]`)) link.closest("li").remove();
      const summary = document.querySelector(".kw-summary");
      if (summary && !summary.querySelector("li")) summary.remove();
    }

    function refuse(row, words) {
      const text = document.createElement("p");
      text.className = "ds-validation-message";
      text.dataset.field = "validation";
      text.textContent = words;
      row.replaceChildren(text);
      row.setAttribute("data-file-error", "");
      status.textContent = words;
    }

    // What broke off on the way can be sent once more.
    function again(row, file) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "ds-button";
      button.dataset.variant = "secondary";
      button.dataset.size = "sm";
      button.textContent = field.dataset.again;
      button.setAttribute("aria-label", `${field.dataset.again}: ${file.name}`);
      button.addEventListener("click", () => {
        row.remove();
        choose.focus();
        begin(file);
      });
      return button;
    }

    // The answer; null when the file could not be read to its end or nothing came back.
    function post(file, tell) {
      return new Promise((resolve) => {
        const body = new FormData();
        const owner = form.querySelector("input[name=owner]");
        if (owner) body.append("owner", owner.value);
        body.append("files", file);
        const request = new XMLHttpRequest();
        request.open("POST", field.dataset.upload);
        request.upload.addEventListener("progress", (event) => {
          if (event.lengthComputable) tell(Math.round((event.loaded / event.total) * 100));
        });
        request.addEventListener("load", () => resolve({ text: request.responseURL.includes("/filer") ? request.responseText : "" }));
        request.addEventListener("error", () => resolve(null));
        request.addEventListener("abort", () => resolve(null));
        request.send(body);
      });
    }
  }
})();
