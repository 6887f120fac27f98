// Suggestions while a search is typed. Without it everything works: it only fills a list of links below the box.
"use strict";
(() => {
  const box = document.querySelector("input[data-suggest]");
  const list = document.getElementById("suggestions");
  if (!box || !list) return;
  let asked = 0;
  let timer;

  const link = (suggestion) => {
    const item = document.createElement("li");
    const anchor = document.createElement("a");
    const target = new URL(box.form.action);
    for (const [name, value] of new FormData(box.form)) if (name !== "q") target.searchParams.append(name, value);
    if (suggestion.query) target.searchParams.set("q", suggestion.query);
    for (const [name, value] of Object.entries(suggestion.filter ?? {})) target.searchParams.append(name, value);
    anchor.href = target;
    const label = document.createElement("span");
    label.textContent = suggestion.matched ? `${suggestion.label} (${suggestion.matched})` : suggestion.label;
    const count = document.createElement("span");
    count.className = "count";
    count.textContent = suggestion.count.toLocaleString(document.documentElement.lang);
    anchor.append(label, count);
    item.append(anchor);
    return item;
  };

  const ask = async () => {
    const number = ++asked;
    const typed = box.value.trim();
    if (typed.length < 2) return list.replaceChildren();
    const address = new URL(box.dataset.suggest, document.baseURI);
    address.searchParams.set("q", typed.slice(0, 200));
    address.searchParams.set("lang", document.documentElement.lang);
    address.searchParams.set("limit", "8");
    try {
      const answer = await fetch(address, { headers: { Accept: "application/json" } });
      if (!answer.ok || number !== asked) return;
      const { suggestions } = await answer.json();
      if (number === asked) list.replaceChildren(...suggestions.map(link));
    } catch {
      list.replaceChildren();
    }
  };

  box.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, 150);
  });
  box.form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") list.replaceChildren();
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [box, ...list.querySelectorAll("a")];
    const next = stops[stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  });
})();
