// What the page answers: whether features work on engines and why not, what an engine can do, how calls end, what a convention says, and
// what changed between releases.
"use strict";
const Answers = (() => {
  const { make, key, title, counted } = Matrix;
  const MOST_REASONS = 4, MOST_CASES = 12;
  const ORDER = ["works", "works in part", "works, but", "refuses", "fails", "unsupported", ""];
  const className = (state) => state.replaceAll(",", "").replaceAll(" ", "-") || "none";

  function create(index, rows) {
    const { features, states, engines, questions, conventions } = index.answers;
    const gradients = features.findIndex(([name]) => name === "gradients");

    /** A row has every feature: one on gradients has "gradients", and the features of its case only beside it. */
    function has(row, wanted) {
      const rest = wanted.filter((feature) => feature !== gradients);
      if ((row.quantity === "gradients") !== wanted.includes(gradients)) return false;
      return rest.every((feature) => row.features.has(feature));
    }

    /** The same as a cell of one feature, counted for several: { state, conforms, checked, unsupported, shares }. */
    function cellOf(wanted, column) {
      if (wanted.length === 1) {
        const [state, conforms, checked, unsupported, shares] = engines[column]?.cells[wanted[0]] ?? ["", 0, 0, 0, []];
        return { state, conforms, checked, unsupported, shares };
      }
      let conforms = 0, checked = 0, unsupported = 0;
      for (const row of rows) {
        const cell = row.cells[column];
        if (!cell || !has(row, wanted)) continue;
        const { name } = index.statuses[cell.status];
        if (name === "unsupported" || name === "unavailable") unsupported += 1;
        else { checked += 1; if (name === "conforms") conforms += 1; }
      }
      let state = unsupported ? "unsupported" : "";
      if (checked) state = conforms === checked ? (unsupported ? "works in part" : "works") : conforms ? "works, but" : "fails";
      return { state, conforms, checked, unsupported, shares: [] };
    }

    const caseLink = (name, on) => make("a", { "data-case": "", href: State.link({ case: name, on }) }, name);

    /** The column in a case's address, with the quantity where that is not the output. */
    const on = (column, quantity) => key(index.columns[column]) + (quantity === "output" ? "" : `@${quantity}`);

    function reasonsOf({ shares }, column, quantity) {
      if (!shares.length) return null;
      const list = shares.slice(0, MOST_REASONS).map(([number, count, example]) => {
        const [standing, text, source] = engines[column].reasons[number];
        const what = standing === "unsupported" ? `${count} unsupported` : counted(count, standing === "known" ? "known failure" : "new failure");
        return make("li", {}, make("span", { class: standing }, what), `: ${text} `, source ? make("span", {}, CaseView.linked(source), ". ") : null,
          make("span", { class: "note" }, "For example ", caseLink(example, on(column, quantity))));
      });
      if (shares.length > MOST_REASONS) list.push(make("li", { class: "note" }, `and ${counted(shares.length - MOST_REASONS, "more reason")}`));
      return make("ul", {}, ...list);
    }

    /** One engine's line of an answer. */
    function line(wanted, column, isOpen) {
      const cell = cellOf(wanted, column);
      const names = wanted.map((feature) => features[feature][0]);
      const words = !cell.state ? "no case has this" : cell.state === "unsupported" ? "unsupported" : `${cell.conforms} of ${counted(cell.checked, "check")} pass`;
      const extra = cell.checked && cell.unsupported ? `, ${cell.unsupported} unsupported` : "";
      const link = make("a", { href: State.link({ feature: names, adapter: [key(index.columns[column])], section: "matrix" }) }, words);
      const reasons = reasonsOf(cell, column, wanted.includes(gradients) ? "gradients" : "output");
      const head = [make("b", { class: `state ${className(cell.state)}`, "aria-hidden": "true" }, cell.state ? states[cell.state].sign : " "), " ",
        make("b", {}, title(index.columns[column])), ": ", cell.state ? link : words, extra];
      if (reasons && !isOpen) return make("li", {}, ...head, make("details", {}, make("summary", { "aria-label": `why, on ${title(index.columns[column])}` }, "why"), reasons));
      return make("li", {}, ...head, reasons);
    }

    /** What is known of these features, all at once, on these columns: those where they work first. */
    function support(wanted, columns) {
      const meanings = wanted.map((feature) => features[feature]);
      const sorted = columns.toSorted((a, b) => ORDER.indexOf(cellOf(wanted, a).state) - ORDER.indexOf(cellOf(wanted, b).state));
      return make("div", { class: "answer" },
        make("h3", {}, meanings.map(([name]) => name).join(" + ")), make("p", { class: "note" }, meanings.map(([, meaning]) => meaning).join("; ")),
        make("ul", { class: "lines" }, ...sorted.map((column) => line(wanted, column, columns.length <= 3))));
    }

    /** All features of one engine, those of a state together. */
    function overview(column) {
      const byState = Map.groupBy(features.keys(), (feature) => cellOf([feature], column).state);
      const list = ORDER.filter((state) => state && byState.has(state)).map((state) => make("li", {},
        make("b", { class: `state ${className(state)}`, "aria-hidden": "true" }, index.answers.states[state].sign), ` ${state}: `,
        ...byState.get(state).flatMap((feature, place) => [place ? "; " : "",
          make("a", { href: State.link({ feature: [features[feature][0]], adapter: [key(index.columns[column])], section: "matrix" }) }, features[feature][0])])));
      return make("div", { class: "answer" }, make("h3", {}, title(index.columns[column])), make("ul", { class: "lines" }, ...list));
    }

    /** How many checks of these features end in one way, engine by engine. */
    function endings(status, wanted, columns) {
      const count = (column) => rows.filter((row) => row.cells[column] && index.statuses[row.cells[column].status].name === status && (!wanted.length || has(row, wanted))).length;
      const counts = columns.map((column) => [column, count(column)]).filter(([, checks]) => checks).toSorted(([, a], [, b]) => b - a);
      const names = wanted.map((feature) => features[feature][0]);
      const list = counts.map(([column, checks]) => make("li", {}, make("b", {}, title(index.columns[column])), ": ",
        make("a", { href: State.link({ status: [status], feature: names, adapter: [key(index.columns[column])], section: "matrix" }) }, counted(checks, "check"))));
      return { list, block: make("div", { class: "answer" }, make("h3", {}, [status, ...names].join(" + ")), list.length ? make("ul", { class: "lines" }, ...list) : make("p", {}, "none")) };
    }

    /** The answers of the conventions of these columns to the questions of these topics. */
    function convention(topics, columns) {
      const names = [...new Set(columns.map((column) => index.columns[column].convention))].filter((name) => conventions[name]);
      return Object.keys(questions).filter((topic) => topics.includes(topic)).map((topic) => make("div", { class: "answer" }, make("h3", {}, questions[topic]),
        make("dl", { class: "explained" }, ...names.flatMap((name) => [make("dt", {}, name), make("dd", {}, conventions[name][topic])])),
        make("p", {}, make("a", { href: State.link({ section: "conventions" }) }, "All conventions"))));
    }

    /** The command that takes a layer from one framework to another. */
    function port(columns) {
      const names = [...new Set(columns.map((column) => index.columns[column].convention))].filter((name) => conventions[name]);
      if (names.length !== 2) return null;
      const [one, other] = names;
      return make("div", { class: "answer" }, make("h3", {}, `From ${one} to ${other}`),
        make("pre", { tabindex: "0" }, `conformance port --from ${one} --to ${other} CALL    # CALL as ${one} writes it, or a file with a model`));
    }

    /** What differs between columns of one adapter, release by release. */
    function changes(columns) {
      const byAdapter = Map.groupBy(columns, (column) => index.columns[column].label.split("@")[0]);
      const pairs = [...byAdapter.values()].flatMap((those) => those.slice(1).map((column, place) => [those[place], column]));
      return pairs.map(([one, other]) => {
        const said = (cell) => (cell ? `${index.statuses[cell.status].name}${cell.state ? ` (${cell.state})` : ""}` : "no verdict");
        const differing = rows.filter((row) => row.cells[one] && row.cells[other] && said(row.cells[one]) !== said(row.cells[other]));
        return make("div", { class: "answer" }, make("h3", {}, `${counted(differing.length, "check")} changed from ${title(index.columns[one])} to ${title(index.columns[other])}`),
          make("ul", {}, ...differing.slice(0, MOST_CASES).map((row) => make("li", {}, caseLink(row.name, on(other, row.quantity)), row.quantity === "output" ? "" : `, ${row.quantity}`,
            `: ${said(row.cells[one])}, now ${said(row.cells[other])}`)), differing.length > MOST_CASES ? make("li", { class: "note" }, `and ${differing.length - MOST_CASES} more`) : null));
      });
    }

    /** All answers to a question, empty if it is none. */
    function to(question) {
      if (!question.asks) return [];
      const all = index.columns.map((_, number) => number);
      const columns = question.columns.length ? question.columns : all;
      const since = document.getElementById("changes");
      return [
        question.topics.includes("port") ? port(question.columns) : null,
        ...convention(question.topics, columns),
        ...(question.changes ? changes(question.columns) : []),
        question.changes && since ? make("p", {}, make("a", { href: State.link({ section: "changes" }) }, "What changed since the baseline")) : null,
        ...question.statuses.map((status) => endings(status, question.features, columns)).filter(({ list }, _, all) => list.length || all.length === 1).map(({ block }) => block),
        ...question.sections.map((section) => make("p", {}, make("a", { href: State.link({ section }) }, document.getElementById(section).querySelector("h2").textContent), " of all engines")),
        question.features.length ? support(question.features, columns) : null,
        ...question.family.map((feature) => support([...question.features, feature], columns)),
        ...(["features", "family", "statuses", "sections", "topics"].some((kind) => question[kind].length) || question.changes ? [] : columns.map(overview)),
      ].filter(Boolean);
    }

    return { to, support, has };
  }

  return { create };
})();
