// Show the values of a heat map under the pointer, or at a cell chosen with the arrow keys.
const SCALE = 1000, ZERO = -32768, MISSING = 32766, INFINITE = 32767;
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("role", "status");
document.body.append(tip);

const number = (value) => value === null ? "not compared" : value === Infinity ? "infinite"
  : value === 0 ? "0" : value.toExponential(1).replace(/e([+-])(\d)$/, "e$10$2");

const read = (text) => {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 2 }, (_, i) => {
    const value = view.getInt16(2 * i, true);
    return value === ZERO ? 0 : value === MISSING ? null : value === INFINITE ? Infinity
      : 10 ** (value / SCALE);
  });
};

const share = (error, allowed) => allowed === null ? -1 : allowed === Infinity ? 0 : error / allowed;

const maps = [...document.querySelectorAll(".map")].map((box) => {
  const steps = Number(box.dataset.steps);
  const names = [...box.querySelectorAll(".labels > div")].map((each) => each.title);
  const numbers = read(box.dataset.values), half = numbers.length / 2;
  const at = (row, step) => [numbers[row * steps + step], numbers[half + row * steps + step]];
  return { box, steps, names, at };
});

// Of a stage, the summary shows the place that is closest to its limit, or furthest above it.
if (maps.length) {
  maps[0].detail = (row, step) => {
    const stage = maps[row + 1];
    let worst = 0;
    stage.names.forEach((_, i) => {
      if (share(...stage.at(i, step)) > share(...stage.at(worst, step))) worst = i;
    });
    return [stage.names[worst], ...stage.at(worst, step)];
  };
}

const line = (kind, text) => {
  const element = document.createElement(kind);
  element.textContent = text;
  tip.append(element);
};

// Put the values beside their cell, within the window; hide them while the cell is out of sight.
let current = null;
const put = () => {
  if (!current) return;
  tip.style.display = "block";
  const cell = current.getBoundingClientRect(), size = tip.getBoundingClientRect();
  const wide = document.documentElement.clientWidth, high = window.innerHeight;
  if (cell.bottom < 0 || cell.top > high) tip.style.display = "none";
  tip.style.left = Math.max(6, Math.min(cell.right + 8, wide - size.width - 6)) + "px";
  const below = cell.bottom + 8;
  tip.style.top = (below + size.height < high ? below : Math.max(6, cell.top - size.height - 8)) + "px";
};
document.addEventListener("scroll", put, { capture: true, passive: true });

for (const map of maps) {
  const { box, steps, names, at } = map;
  const plot = box.querySelector(".plot"), cursor = box.querySelector(".cursor");
  const marks = [...box.querySelectorAll(".mark")];
  const detail = map.detail || ((row, step) => ["", ...at(row, step)]);
  let chosen = null;
  const hide = () => {
    cursor.style.display = "none";
    if (current !== cursor) return;
    tip.style.display = "none";
    current = null;
  };
  const markAt = (row, step) => marks.find((each) =>
    Number(each.style.getPropertyValue("--row")) === row && Number(each.style.getPropertyValue("--step")) === step);
  const show = (row, step) => {
    chosen = [row, step];
    cursor.style.setProperty("--row", row);
    cursor.style.setProperty("--step", step);
    cursor.style.display = "block";
    const [place, error, allowed] = detail(row, step);
    tip.replaceChildren();
    line("b", names[row] + (place && place !== names[row] ? ": " + place : ""));
    line("div", "step " + (step + 1));
    if (allowed === null) line("div", "not compared");
    else if (allowed === Infinity) line("div", "error " + number(error) + "; rounding alone decides it");
    else if (error === 0) line("div", "equal; allowed " + number(allowed));
    else {
      line("div", "error " + number(error) + ", allowed " + number(allowed));
      line("div", Number((error / allowed).toPrecision(2)).toLocaleString("en") + " times what is allowed");
    }
    const mark = markAt(row, step);
    if (mark) line("div", "cause " + mark.textContent);
    current = cursor;
    put();
  };
  const follow = (event) => {
    const place = plot.getBoundingClientRect();
    const step = Math.floor((event.clientX - place.left) / place.width * steps);
    const row = Math.floor((event.clientY - place.top) / place.height * names.length);
    show(Math.min(Math.max(row, 0), names.length - 1), Math.min(Math.max(step, 0), steps - 1));
  };
  plot.addEventListener("pointermove", follow);
  plot.addEventListener("pointerdown", follow);
  plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") hide(); });
  box.addEventListener("blur", hide);
  const MOVES = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] };
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape") hide();
    if (event.key === "Enter" && event.target === box && chosen) markAt(...chosen)?.click();
    const move = MOVES[event.key];
    if (!move || event.target !== box) return;
    event.preventDefault();
    const [row, step] = chosen || [0, -move[1]].map((each, i) => i ? each : -move[0]);
    show(Math.min(Math.max(row + move[0], 0), names.length - 1), Math.min(Math.max(step + move[1], 0), steps - 1));
    cursor.scrollIntoView({ block: "nearest", inline: "nearest" });
    put();
  });
}
// A link to a stage opens it.
const reveal = () => {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
};
window.addEventListener("hashchange", reveal);
reveal();

if (navigator.clipboard) {
  for (const code of document.querySelectorAll(".code")) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.querySelector("pre").textContent);
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    code.append(button);
  }
}
