// Progressive enhancement; every link and form works without it.
//   <a data-swap="#id" [data-push]>       fetches the link and puts the answer's #id in the place of ours
//   <form data-swap="#id">                the same for a form; a GET form also changes the address
//   <form data-live="/fit" data-live-swap="#fit">  asks that address what a page shows of these fields, shortly after
//                                         the last change; without an address, the form's own
//   <section id="x" data-poll="5">        is fetched again every 5 s while the tab is seen; data-poll="" stops it
//   <… data-announce="…">                 inside a swapped part: is read out politely
// Parts keep the focus and what was typed: a field in use is never replaced by polling.

const LIVE_DELAY_MS = 350;
const WRONG_FORM = 422;
const LEFT = "left"; // what a swap answers when the browser goes to another page instead
const pending = new Map();

const announce = (sentence) => {
  const live = document.getElementById("live");
  if (live) live.textContent = sentence;
};

const isPlainClick = (event) => !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button);

async function fetchPart(selector, url, options = {}, purpose = "swap") {
  pending.get(selector)?.abort();
  const controller = new AbortController();
  pending.set(selector, controller);
  try {
    const response = await fetch(url, { ...options, signal: controller.signal, headers: { "X-Partial": purpose } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    return { response, page, part: page.querySelector(selector) };
  } finally {
    if (pending.get(selector) === controller) pending.delete(selector);
  }
}

function replace(selector, part) {
  const old = document.querySelector(selector);
  if (!old) return;
  const focusedId = old.contains(document.activeElement) ? document.activeElement.id : "";
  old.replaceWith(document.adoptNode(part));
  const fresh = document.querySelector(selector);
  const focus = fresh.querySelector("[autofocus]") || (focusedId ? document.getElementById(focusedId) : null);
  focus?.focus({ preventScroll: true });
  const said = fresh.matches("[data-announce]") ? fresh : fresh.querySelector("[data-announce]");
  if (said) announce(said.dataset.announce);
  startPolling(fresh);
}

// `push` puts the new address into the history; a `quiet` swap changes its part or nothing.
async function swap(selector, url, options, { push = false, quiet = false } = {}) {
  const target = document.querySelector(selector);
  target?.setAttribute("aria-busy", "true");
  try {
    const { response, part, page } = await fetchPart(selector, url, options, quiet ? "peek" : "swap");
    if (part) replace(selector, part);
    else if (quiet) return;
    else if (response.redirected || !page.querySelector("#main")) {
      location.assign(response.url);
      return LEFT;
    }
    else replace("#main", page.querySelector("#main"));
    if (part) showMessages(page);
    if (response.status === WRONG_FORM) document.querySelector(selector)?.querySelector("[aria-invalid=true]")?.focus();
    if (!quiet) document.title = page.title || document.title;
    if (push || (response.redirected && !quiet)) history.pushState({ selector }, "", response.url);
  } catch (error) {
    if (error.name === "AbortError") return;
    announce("The page could not be refreshed. Check your connection and try again.");
  } finally {
    if (!pending.has(selector)) document.querySelector(selector)?.removeAttribute("aria-busy");
  }
}

// What the server flashed belongs to the page and not to the part.
function showMessages(page) {
  const messages = page.querySelector("#flash");
  if (!messages?.querySelector(".flash")) return;
  announce(messages.textContent.trim());
  document.getElementById("flash")?.replaceWith(document.adoptNode(messages));
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  swap(link.dataset.swap, link.href, {}, { push: "push" in link.dataset });
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form");
  if (form.dataset.sent) return event.preventDefault(); // a second press sends nothing twice
  if (!form.dataset.swap) {
    if (form.method === "post") form.dataset.sent = "1";
    return;
  }
  event.preventDefault();
  send(form, event.submitter);
});

function send(form, submitter) {
  const data = new FormData(form, submitter);
  const url = new URL(submitter?.getAttribute("formaction") || form.getAttribute("action") || location.href, location.href);
  if (form.method === "get") {
    url.search = new URLSearchParams(data);
    return swap(form.dataset.swap, url, {}, { push: true });
  }
  form.dataset.sent = "1";
  return swap(form.dataset.swap, url, { method: "POST", body: data }).then((outcome) => {
    if (outcome !== LEFT) delete form.dataset.sent;
  });
}

let liveTimer = 0;
document.addEventListener("input", (event) => {
  const form = event.target.closest?.("form[data-live]");
  if (!form) return;
  forgetError(event.target);
  clearTimeout(liveTimer);
  liveTimer = setTimeout(() => liveSend(form), LIVE_DELAY_MS);
});

// What was wrong with a field is no longer said of what it holds now: the live answer says what is.
function forgetError(input) {
  input.removeAttribute("aria-invalid");
  const field = input.closest(".field-wrong");
  field?.querySelector(".field-error")?.remove();
  field?.classList.remove("field-wrong");
}

function liveSend(form) {
  const url = new URL(form.dataset.live || form.action, location.href);
  const data = new FormData(form);
  data.delete("csrf_token");
  url.search = new URLSearchParams(data);
  swap(form.dataset.liveSwap || form.dataset.swap, url, {}, { quiet: true });
}

addEventListener("popstate", (event) => {
  if (event.state?.selector) swap(event.state.selector, location.href, {});
  else location.reload();
});
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

function startPolling(root) {
  const parts = root.querySelectorAll("[data-poll]");
  for (const part of root.matches?.("[data-poll]") ? [root, ...parts] : parts) schedule(part);
}

function schedule(part) {
  const seconds = Number(part.dataset.poll);
  if (seconds > 0 && part.id) setTimeout(() => poll(part), seconds * 1000);
}

// Whoever types, or reads what was opened, is not disturbed.
function isInUse(part) {
  const typing = part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea");
  return typing || part.querySelector(":popover-open, details[open]");
}

async function poll(part) {
  if (!part.isConnected) return;
  if (document.hidden || isInUse(part) || pending.has(`#${part.id}`)) return schedule(part);
  try {
    const { response, part: fresh } = await fetchPart(`#${part.id}`, part.dataset.pollFrom || location.href, {}, "peek");
    if (fresh && response.ok) replace(`#${part.id}`, fresh);
    else if (response.redirected) location.assign(location.href);
    else schedule(part);
  } catch {
    schedule(part);
  }
}

startPolling(document);
