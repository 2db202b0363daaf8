// What the script adds: the focus on what is wrong, a count of characters, files that are uploaded at once, and one
// sending only. Everything works without it.
"use strict";
(() => {
  document.documentElement.classList.add("kw-script");

  // What was just done is told once, not each time that the page is loaded again.
  const here = new URL(location.href);
  if (here.searchParams.has("done")) {
    here.searchParams.delete("done");
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

  // Notes for the page that comes next in this tab. Whoever forbids them, or has no room for them, goes without.
  function note(name, ...parts) {
    try { sessionStorage.setItem(name, JSON.stringify(parts)); } catch { /* As it would be without a script. */ }
  }

  function noted(name) {
    try { return JSON.parse(sessionStorage.getItem(name) ?? "[]"); } catch { return []; } finally { forget(name); }
  }

  function forget(name) {
    try { sessionStorage.removeItem(name); } catch { /* There is none. */ }
  }

  // Which form was sent last, under which key and with what, until a page of ours comes.
  let unanswered = [];
  window.addEventListener("pageshow", () => { unanswered = noted("kundwebb-sent"); });

  // What is typed in a form, and which files it has.
  function content(form) {
    const body = new FormData(form);
    for (const name of ["files", "action", "owner", "form", "window", "seen"]) body.delete(name);
    return JSON.stringify([...body]);
  }

  function fileName(row) {
    return row.querySelector(".kw-file-name").textContent.trim();
  }

  // What tells one content from another, without saying it: it may be there when somebody else is.
  function mark(form, withFiles = true) {
    // A receipt is another each time that it is shown.
    let text = JSON.stringify(JSON.parse(content(form)).filter(([name]) => name !== "receipt"));
    if (withFiles) text += rows(form).map(fileName).join("");
    return [...text].reduce((sum, character) => (Math.imul(sum, 31) + character.codePointAt(0)) | 0, text.length);
  }

  function hidden(form, name) {
    return form.querySelector(`input[type=hidden][name=${name}]`);
  }

  // Not every browser puts back what was typed in a page that is not to be stored.
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

  // The form has these files, too.
  function addFiles(form, more) {
    const there = rows(form).map(fileName);
    form.querySelector("[data-file-list]").append(...more.filter((row) => !there.includes(fileName(row))));
  }

  // What is kept next comes after what a page shows.
  function goAfter(form, written) {
    for (const name of ["form", "seen"]) hidden(form, name).value = hidden(written, name).value;
  }

  // The form goes on with what the page that answered has kept of it, and says so.
  function goOn(form, page, { receipts, spoken, words }) {
    const written = page.querySelector("form[data-autosave]");
    form.querySelector("[data-autosave-status]").textContent = words;
    // A draft of its own from now on: that is said where it stays, and spoken.
    if (hidden(written, "form").value !== hidden(form, "form").value) {
      const box = page.querySelector("[data-draft-saved]");
      const old = document.querySelector("[data-draft-saved]");
      if (old) old.replaceWith(box); else form.before(box);
      spoken.textContent = "";
    }
    // Files that went with what was sent are no longer its own.
    const left = rows(written).map(fileName);
    for (const receipt of form.querySelectorAll("[data-file] [name=receipt]")) {
      const row = receipt.closest("[data-file]");
      if (receipts.includes(receipt.value) && !left.includes(fileName(row))) row.remove();
    }
    spoken.textContent ||= words;
    goAfter(form, written);
  }

  // Its button may have made way for another meanwhile.
  function submitAgain(form, button) {
    const same = [...form.elements].find(({ name, value }) => name === button?.name && value === button?.value);
    form.requestSubmit(button?.form === form ? button : same);
  }

  function autosave(form) {
    const spoken = document.createElement("p");
    spoken.className = "ds-sr-only";
    spoken.setAttribute("role", "status");
    form.querySelector("[data-autosave-status]").after(spoken);
    let kept = content(form);
    let turn = 0;
    let pause, under, typed, maybeSent, pressed, waits, thrown;
    const seen = hidden(form, "seen");
    const place = location.pathname + form.getAttribute("action") + seen.dataset.owner;
    // As the server shows it; what a browser puts back comes later.
    const served = mark(form);
    window.addEventListener("pageshow", (event) => {
      const [sent, key, shown, what, fields, files] = unanswered;
      const again = ["back_forward", "reload"].includes(performance.getEntriesByType("navigation")[0]?.type);
      if (sent === place && again && (!typed || what === mark(form, false))) {
        if (what !== mark(form, false)) fill(form, JSON.parse(fields));
        // Whether it came, the server knows by its key: it keeps as a draft only what did not, and writes over nothing that was
        // not seen when it was sent. Each draft has its own files.
        [hidden(form, "form").value, seen.value] = [key, shown];
        for (const row of rows(form)) row.remove();
        addFiles(form, rows(new DOMParser().parseFromString(files, "text/html")));
        kept = null;
        later();
        maybeSent = content(form);
      } else if (!event.persisted && !typed) {
        // What the browser itself puts back is not newly typed: it was sent. What was typed while the page loaded is.
        kept = content(form);
      }
      keep(comeBack(form, served).catch(() => {}));
    });
    const save = async (leaving) => {
      clearTimeout(pause);
      const now = content(form);
      if (form.dataset.sent || thrown || now === kept || (waits && !leaving)) return;
      const body = new FormData(form);
      body.delete("files");
      body.set("action", "draft");
      // What comes late is not kept over what was sent later.
      body.set("turn", turn += 1);
      if (now === maybeSent) body.set("unanswered", "yes");
      if (leaving) note("kundwebb-left", location.pathname, mark(form), mark(form, false), Date.now());
      try {
        const signal = AbortSignal.timeout(10_000);
        const request = { method: "POST", body, redirect: "manual", keepalive: leaving, signal };
        const answer = await fetch(form.getAttribute("action"), request);
        const page = new DOMParser().parseFromString(answer.ok ? await answer.text() : "", "text/html");
        const words = page.querySelector("[data-draft-saved]")?.textContent.trim();
        if (!words) return;
        kept = now;
        forget(leaving ? "kundwebb-left" : "kundwebb-sent");
        goOn(form, page, { receipts: body.getAll("receipt"), spoken, words });
        // What was kept can be thrown away.
        const buttons = form.querySelector(".kw-buttons");
        if (!buttons.contains(document.activeElement)) buttons.replaceWith(page.querySelector("form[data-autosave] .kw-buttons"));
      } catch {
        // It is tried again at the next pause.
      }
    };
    const keep = (saved) => {
      const own = saved.finally(() => { if (under === own) under = null; });
      under = own;
    };
    // One after the other, for what comes later replaces what came before.
    const later = (event) => {
      [typed, thrown] = [true, false];
      // Whoever goes on typing has stopped what was being sent.
      if (event?.isTrusted) forget("kundwebb-sent");
      clearTimeout(pause);
      pause = setTimeout(() => keep(Promise.resolve(under).then(() => save(false))), 1500);
    };
    form.addEventListener("input", later);
    // What is being kept comes before what is sent or thrown away, lest it is a draft afterwards.
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      clearTimeout(pause);
      if (!under) {
        const files = rows(form).map((row) => row.outerHTML).join("");
        thrown = event.submitter?.value === "discard";
        if (thrown) forget("kundwebb-sent");
        else note("kundwebb-sent", place, hidden(form, "form").value, seen.value, mark(form, false), content(form), files);
        return;
      }
      event.preventDefault();
      delete form.dataset.sent;
      pressed = event.submitter;
      if (waits) return;
      waits = true;
      under.finally(() => {
        waits = false;
        submitAgain(form, pressed);
      });
    });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "hidden") keep(Promise.all([under, save(true)]));
    });
  }

  // Who leaves and is back at once may be shown the form as it was before what was kept on leaving had come: it is asked for
  // until it is there. What is typed meanwhile comes after it, where all of it was shown.
  async function comeBack(form, served) {
    const [path, left, fields, at] = noted("kundwebb-left");
    if (path !== location.pathname || left === served || Date.now() - at > 15_000) return;
    const shown = content(form);
    const whole = fields === mark(form, false);
    for (let turn = 0; turn < 10; turn += 1) {
      const answer = await fetch(location.href, { signal: AbortSignal.timeout(3000) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("form[data-autosave]");
      if (now && mark(now) === left) {
        const idle = content(form) === shown && !form.querySelector("progress");
        // What waits for it is not sent any more, for it is not what will be shown.
        if (idle && mark(form) !== left) return new Promise(() => { location.reload(); });
        if (whole) addFiles(form, rows(now));
        if (whole) goAfter(form, now);
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, 300); });
    }
  }

  // Files are uploaded as soon as they are chosen or dropped.
  for (const field of document.querySelectorAll("[data-files]")) upload(field);

  // What is typed is kept as a draft without being asked, when the writer has paused or leaves.
  for (const form of document.querySelectorAll("form[data-autosave]")) autosave(form);

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

    // Whoever sends while files are under way sends when they are there. A file that did not come stops the sending once:
    // who then sends again does so without it.
    form.addEventListener("submit", (event) => {
      const failed = [...list.querySelectorAll("[data-file-error]:not([data-told])")];
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
