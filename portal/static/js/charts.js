// One tooltip for every [data-tip] ("Title|line|line"), by pointer and by keyboard; Escape closes it.
// Arrow keys walk through a chart's [data-tip] parts. A brush over a [data-zoom] chart zooms by address:
// data-zoom holds the first shown day (ISO), data-days how many; the address gets ?from=…&days=….

const tip = document.getElementById("tip");
const MARGIN = 8;
const GAP = 16;
const SMALLEST_BRUSH = 6;
const DAY_MS = 86400000;
let current = null;

function show(part, x, y) {
  if (part !== current) {
    current = part;
    tip.replaceChildren(
      ...part.dataset.tip.split("|").map((line, index) => {
        const element = document.createElement(index ? "div" : "b");
        element.textContent = line;
        return element;
      }),
    );
  }
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const width = document.documentElement.clientWidth;
  const below = y + GAP + box.height < innerHeight;
  tip.style.left = `${Math.max(MARGIN, Math.min(x + GAP, width - box.width - MARGIN)) + scrollX}px`;
  tip.style.top = `${(below ? y + GAP : y - box.height - GAP / 2) + scrollY}px`;
}

function hide() {
  tip.hidden = true;
  current = null;
}

document.addEventListener("pointermove", (event) => {
  const part = event.target.closest?.("[data-tip]");
  if (part) show(part, event.clientX, event.clientY);
  else if (current && !current.matches(":focus")) hide();
});
document.addEventListener("focusin", (event) => {
  const part = event.target.closest?.("[data-tip]");
  if (!part) return hide();
  const box = part.getBoundingClientRect();
  show(part, box.left, box.bottom - GAP);
});
document.addEventListener("focusout", hide);
document.addEventListener("scroll", () => current && !current.matches(":focus") && hide(), { passive: true });

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return hide();
  const canvas = event.target.closest?.(".chart-canvas");
  if (!canvas || !(event.key in STEPS)) return;
  event.preventDefault();
  const parts = [...canvas.querySelectorAll("[data-tip]")];
  const at = parts.indexOf(document.activeElement.closest("[data-tip]"));
  const next = parts[at < 0 ? 0 : Math.max(0, Math.min(parts.length - 1, at + STEPS[event.key]))];
  if (!next) return;
  if (!next.matches("a")) {
    next.setAttribute("tabindex", "-1");
    next.setAttribute("role", "img");
    next.setAttribute("aria-label", next.dataset.tip.replaceAll("|", ", "));
  }
  next.focus();
});

let brush = null;

document.addEventListener("pointerdown", (event) => {
  const canvas = event.target.closest?.("[data-zoom] .chart-canvas");
  if (!canvas || event.button || event.pointerType === "touch") return;
  brush = { chart: canvas.closest("[data-zoom]"), box: canvas.getBoundingClientRect(), x: event.clientX, element: null };
});
document.addEventListener("pointermove", (event) => {
  if (!brush || Math.abs(event.clientX - brush.x) < SMALLEST_BRUSH) return;
  if (!brush.element) {
    brush.element = document.createElement("div");
    brush.element.className = "brush";
    document.body.append(brush.element);
    hide();
  }
  const [left, right] = edges(event);
  Object.assign(brush.element.style, {
    left: `${left + scrollX}px`,
    width: `${right - left}px`,
    top: `${brush.box.top + scrollY}px`,
    height: `${brush.box.height}px`,
  });
  event.preventDefault();
});
document.addEventListener("pointerup", (event) => {
  const done = brush;
  if (done?.element) {
    const [left, right] = edges(event);
    brush = null;
    done.element.remove();
    zoom(done, left, right);
    addEventListener("click", (click) => click.preventDefault(), { capture: true, once: true }); // of a bar under it
  }
  brush = null;
});
document.addEventListener("dragstart", (event) => brush && event.preventDefault());

function edges(event) {
  const { left, right } = brush.box;
  const inside = (x) => Math.max(left, Math.min(right, x));
  return [inside(Math.min(brush.x, event.clientX)), inside(Math.max(brush.x, event.clientX))];
}

// The address decides what is shown, so the way back is the browser's own.
function zoom({ chart, box }, left, right) {
  const days = Number(chart.dataset.days);
  const first = Math.floor(((left - box.left) / box.width) * days);
  const end = Math.max(first + 1, Math.ceil(((right - box.left) / box.width) * days));
  const start = new Date(Date.parse(chart.dataset.zoom) + first * DAY_MS);
  const url = new URL(location.href);
  url.searchParams.set("from", start.toISOString().slice(0, 10));
  url.searchParams.set("days", String(end - first));
  location.assign(url);
}
