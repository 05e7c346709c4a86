// The button that switches the theme between the system's, light and dark, and keeps it.
"use strict";
(() => {
  const root = document.documentElement;
  const button = document.getElementById("theme");
  const names = ["system", "light", "dark"];
  const current = () => root.dataset.theme ?? "system";
  const say = () => { button.textContent = `Theme: ${current()}`; };
  button.hidden = false;
  button.addEventListener("click", () => {
    const next = names[(names.indexOf(current()) + 1) % names.length];
    if (next === "system") delete root.dataset.theme; else root.dataset.theme = next;
    try { localStorage.setItem("conformance-theme", next); } catch { /* not kept then */ }
    say();
    document.dispatchEvent(new Event("themechange"));
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => document.dispatchEvent(new Event("themechange")));
  say();
})();
