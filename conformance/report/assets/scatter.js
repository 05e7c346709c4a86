/* Charts.work: time against work over all timed cases, both axes logarithmic, drawn by uPlot. Arrow keys and the mouse read single
   points; the page's table has all of them. */
"use strict";
(() => {
  const { html, svg, sentence } = Draw;
  const SIZE = 4; // pixels from the middle of a mark to its edge

  // Each has a contrast of at least 3 on white and on near black, so that a canvas needs one set. Seven shapes and nine colours: a
  // pair does not come again before the 64th adapter.
  const COLOURS = ["#3a7fd0", "#c8640f", "#2f8f57", "#a65fc4", "#d1478a", "#128c96", "#8a7d12", "#d9483b", "#7b8089"];
  const SHAPES = [
    (p, x, y, r) => p.arc(x, y, r, 0, 2 * Math.PI),
    (p, x, y, r) => p.rect(x - r, y - r, 2 * r, 2 * r),
    (p, x, y, r) => polygon(p, [[x, y - 1.3 * r], [x + 1.2 * r, y + r], [x - 1.2 * r, y + r]]),
    (p, x, y, r) => polygon(p, [[x, y - 1.4 * r], [x + 1.4 * r, y], [x, y + 1.4 * r], [x - 1.4 * r, y]]),
    (p, x, y, r) => polygon(p, [[x, y + 1.3 * r], [x + 1.2 * r, y - r], [x - 1.2 * r, y - r]]),
    (p, x, y, r) => p.rect(x - 0.4 * r, y - 1.4 * r, 0.8 * r, 2.8 * r),
    (p, x, y, r) => p.rect(x - 1.4 * r, y - 0.4 * r, 2.8 * r, 0.8 * r),
  ];

  function polygon(p, [first, ...others]) {
    p.moveTo(...first);
    for (const corner of others) p.lineTo(...corner);
    p.closePath();
  }

  const style = (i) => ({ colour: COLOURS[i % COLOURS.length], shape: SHAPES[i % SHAPES.length] });

  /** The sign of column i as it is in the chart, for the legend. */
  function sign(i) {
    const r = 5;
    const at = { arc: (x, y) => svg("circle", { cx: x, cy: y, r }), rect: (x, y, width, height) => svg("rect", { x, y, width, height }) };
    const corners = [];
    let mark = null;
    style(i).shape(
      { arc: (...a) => (mark = at.arc(...a)), rect: (...a) => (mark = at.rect(...a)), moveTo: (...a) => corners.push(a), lineTo: (...a) => corners.push(a), closePath: () => (mark = svg("polygon", { points: corners.join(" ") })) },
      8, 8, r,
    );
    mark.setAttribute("fill", style(i).colour);
    return svg("svg", { class: "dr-sign", width: 16, height: 16, "aria-hidden": true }, mark);
  }

  /** "10⁶". */
  const power = (value) => `10${[...String(Math.round(Math.log10(value)))].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;

  /** The powers of ten on an axis; uPlot's own splits begin at the least value shown, whatever it is. */
  function powers(u, axis, low, high) {
    const found = [];
    for (let k = Math.ceil(Math.log10(low)); k <= Math.log10(high); k++) found.push(10 ** k);
    return found;
  }

  /** Colours of the page as it is now, for the canvas. */
  function palette(element) {
    const probe = html("span", { hidden: "" });
    element.append(probe);
    const found = {};
    for (const name of ["ink", "muted", "line", "surface"]) {
      probe.style.color = `var(--dr-${name})`;
      found[name] = getComputedStyle(probe).color;
    }
    probe.remove();
    return found;
  }

  /** Marks of one series as one path; its pixels are those of the canvas. */
  function marks(i) {
    return (u, series) => {
      const [xs, ys] = u.data[series];
      const ratio = devicePixelRatio;
      u.ctx.save();
      u.ctx.fillStyle = style(i).colour;
      u.ctx.beginPath();
      xs.forEach((x, n) => {
        const [px, py] = [u.valToPos(x, "x", true), u.valToPos(ys[n], "y", true)];
        u.ctx.moveTo(px + SIZE * ratio, py);
        style(i).shape(u.ctx, px, py, SIZE * ratio);
      });
      u.ctx.fill();
      u.ctx.restore();
      return null;
    };
  }

  /** A text that stays legible on the lines behind it. */
  function outlined(ctx, words, x, y, behind) {
    ctx.save();
    ctx.setLineDash([]);
    Object.assign(ctx, { strokeStyle: behind, lineWidth: 4 * devicePixelRatio });
    ctx.strokeText(words, x, y);
    ctx.restore();
    ctx.fillText(words, x, y);
  }

  /** Lines of equal speed, behind the marks: 10⁶, 10⁷, … multiply-adds a second. */
  function speeds(u, colours) {
    const { ctx, bbox } = u;
    const [x0, x1] = [u.scales.x.min, u.scales.x.max];
    const [y0, y1] = [u.scales.y.min, u.scales.y.max];
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    Object.assign(ctx, { strokeStyle: colours.muted, fillStyle: colours.muted, lineWidth: devicePixelRatio, font: `${11 * devicePixelRatio}px system-ui, sans-serif` });
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    for (let k = Math.ceil(Math.log10(x0 / y1)); k <= Math.log10(x1 / y0); k++) {
      const at = (x) => [u.valToPos(x, "x", true), u.valToPos(x / 10 ** k, "y", true)];
      ctx.beginPath();
      ctx.moveTo(...at(x0));
      ctx.lineTo(...at(x1));
      ctx.stroke();
      const end = Math.min(x1, y1 * 10 ** k); // where the line leaves the chart, at its right or its top
      const [x, y] = at(end);
      const right = end === x1;
      if (x - bbox.left > 60 * devicePixelRatio) outlined(ctx, `${power(10 ** k)}/s`, x - (right ? 36 : 34) * devicePixelRatio, y + (right ? 16 : 12) * devicePixelRatio, colours.surface);
    }
    ctx.restore();
  }

  function options(data, width, colours) {
    const axis = (scale, label, values, size) => ({
      scale, label, size, labelSize: 22, splits: powers, filter: (u, splits) => splits, values: (u, splits) => splits.map(values),
      stroke: () => colours.current.ink, grid: { stroke: () => colours.current.line, width: 1 }, ticks: { stroke: () => colours.current.line },
      font: "12px system-ui, sans-serif", labelFont: "12px system-ui, sans-serif",
    });
    const range = (u, low, high) => [low / 2, high * 2];
    return {
      mode: 2, width, height: Math.round(Math.max(320, Math.min(560, width * 0.6))), legend: { show: false },
      cursor: { drag: { x: false, y: false }, points: { show: false }, x: false, y: false },
      scales: { x: { time: false, distr: 3, range }, y: { distr: 3, range } },
      axes: [axis("x", "multiply-adds of the case", power, 34), axis("y", "median of steady calls", Charts.duration, 62)],
      series: [{}, ...data.columns.map((column, i) => ({ label: Charts.name(column), stroke: style(i).colour, facets: [{ scale: "x", auto: true }, { scale: "y", auto: true }], paths: marks(i) }))],
      hooks: { drawAxes: [(u) => speeds(u, colours.current)] },
    };
  }

  /** The points of every column as uPlot wants them, and with their cases for the reader. */
  function columnsOf(data) {
    const held = data.columns.map(() => []);
    for (const [number, column, seconds] of data.points) if (seconds > 0) held[column].push({ ...data.cases[number], seconds, column });
    return held.map((points) => points.sort((a, b) => a.work - b.work));
  }

  const told = (data, point) =>
    `${point.case} on ${Charts.name(data.columns[point.column])}: ${point.work.toLocaleString("en")} multiply-adds in ${Charts.duration(point.seconds)}, ${Number((2 * point.work / point.seconds / 1e9).toPrecision(3))} GFLOP/s`;

  function legend(data, shown, change) {
    const buttons = data.columns.flatMap((column, i) => {
      if (!shown.has(i)) return [];
      const button = html("button", { type: "button", class: "dr-key", "aria-pressed": "true" }, sign(i), ` ${Charts.name(column)}`);
      button.addEventListener("click", () => {
        const on = button.getAttribute("aria-pressed") !== "true";
        button.setAttribute("aria-pressed", String(on));
        change(i, on);
      });
      return [button];
    });
    return html("div", { class: "dr-keys", role: "group", "aria-label": "Adapters in the chart" }, ...buttons);
  }

  /** Time against work. element is filled; data is what figures.work returns. */
  Charts.work = (element, data) => {
    const held = columnsOf(data);
    const shown = new Set(held.flatMap((points, i) => (points.length ? [i] : [])));
    if (!shown.size) return element.replaceChildren(sentence("Nothing was timed."));
    const colours = { current: palette(document.body) };
    const place = html("div", { class: "dr-chart", tabindex: 0, role: "application", "aria-label": "Time against multiply-adds, both logarithmic: left and right go through the cases of an adapter, up and down through the adapters of a case" });
    const cursor = html("div", { class: "dr-ring", hidden: "" });
    const said = html("output", { class: "dr-readout dr-quiet" }, "Arrow keys or mouse: single points.");
    let chart = null;
    let current = null;
    const points = () => held.flatMap((found, i) => (shown.has(i) ? found : []));
    const spot = (point) => [chart.valToPos(point.work, "x"), chart.valToPos(point.seconds, "y")];
    const choose = (point) => {
      current = point;
      cursor.hidden = !point || !chart;
      if (!point) return;
      said.classList.remove("dr-quiet");
      said.textContent = told(data, point);
      if (!chart) return; // a key may come before the first drawing, which then marks the point
      const [x, y] = spot(point);
      Object.assign(cursor.style, { left: `${x}px`, top: `${y}px` });
    };
    const draw = (width) => {
      const sets = held.map((found) => [found.map((point) => point.work), found.map((point) => point.seconds)]);
      chart = new uPlot(options(data, width, colours), [null, ...sets], place);
      chart.over.append(cursor);
      held.forEach((_, i) => shown.has(i) || chart.setSeries(i + 1, { show: false }));
      chart.over.addEventListener("pointermove", (event) => choose(nearest(points(), spot, event.clientX - chart.over.getBoundingClientRect().left, event.clientY - chart.over.getBoundingClientRect().top)));
    };
    place.addEventListener("keydown", (event) => {
      const next = current && shown.has(current.column) ? moved(event.key, current, held, shown) : event.key.startsWith("Arrow") ? points()[0] : undefined;
      if (next === undefined) return;
      event.preventDefault();
      choose(next);
    });
    const change = (i, on) => {
      if (on) shown.add(i);
      else shown.delete(i);
      if (current && !shown.has(current.column)) choose(null);
      if (chart) chart.setSeries(i + 1, { show: on });
    };
    place.addEventListener("dr-theme", () => {
      colours.current = palette(document.body);
      if (chart) chart.redraw(false);
    });
    new ResizeObserver(() => { // a chart in a closed part of the page has no width yet
      const width = Math.floor(place.clientWidth);
      if (!width) return;
      if (!chart) draw(width);
      else if (chart.width !== width) chart.setSize({ width, height: options(data, width, colours).height });
      if (current) choose(current);
    }).observe(place);
    element.replaceChildren(legend(data, shown, change), place, said);
  };

  /** The point that is nearest to a place on the chart, if any is within 24 pixels. */
  function nearest(points, spot, x, y) {
    let [best, least] = [null, 24];
    for (const point of points) {
      const [px, py] = spot(point);
      const far = Math.hypot(px - x, py - y);
      if (far < least) [best, least] = [point, far];
    }
    return best;
  }

  /** Where an arrow key leads from a point: along its adapter, or to the next adapter's point of the same case. */
  function moved(key, point, held, shown) {
    const own = held[point.column];
    if (key === "ArrowLeft" || key === "ArrowRight") return own[Math.max(0, Math.min(own.length - 1, own.indexOf(point) + (key === "ArrowRight" ? 1 : -1)))];
    if (key !== "ArrowUp" && key !== "ArrowDown") return undefined;
    const same = held.flatMap((found, i) => (shown.has(i) ? found.filter((other) => other.case === point.case) : [])).sort((a, b) => a.seconds - b.seconds);
    return same[Math.max(0, Math.min(same.length - 1, same.indexOf(point) + (key === "ArrowUp" ? 1 : -1)))];
  }
})();
