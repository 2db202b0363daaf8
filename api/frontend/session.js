// Warns two minutes before a login ends, and lets one go on. The windows of a browser tell each other; before it warns, the
// page asks, for another window may have been used. Whoever writes is here: that is a use, too.
"use strict";
(() => {
  const box = document.querySelector("[data-session]");
  if (!box) return;
  // Two minutes, and as long as a page may take to come: what it says of the time is as old as it is.
  const WARNED = 2 * 60_000 + 10_000;
  // The server keeps a use once a minute.
  const TOLD_EVERY = 60_000;
  const LONGEST_TIMER = 2 ** 31 - 1;
  const told = document.querySelector("[data-session-told]");
  const words = box.querySelector("#session-words");
  const [stay, again, close] = ["stay", "again", "close"].map((name) => box.querySelector(`[data-${name}]`));
  const channel = "BroadcastChannel" in window ? new BroadcastChannel("kundwebb-session") : null;
  let ends, known, timer, before, shown, closed;
  // How often it was learnt when the login ends.
  let learnt = 0;

  const came = Date.now();
  know({ unused: came + Number(box.dataset.unused) * 1000, anyway: came + Number(box.dataset.anyway) * 1000 }, came);
  channel?.postMessage(ends);
  plan();

  channel?.addEventListener("message", ({ data }) => { know(data, Date.now()); plan(); });
  stay.addEventListener("click", goOn);
  close.addEventListener("click", hide);
  box.addEventListener("keydown", ({ key }) => { if (key === "Escape") hide(); });
  for (const name of ["pointerdown", "keydown", "input"]) {
    document.addEventListener(name, ({ target }) => {
      if (!shown && !box.contains(target) && Date.now() - known >= TOLD_EVERY) renew();
    });
  }
  // What has slept, or comes back from the history, has not counted.
  document.addEventListener("visibilitychange", () => { if (!document.hidden) plan(); });
  window.addEventListener("pageshow", ({ persisted }) => { if (persisted) ask().then(plan); });

  function know(now, at) {
    ends = now;
    known = at;
    learnt += 1;
  }

  async function say(method) {
    const [from, before] = [Date.now(), learnt];
    try {
      const response = await fetch(box.dataset.session, { method, cache: "no-store" });
      if (!response.ok) return false;
      const left = await response.json();
      // What was asked before another window went on is old news.
      if (method === "GET" && learnt !== before) return say(method);
      know({ unused: from + left.unused * 1000, anyway: from + left.anyway * 1000 }, method === "POST" ? from : known);
      return true;
    } catch {
      return false;
    }
  }

  function ask() {
    return say("GET");
  }

  async function renew() {
    known = Date.now();
    if (!await say("POST")) return;
    channel?.postMessage(ends);
    plan();
  }

  // Does what is due now, and plans what comes next.
  async function plan() {
    clearTimeout(timer);
    const heard = left() <= WARNED && await ask();
    if (heard && left() > WARNED) channel?.postMessage(ends);
    clearTimeout(timer);
    if (left() > WARNED) {
      hide();
      closed = undefined;
      timer = setTimeout(plan, Math.min(left() - WARNED, LONGEST_TIMER));
      return;
    }
    // A page without anything typed makes way for the login, which says why.
    if (heard && left() <= 0 && !typed()) {
      location.replace(again.href);
      return;
    }
    show();
    // At each whole minute, and at the end.
    if (left() > 0) timer = setTimeout(plan, left() % 60_000 || 60_000);
  }

  function typed() {
    const fields = document.querySelectorAll("form[data-once] :is(textarea, input:not([type]), input[type=text], input[type=email], [data-file])");
    return [...fields].some((field) => field.value !== "");
  }

  function left() {
    return Math.min(ends.unused, ends.anyway) - Date.now();
  }

  function show() {
    const minutes = Math.min(2, Math.max(0, Math.ceil(left() / 60_000)));
    const final = ends.anyway - Date.now() <= WARNED;
    const kind = minutes === 0 ? "over" : final ? "final" : "idle";
    const text = {
      over: box.dataset.over,
      final: minutes === 1 ? box.dataset.finalLast : box.dataset.final,
      idle: minutes === 1 ? box.dataset.minute : box.dataset.minutes,
    }[kind].replace("{n}", minutes);
    if (closed === kind || words.textContent === text && shown) return;
    const first = shown !== kind;
    shown = kind;
    words.textContent = text;
    told.textContent = text;
    stay.hidden = kind !== "idle";
    again.hidden = kind !== "over";
    close.hidden = kind === "idle";
    box.hidden = false;
    box.setAttribute("role", kind === "idle" ? "alertdialog" : "region");
    document.documentElement.style.setProperty("--kw-covered", `${box.offsetHeight}px`);
    // Nobody has done anything for long, so that nobody is interrupted; else the focus stays where somebody writes.
    if (kind === "idle" && first) {
      before = document.activeElement;
      told.textContent = "";
      box.focus({ preventScroll: true });
    }
  }

  function hide() {
    if (!shown) return;
    closed = shown;
    shown = undefined;
    const inside = box.contains(document.activeElement);
    box.hidden = true;
    told.textContent = "";
    document.documentElement.style.removeProperty("--kw-covered");
    if (inside) (before ?? document.getElementById("main")).focus({ preventScroll: true });
  }

  async function goOn() {
    await renew();
    if (!shown) told.textContent = box.dataset.extended;
  }
})();
