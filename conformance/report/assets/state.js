// What the page shows, kept in the address: the section, the search, filters, and the case that is open.
"use strict";
const State = (() => {
  const LISTS = ["status", "feature", "adapter", "tag"];
  const WORDS = ["section", "q", "case", "on"];
  const EMPTY = { section: "", q: "", case: "", on: "", status: [], feature: [], adapter: [], tag: [] };
  const listeners = [];
  let current = read();

  /** From the fragment: key=value pairs, the anchor of a verdict, CASE@ADAPTER@DEVICE, or a section's. */
  function read() {
    const text = location.hash.slice(1);
    const state = structuredClone(EMPTY);
    if (!text.includes("=")) {
      let plain = "";
      try { plain = decodeURIComponent(text); } catch { return state; }
      const parts = plain.split("@");
      if (parts.length > 2) [state.case, state.on] = [parts[0], parts.slice(1).join("@")];
      else if (plain && document.getElementById(plain)) state.section = plain;
      return state;
    }
    const given = new URLSearchParams(text);
    for (const key of WORDS) state[key] = given.get(key) ?? "";
    for (const key of LISTS) state[key] = given.getAll(key);
    state.status = state.status.map((name) => (name === "unexpected" ? "new" : name)); // as older pages call it
    return state;
  }

  function fragment(state) {
    const pairs = new URLSearchParams();
    for (const key of WORDS) if (state[key]) pairs.append(key, state[key]);
    for (const key of LISTS) for (const value of state[key]) pairs.append(key, value);
    return `#${pairs}`;
  }

  /** Change what is given. A step that `back` undoes is pushed; typing is not. */
  function update(changes, { push = false } = {}) {
    current = { ...current, ...changes };
    history[push ? "pushState" : "replaceState"](null, "", fragment(current));
    tell();
    return current;
  }

  function tell() {
    for (const listener of listeners) listener(current);
  }

  function follow() {
    const next = read();
    if (fragment(next) !== fragment(current)) {
      current = next;
      tell();
    }
  }
  window.addEventListener("popstate", follow);
  window.addEventListener("hashchange", follow);

  return { update, get: () => current, listen: (listener) => listeners.push(listener), link: (changes) => fragment({ ...EMPTY, ...changes }) };
})();
