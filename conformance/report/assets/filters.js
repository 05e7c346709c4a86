// The search of the page, and what narrows the matrix: statuses, features, engines, tags.
"use strict";
const Filters = (() => {
  const { make, key, title } = Matrix;

  /** A group of check boxes; `entries` are [value, label content...]. */
  function boxes(name, legend, entries) {
    const labels = entries.map(([value, ...content]) => make("label", { class: "chip" }, make("input", { type: "checkbox", name, value }), ...content));
    return make("fieldset", { class: name }, make("legend", {}, legend), make("div", { class: "chips" }, ...labels));
  }

  /** The box in the sticky line: "/" goes to it, Escape empties it. */
  function search() {
    const input = make("input", { type: "search", id: "q", autocomplete: "off", spellcheck: "false", placeholder: "groups keras, 3-D bfloat16, or words of a case" });
    const place = document.getElementById("search");
    place.append(make("label", { for: "q" }, "Search"), input, make("kbd", { "aria-hidden": "true" }, "/"));
    place.hidden = false;
    input.addEventListener("input", () => State.update({ q: input.value, section: "" }));
    document.addEventListener("keydown", (event) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, dialog")) return;
      event.preventDefault();
      input.focus();
      input.select();
    });
    return input;
  }

  /** How many checks are of each status and of each standing. */
  function countsOf(index, rows) {
    const counts = new Map();
    for (const row of rows) for (const cell of row.cells) {
      if (!cell) continue;
      for (const name of [index.statuses[cell.status].name, cell.state]) if (name) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    return counts;
  }

  function statuses(index, counts) {
    const sign = (name, text) => make("span", { class: `cell ${name}`, "aria-hidden": "true" }, text);
    const number = (name) => make("span", { class: "note" }, (counts.get(name) ?? 0).toLocaleString("en"));
    const standings = [["new", sign("differs unexpected", "✗")], ["known", sign("differs known", "✗")]];
    return [
      ...standings.map(([name, mark]) => [name, mark, ` ${name} `, number(name)]),
      ...index.statuses.map(({ name, sign: text }) => [name, sign(name, text), ` ${name} `, number(name)]),
    ].filter(([name]) => counts.has(name));
  }

  function create(index, rows) {
    const input = search();
    const more = make("details", { class: "more" }, make("summary", {}, "Features, engines and tags"),
      boxes("feature", "With the features", index.answers.features.map(([name]) => [name, ` ${name}`])),
      boxes("adapter", "Engines", index.columns.map((column) => [key(column), ` ${title(column)}`])),
      index.tags.length ? boxes("tag", "Tags", index.tags.map((tag) => [tag, ` ${tag}`])) : null);
    const form = make("form", { class: "filters", "aria-label": "Filter the matrix" },
      boxes("status", "With a check that is", statuses(index, countsOf(index, rows))), more,
      make("div", { class: "line" }, make("button", { type: "reset" }, "Show all"), make("output", { id: "found", role: "status" }), make("span", { id: "of", class: "note" })));
    const read = () => {
      const given = new FormData(form);
      State.update({ section: "", ...Object.fromEntries(["status", "feature", "adapter", "tag"].map((name) => [name, given.getAll(name)])) });
    };
    form.addEventListener("input", read);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(() => State.update({ section: "", q: "", status: [], feature: [], adapter: [], tag: [] })));

    /** The form as the address says. */
    function fill(state) {
      if (input.value !== state.q) input.value = state.q;
      for (const box of form.querySelectorAll("input[type=checkbox]")) box.checked = state[box.name].includes(box.value);
    }

    /** How many rows are left, and of what. */
    function tell({ shown, of }, state) {
      const filters = [state.q && `“${state.q}”`, ...state.status, ...state.feature, ...state.adapter.map((name) => name.replace(/@cpu$/, "")), ...state.tag].filter(Boolean);
      form.querySelector("#found").textContent = shown.length === of ? `${of} rows` : `${shown.length} of ${of} rows`;
      form.querySelector("#of").textContent = filters.join(", ");
    }

    return { form, fill, tell };
  }

  return { create };
})();
