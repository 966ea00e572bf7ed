// Show the values of a chart under the pointer, or at a point chosen with the arrow keys.
for (const figure of document.querySelectorAll("figure[data-points]")) {
  const data = JSON.parse(figure.dataset.points);
  const box = figure.querySelector(".plot");
  const make = (kind, parent) => {
    const element = document.createElement("div");
    element.className = kind;
    parent.append(element);
    return element;
  };
  const line = make("hair", box), dots = make("dots", box), tip = make("tip", box);
  let chosen = -1;
  const hide = () => { box.classList.remove("shown"); };
  const show = (point) => {
    chosen = point;
    const x = data.x[point];
    line.style.left = 100 * x + "%";
    line.style.top = 100 * data.top + "%";
    line.style.height = 100 * (data.bottom - data.top) + "%";
    tip.replaceChildren();
    dots.replaceChildren();
    make("tip-head", tip).textContent = data.names[point];
    for (const series of data.series) {
      if (series.values[point] === null) continue;
      const row = make("tip-row", tip);
      make("tip-dot", row).style.background = series.colour;
      make("tip-name", row).textContent = series.name;
      make("tip-value", row).textContent = series.values[point];
      if (series.y[point] === null) continue;
      const dot = make("mark", dots);
      dot.style.left = 100 * x + "%";
      dot.style.top = 100 * series.y[point] + "%";
      dot.style.background = series.colour;
    }
    tip.style.left = x > 0.5 ? "auto" : 100 * x + 2 + "%";
    tip.style.right = x > 0.5 ? 100 * (1 - x) + 2 + "%" : "auto";
    box.classList.add("shown");
  };
  const follow = (event) => {
    const place = box.getBoundingClientRect();
    const x = (event.clientX - place.left) / place.width;
    let near = 0;
    data.x.forEach((each, i) => {
      if (Math.abs(each - x) < Math.abs(data.x[near] - x)) near = i;
    });
    show(near);
  };
  if (!data.x.length) continue;
  box.tabIndex = 0;
  box.addEventListener("pointermove", follow);
  box.addEventListener("pointerdown", follow);
  box.addEventListener("pointerleave", hide);
  box.addEventListener("blur", hide);
  box.addEventListener("keydown", (event) => {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!step) return;
    event.preventDefault();
    show(Math.min(Math.max(chosen + step, 0), data.x.length - 1));
  });
}
