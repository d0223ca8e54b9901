// What the pages do beyond HTML. Each works without this script, only less comfortably:
// errors get the focus, countdowns run, live regions are renewed, references are copied, a form is sent once, and a code is taken
// from a text message. Nothing is kept, and nothing is asked of another origin.
"use strict";

(() => {
  const said = document.getElementById("said");
  const say = (text) => { if (said && text) said.textContent = text; };

  // Each function brings one part of a page to life. It runs for the page, and again for a region that was renewed.
  const parts = [copyButtons, countdowns, forms];
  const enliven = (root) => parts.forEach((part) => part(root));

  function copyButtons(root) {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("button[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", async () => {
        try {
          await navigator.clipboard.writeText(button.dataset.copy);
          button.querySelector("span").textContent = said.dataset.copied;
          say(said.dataset.copied);
        } catch { /* the text can still be selected */ }
      });
    }
  }

  // Countdowns. The time left when the page was made is known; the browser's own clock may be wrong and is only used for what
  // passes from then on.
  const ticking = new Map();

  function countdowns(root) {
    for (const line of root.querySelectorAll("[data-left]")) {
      ticking.set(line, performance.now() + Number(line.dataset.left));
      hold(line, Number(line.dataset.left) > 0);
    }
    tick();
  }

  // hold keeps back the button that a countdown is for, in a way that can still be reached and heard.
  function hold(line, on) {
    const button = line.dataset.enables && document.getElementById(line.dataset.enables);
    if (!button) return;
    if (on) button.setAttribute("aria-disabled", "true");
    else button.removeAttribute("aria-disabled");
  }

  function tick() {
    for (const [line, end] of ticking) {
      const left = end - performance.now();
      const text = left > 0 ? line.dataset.text.replace("{}", words(line, left)) : line.dataset.done;
      if (line.textContent !== text) line.textContent = text;
      if (left > 0 && line.isConnected) continue;
      ticking.delete(line);
      if (!line.isConnected) continue;
      hold(line, false);
      say(line.dataset.done);
    }
  }

  // words says a length of time in the unit that the server would choose (spanUp), rounded up.
  function words(line, left) {
    const units = [["seconds", 1e3, 90e3], ["minutes", 60e3, 54e5], ["hours", 36e5, 1296e5], ["days", 864e5, Infinity]];
    const [name, size] = units.find(([, , most]) => left <= most);
    const n = Math.ceil(left / size);
    const form = n === 1 ? "One" : "Other";
    return line.dataset[name + form].replace("#", n);
  }

  // Forms. A held button sends nothing. A form that was sent is not sent again at once; a while later it may be, since the reader
  // may have stopped the first one.
  const again = 5000;

  function forms(root) {
    for (const form of root.querySelectorAll("form[data-once]")) {
      let sent = -again;
      form.addEventListener("submit", (event) => {
        const held = event.submitter && event.submitter.getAttribute("aria-disabled") === "true";
        if (held || performance.now() - sent < again) {
          event.preventDefault();
          return;
        }
        sent = performance.now();
        say(said.dataset.sending);
      });
    }
  }

  // Live regions. While there is one, the page is loaded again in the background, at first every two seconds, then less often, and a
  // region that reads differently takes the place of the old one. A region in which somebody types is left alone; what was focused in
  // one stays so. Each time counts as a sign of life of the visit, so none is sent while nobody looks, nor for long after the reader
  // last did something.
  const fastest = 2000, slowest = 30000, patience = 10 * 60e3;
  let pause = fastest, timer = 0, stirred = performance.now();

  const regions = () => [...document.querySelectorAll("[data-live]")];
  const attended = () => !document.hidden && performance.now() - stirred < patience;

  function watch() {
    clearTimeout(timer);
    if (regions().length > 0 && attended()) timer = setTimeout(renew, pause);
  }

  function wake() {
    stirred = performance.now();
    pause = fastest;
    watch();
  }

  function stir() {
    if (attended()) stirred = performance.now();
    else wake();
  }

  async function renew() {
    const [first] = regions();
    if (!first || !attended()) return;
    pause = Math.min(pause * 1.2, slowest);
    try {
      const answer = await fetch(first.dataset.live || location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      if ([401, 403, 404, 410].includes(answer.status)) return stop(); // asking again would not help
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        const gone = answer.redirected || regions().some((region) => !fresh.getElementById(region.id));
        if (gone) return leave(answer.url);
        for (const region of regions()) replace(region, fresh.getElementById(region.id));
      }
    } catch { /* no network: asked again later */ }
    watch();
  }

  // leave goes to the page that stands here now, such as when the contact was verified in another window. Whoever is in the middle of
  // typing is told and goes by themselves.
  function leave(to) {
    if (fields(document).some(written)) stop();
    else location.replace(to);
  }

  // stop says in place of what was waited for that this page is behind, in words that came with it.
  function stop() {
    const [first] = regions();
    if (!first) return;
    const behind = first.querySelector("template[data-behind]").content;
    if (typing(first) || first.contains(document.activeElement)) first.prepend(behind);
    else first.replaceChildren(behind);
    for (const region of regions()) region.removeAttribute("data-live");
  }

  function replace(region, fresh) {
    if (typing(region)) return;
    if (!fresh.hasAttribute("data-live")) region.removeAttribute("data-live");
    if (bare(fresh) === region.before) return;
    const focused = region.contains(document.activeElement) && document.activeElement;
    region.before = bare(fresh);
    region.replaceChildren(...document.importNode(fresh, true).childNodes);
    enliven(region);
    if (focused) refocus(region, focused.id);
    pause = fastest;
  }

  // bare is what a region says, apart from what only the clock changes.
  function bare(region) {
    const copy = region.cloneNode(true);
    for (const part of copy.querySelectorAll("[data-left], .relative")) {
      part.removeAttribute("data-left");
      part.textContent = "";
    }
    return copy.innerHTML;
  }

  const fields = (root) => [...root.querySelectorAll("input:not([type=hidden]), textarea, select")];
  const written = (field) => field.defaultValue !== undefined && field.value !== field.defaultValue;
  const typing = (region) => fields(region).some((field) => field === document.activeElement || written(field));

  function refocus(region, id) {
    const same = id && document.getElementById(id);
    if (!same) region.tabIndex = -1;
    (same || region).focus({ preventScroll: true });
  }

  document.addEventListener("visibilitychange", wake);
  for (const sign of ["pointerdown", "keydown", "wheel"]) addEventListener(sign, stir, { capture: true, passive: true });

  // WebOTP: the browser offers to fill in the code of a message that names this page's origin. It is not sent by itself.
  function codeFromMessage() {
    const field = document.querySelector("input[data-otp]");
    if (!field || !("OTPCredential" in window)) return;
    const stop = new AbortController();
    field.form.addEventListener("submit", () => stop.abort());
    navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal })
      .then((message) => { if (!field.value) field.value = message.code; })
      .catch(() => {}); // not allowed, or nothing came
  }

  for (const region of regions()) region.before = bare(region);
  enliven(document);
  setInterval(tick, 250);
  codeFromMessage();
  watch();
  const first = document.querySelector("[data-focus]");
  if (first) first.focus();
})();
