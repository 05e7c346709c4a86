/* The global `Charts`: what a whole record says of timings and accuracy, and several records of each other. Each is a table with a
   strip of drawing in every row, so that its numbers are read without the drawing. Charts.work is in scatter.js. The data is what
   conformance/report/figures.py returns. Strips are placed in percent, so that they follow the width of the page. */
"use strict";
const Charts = (() => {
  const { html, svg, sentence, counted } = Draw;

  const name = (column) => (column.device === "cpu" ? column.adapter : `${column.adapter} (${column.device})`);

  /** Seconds with three significant digits and the unit that fits. */
  function duration(seconds) {
    for (const [unit, size] of [["s", 1], ["ms", 1e-3], ["µs", 1e-6]]) {
      if (seconds >= size) return `${Number((seconds / size).toPrecision(3))} ${unit}`;
    }
    return `${Number((seconds / 1e-9).toPrecision(3))} ns`;
  }
  const ratio = (value) => `×${value < 100 ? Number(value.toPrecision(3)) : Math.round(value)}`;

  /** A number with three significant digits. */
  const three = (value) => (value !== 0 && (value < 1e-3 || value >= 1e5) ? value.toExponential(2) : String(Number(value.toPrecision(3))));

  /** A logarithmic axis from at least `low` to at most `high`: in percent of a strip, with a margin for what is drawn at its ends. */
  function logarithmic(low, high) {
    const [from, to] = [Math.log10(low), Math.log10(Math.max(high, low * 1.01))];
    const at = (value) => 2 + (96 * (Math.log10(Math.min(Math.max(value, low), high)) - from)) / (to - from);
    const every = Math.max(1, Math.ceil((to - from) / 8));
    const decades = [];
    for (let k = Math.ceil(from - 1e-9); k <= Math.floor(to + 1e-9); k += every) decades.push(10 ** k);
    return { at: (value) => `${at(value).toFixed(2)}%`, number: at, decades };
  }

  const line = (className, x, y1, y2) => svg("line", { class: className, x1: x, x2: x, y1, y2 });
  const strip = (height, ...children) => svg("svg", { class: "dr-strip", width: "100%", height, "aria-hidden": true }, ...children);
  const gridlines = (axis, height) => axis.decades.map((value) => line("dr-gridline", axis.at(value), 0, height));

  /** The head of a column of strips: the axis's numbers. */
  function ticks(axis, label) {
    const every = Math.ceil(axis.decades.length / 4); // so that they stand apart on a phone
    const texts = axis.decades.flatMap((value, i) => (i % every ? [] : [svg("text", { class: "dr-tick", x: axis.at(value), y: 12 }, label(value))]));
    return html("th", { scope: "col", class: "dr-wide" }, html("span", { class: "dr-hidden" }, "drawing"), strip(16, texts));
  }

  const th = (text, number) => html("th", { scope: "col", class: number ? "number" : null }, text);
  const td = (text) => html("td", { class: "number" }, text);
  const rowHead = (text) => html("th", { scope: "row" }, text);
  function table(caption, head, bodies) {
    const made = html("table", { class: "dr-chart-table" }, html("caption", { class: "dr-hidden" }, caption), html("thead", {}, html("tr", {}, ...head)), ...bodies);
    return Draw.scroll(caption, made);
  }

  const key = (sign, text) => html("span", {}, svg("svg", { class: "dr-sign", width: 36, height: 16, "aria-hidden": true }, sign), ` ${text}`);

  /** Per layer, adapters side by side; before them how every adapter stands over all layers. */
  function timings(element, data) {
    if (!data.layers.length) return element.replaceChildren(sentence("Nothing was timed."));
    const networks = new Map();
    for (const layer of data.layers) networks.set(layer.network, [...(networks.get(layer.network) || []), layer]);
    element.replaceChildren(
      html("h3", {}, "Over all layers"),
      standing(data),
      html("h3", {}, "By layer"),
      html("p", { class: "dr-legend" }, ...spreadKey()),
      html("div", { class: "dr-networks" }, ...[...networks].map(([network, layers], i) => networkDetails(data, network, layers, i === 0))),
    );
  }

  function standing(data) {
    const ratios = data.columns.map((_, i) => data.layers.flatMap((layer) => (layer.cells[i] ? [layer.cells[i].ratio] : [])));
    const axis = logarithmic(1, Math.max(...ratios.flat(), 10));
    const order = data.columns.map((_, i) => i).filter((i) => ratios[i].length).sort((a, b) => data.standing[a].ratio - data.standing[b].ratio);
    const rows = order.map((i) => {
      const { layers, fastest, ratio: mean } = data.standing[i];
      const dots = ratios[i].map((value) => svg("circle", { class: "dr-dot", cx: axis.at(value), cy: 10, r: 4 }));
      const cell = html("td", { class: "dr-wide" }, strip(20, gridlines(axis, 20), dots, line("dr-mean", axis.at(mean), 1, 19)));
      return html("tr", {}, rowHead(name(data.columns[i])), cell, td(ratio(mean)), td(String(layers)), td(String(fastest)));
    });
    const head = [th("adapter"), ticks(axis, ratio), th("mean ratio", true), th("layers", true), th("fastest of", true)];
    const caption = "Ratio of every layer's median to the fastest: a dot per layer, a bar at the geometric mean";
    return html("div", {}, html("p", { class: "dr-note" }, `${caption}. Means over different layers are not comparable.`), table(caption, head, [html("tbody", {}, ...rows)]));
  }

  const spreadKey = () => [
    key([line("dr-whisker", "4", 8, 8), svg("line", { class: "dr-whisker", x1: 3, x2: 33, y1: 8, y2: 8 })], "minimum to upper quartile"),
    key(svg("rect", { class: "dr-box", x: 3, y: 3, width: 30, height: 10 }), "quartiles"),
    key(line("dr-mean", 18, 1, 15), "median"),
    key(svg("circle", { class: "dr-first", cx: 18, cy: 8, r: 4 }), "first call, with compilation"),
  ];

  /** The layers of one network, drawn when they are opened. */
  function networkDetails(data, network, layers, open) {
    const box = html("details", { class: "dr-details" }, html("summary", {}, `${network.replace(/^networks\//, "")}, ${counted(layers.length, "layer")}`));
    const draw = () => box.childElementCount === 1 && box.append(...networkTables(data, layers));
    box.addEventListener("toggle", () => box.open && draw());
    addEventListener("beforeprint", () => box.open && draw());
    box.open = open;
    if (open) draw();
    return box;
  }

  function networkTables(data, layers) {
    const cells = layers.flatMap((layer) => layer.cells.filter(Boolean));
    const seconds = cells.flatMap((cell) => [cell.minimum, cell.upper, cell.first]).filter((value) => value > 0);
    const axis = logarithmic(Math.min(...seconds), Math.max(...seconds));
    return layers.map((layer) => {
      const timed = layer.cells.flatMap((cell, i) => (cell ? [[cell, data.columns[i]]] : [])).sort((a, b) => a[0].median - b[0].median);
      const rows = timed.map(([cell, column]) =>
        html("tr", {}, rowHead(name(column)), html("td", { class: "dr-wide" }, spread(cell, axis)), td(duration(cell.median)), td(ratio(cell.ratio)), td(sure(cell)),
          td(`${duration(cell.lower)} to ${duration(cell.upper)}`), td(cell.first === null ? "" : duration(cell.first)), td(String(cell.count))));
      const head = [th("adapter"), ticks(axis, duration), th("median", true), th("ratio", true), th("interval", true), th("quartiles", true), th("first call", true), th("calls", true)];
      const title = layer.case.slice(layer.network.length + 1);
      return html("section", {}, html("h4", {}, title), html("p", { class: "dr-note" }, layer.summary), table(`Timings of ${layer.case}`, head, [html("tbody", {}, ...rows)]));
    });
  }

  function sure(cell) {
    if (cell.low === null) return "";
    return cell.low <= 1 && cell.high >= 1 ? "no difference seen" : `${ratio(cell.low)} to ${ratio(cell.high)}`;
  }

  function spread(cell, axis) {
    const [from, to] = [axis.number(cell.lower), axis.number(cell.upper)];
    return strip(
      16,
      gridlines(axis, 16),
      svg("line", { class: "dr-whisker", x1: axis.at(cell.minimum), x2: axis.at(cell.upper), y1: 8, y2: 8 }),
      svg("rect", { class: "dr-box", x: `${from}%`, y: 3, width: `${Math.max(to - from, 0.2)}%`, height: 10 }),
      line("dr-mean", axis.at(cell.median), 1, 15),
      cell.first ? svg("circle", { class: "dr-first", cx: axis.at(cell.first), cy: 8, r: 4 }) : null,
    );
  }

  const LOWEST = 1e-3; // of the axis of errors; smaller ones are drawn at its end, and larger ones than the highest at the other
  const HIGHEST = 1e4;

  /** Errors over the bound, by dtype and adapter, with the effective precision that was found. */
  function accuracy(element, data) {
    if (!data.rows.length) return element.replaceChildren(sentence("No result was compared with a bound."));
    const groups = new Map();
    for (const row of data.rows) {
      const group = row.dtype + (row.quantity === "output" ? "" : `, ${row.quantity}`);
      groups.set(group, [...(groups.get(group) || []), row]);
    }
    const axis = logarithmic(LOWEST, HIGHEST);
    const head = [th("adapter"), errorTicks(axis), th("largest", true), th("above the bound", true), th("median of errors", true), th("no error", true), th("compared", true), th("effective precision")];
    const bodies = [...groups].map(([group, rows]) =>
      html("tbody", {}, html("tr", { class: "group" }, html("th", { scope: "rowgroup", colspan: head.length }, group)), ...rows.map((row) => accuracyRow(row, axis, data.bins_per_decade))));
    const caption = "Largest error of every result as a multiple of its bound: how many results, by error, on a logarithmic axis; the heavy line is the bound";
    element.replaceChildren(html("p", { class: "dr-note" }, `${caption}. Errors beyond an end of the axis stand at it; results without any error are counted, not drawn.`), table(caption, head, bodies));
  }

  /** The head of the strips of errors. */
  function errorTicks(axis) {
    const texts = [[LOWEST, "≤0.001"], [1, "bound"], [100, "100"], [HIGHEST, "≥10⁴"]].map(([value, words]) => svg("text", { class: "dr-tick", x: axis.at(value), y: 12 }, words));
    return html("th", { scope: "col", class: "dr-wide" }, html("span", { class: "dr-hidden" }, "errors"), strip(16, texts));
  }


  function accuracyRow(row, axis, perDecade) {
    const counts = new Map();
    const steps = [LOWEST, HIGHEST].map((value) => Math.round(perDecade * Math.log10(value)));
    const add = (k, count) => counts.set(Math.max(steps[0], Math.min(steps[1] - 1, k)), (counts.get(Math.max(steps[0], Math.min(steps[1] - 1, k))) || 0) + count);
    for (const [k, count] of row.bins) add(k, count);
    if (row.infinite) add(Infinity, row.infinite);
    const most = Math.max(...counts.values(), 1);
    const bars = [...counts].map(([k, count]) => {
      const [from, to] = [k, k + 1].map((n) => axis.number(10 ** (n / perDecade)));
      const height = Math.max(2, 20 * Math.sqrt(count / most)); // a root, so that one result is seen beside hundreds
      return svg("rect", { class: k >= 0 ? "dr-over" : "dr-under", x: `${from.toFixed(2)}%`, y: 22 - height, width: `${(to - from - 0.3).toFixed(2)}%`, height });
    });
    const cell = html("td", { class: "dr-wide" }, strip(22, gridlines(axis, 22), bars, line("dr-mean", axis.at(1), 0, 22)));
    const largest = row.infinite ? "∞" : row.largest === null ? "" : three(row.largest);
    const shown = html("td", { class: "number", title: row.worst }, largest);
    const median = td(row.median === null ? "" : three(row.median));
    const over = html("td", { class: row.over ? "number dr-bad" : "number" }, String(row.over));
    return html("tr", {}, rowHead(name(row)), cell, shown, over, median, td(String(row.without_error)), td(String(row.compared)), html("td", {}, precision(row.precision)));
  }

  /** "float32: 19 to 24 bits (123)", for each set of formats. */
  function precision(found) {
    const groups = new Map();
    for (const [bits, formats, count] of found) {
      const words = formats.join(" or ") || "no standard format";
      const group = groups.get(words) || { least: bits, most: bits, count: 0 };
      groups.set(words, { least: Math.min(group.least, bits), most: Math.max(group.most, bits), count: group.count + count });
    }
    return [...groups].map(([words, { least, most, count }]) => `${words}: ${least === most ? least : `${least} to ${most}`} bits (${count})`).join("; ");
  }

  /** Several records: verdicts, timings and precision of every adapter, one row a record. */
  function trend(element, data) {
    if (data.records.length < 2) return element.replaceChildren(sentence("There is one record: nothing to compare it with."));
    const records = data.records.map((record) => html("li", {}, `${record.started}, suite ${record.conformance}, corpus ${record.corpus.slice(0, 12)}, ${counted(record.cases, "case")}`));
    const bodies = data.columns.map((column) => trendBody(column, data.statuses));
    const head = [th("adapter"), th("record", true), th("versions and checks"), th("new", true), th("time to the first", true), th("largest error over bound, fewest bits")];
    const changes = new Map();
    for (const change of data.changes) changes.set(`${change.was} to ${change.now}`, (changes.get(`${change.was} to ${change.now}`) || 0) + 1);
    const kinds = [...changes].sort((a, b) => b[1] - a[1]).map(([what, count]) => `${what}: ${count}`);
    element.replaceChildren(
      html("ol", { class: "dr-records" }, ...records),
      sentence(data.changes.length ? `${counted(data.changes.length, "check")} changed: ${kinds.join("; ")}.` : "No check changed."),
      table("Every adapter in every record", head, bodies),
    );
  }

  function trendBody(column, statuses) {
    const steps = column.steps.flatMap((step, i) => (step ? [[step, i]] : []));
    const rows = steps.map(([step, i], n) => {
      const before = n ? steps[n - 1][0] : null;
      const told = errors(step);
      const found = before && told.join() === errors(before).join() ? ["as before"] : told;
      const time = step.timed ? `${ratio(step.ratio)} (${counted(step.timed, "layer")})` : "";
      return html("tr", {}, n === 0 ? html("th", { scope: "rowgroup", rowspan: steps.length }, name(column)) : null, td(String(i + 1)),
        html("td", { class: "dr-wide" }, html("div", {}, step.versions), ...shares(step, before, statuses)), html("td", { class: step.unexpected ? "number dr-bad" : "number" }, String(step.unexpected)), td(time), html("td", {}, ...found.map((words) => html("div", {}, words))));
    });
    return html("tbody", {}, ...rows);
  }

  /** For each dtype the largest error of a step, and the fewest bits that it was found to have. */
  const errors = (step) => Object.entries(step.precision).map(([dtype, [bits, largest]]) => `${dtype}: ${largest === null ? "∞" : three(largest)}${bits === null ? "" : `, ${counted(bits, "bit")}`}`);

  /** A bar of the statuses' shares, and their counts with what changed since the step before. */
  function shares(step, before, statuses) {
    const total = Object.values(step.counts).reduce((sum, count) => sum + count, 0) || 1;
    let x = 0;
    const parts = Object.keys(statuses).flatMap((status) => {
      const width = (100 * (step.counts[status] || 0)) / total;
      x += width;
      return width ? [svg("rect", { class: `dr-status-${status}`, x: `${(x - width).toFixed(2)}%`, y: 1, width: `${width.toFixed(2)}%`, height: 8 })] : [];
    });
    const words = Object.entries(statuses).flatMap(([status, sign]) => {
      const [now, was] = [step.counts[status] || 0, before ? before.counts[status] || 0 : step.counts[status] || 0];
      const change = now - was;
      return now || was ? [html("span", { title: status, class: change ? "dr-changed" : null }, html("span", { "aria-hidden": true }, `${sign} `), html("span", { class: "dr-hidden" }, `${status} `), String(now), change ? ` (${change > 0 ? "+" : "−"}${Math.abs(change)})` : "")] : [];
    });
    return [strip(10, parts), html("span", { class: "dr-counts" }, ...words)];
  }

  return { timings, accuracy, trend, name, duration };
})();
