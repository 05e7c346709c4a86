// The theme kept from an earlier visit, before anything is painted. A page from disk may have no storage.
"use strict";
try {
  const kept = localStorage.getItem("conformance-theme");
  if (kept === "light" || kept === "dark") document.documentElement.dataset.theme = kept;
} catch { /* the system's theme then */ }
document.documentElement.classList.add("scripted");
