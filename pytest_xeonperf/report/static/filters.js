/* The filters of the first page. What is shown carries a token for each filter that it answers; what does not answer a
   filter is left alone by it. One more choice is that of the figure which the cells show. All of them are in the address
   after the #, in words. */
(() => {
  "use strict";

  const form = document.getElementById("filters");
  const selects = [...form.querySelectorAll("select")];
  const metric = form.querySelector("[name=metric]");
  const filters = selects.filter((select) => select !== metric);
  const status = form.querySelector("[role=status]");
  /* What shows the same case stands in one list, newest first: the first one that meets the filters is shown. */
  const lists = new Map();
  for (const element of document.querySelectorAll("[data-in]")) {
    const key = element.closest("[aria-labelledby=runs]") ? element : caseOf(element);
    lists.set(key, [...(lists.get(key) || []), { element, tokens: element.dataset.in.split(" ") }]);
  }

  function caseOf(element) {
    return element.querySelector("a.whole").getAttribute("href");
  }

  const wordsOf = (select) => select.selectedOptions[0].textContent;

  function meets(tokens, token) {
    return tokens.includes(token) || !tokens.some((each) => each[0] === token[0]);
  }

  function apply() {
    const chosen = filters.map((select) => select.value).filter(Boolean);
    for (const list of lists.values()) {
      const first = list.find(({ tokens }) => chosen.every((token) => meets(tokens, token)));
      for (const thing of list) thing.element.hidden = thing !== first;
    }
    document.querySelectorAll(".grid").forEach(narrow);
    if (metric) measure();
    document.querySelectorAll(".filtered").forEach(emptied);
    const counted = [count("section[aria-labelledby=runs]", "run"), count(".filtered:not([aria-labelledby=runs])", "case")]
      .filter(Boolean).reverse().join(", ");
    const asked = filters.filter((select) => select.value).map((select) => `${select.name} ${wordsOf(select)}`);
    status.textContent = asked.length ? `${counted}: only ${asked.join(", ")}` : counted; // on paper, too
    form.querySelector("[type=reset]").hidden = selects.every((select) => !select.value);
    document.dispatchEvent(new Event("narrowed"));
  }

  /* Every cell shows the figure that was chosen, with the speed-up below it, and no figure twice. */
  function measure() {
    const name = metric.value;
    document.querySelectorAll(".grid .cell").forEach((cell) => replace(cell, name));
    for (const each of document.querySelectorAll(".grid [data-beside]")) each.hidden = each.dataset.beside === name;
    document.querySelector(".grid .metric").textContent = wordsOf(metric);
    document.querySelector(".grid .of-speed-up").hidden = Boolean(name);
  }

  function replace(cell, name) {
    cell.querySelectorAll(".other").forEach((each) => each.remove());
    const own = cell.querySelector(".figure");
    own.hidden = Boolean(name);
    cell.querySelector(".spark").toggleAttribute("hidden", Boolean(name));
    if (!name) return;
    own.after(made("figure other", cell.dataset[name] || "—"));
    const beside = made("other", own.textContent);
    beside.append(document.createElement("br"));
    if (own.textContent) cell.querySelector(".whole > .note").prepend(beside);
  }

  function made(className, textContent) {
    return Object.assign(document.createElement("span"), { className, textContent });
  }

  /* Rows and columns of the grid that have nothing left to show. */
  function narrow(grid) {
    const rows = [...grid.tBodies[0].rows];
    const full = (cell) => cell.querySelector(".cell:not([hidden])") !== null;
    rows.forEach((row) => { row.hidden = ![...row.cells].some(full); });
    [...grid.tHead.rows[0].cells].slice(1).forEach((heading, index) => {
      const column = rows.map((row) => row.cells[index + 1]);
      heading.hidden = !column.some(full);
      column.forEach((cell) => { cell.hidden = heading.hidden; });
    });
  }

  function shown(scope, selector) {
    return scope.querySelectorAll(`:is(${selector}):not([hidden])`).length;
  }

  /* Cells are kept of the newest results of a case only; the list of runs goes further back. */
  function elsewhere() {
    const runs = document.querySelector("section[aria-labelledby=runs]");
    const asked = filters.some((select) => select.value && ["machine", "branch"].includes(select.name));
    const found = asked ? shown(runs, ".one") : 0;
    return found ? ` ${found === 1 ? "1 run in the list below does" : `${found} runs in the list below do`}.` : "";
  }

  /* A section of which nothing is left says so. */
  function emptied(section) {
    const nothing = section.querySelector(".cell, .one") !== null && !shown(section, ".cell, .one");
    const what = section.getAttribute("aria-labelledby") === "runs" ? "run" : "case";
    let word = section.querySelector(".nothing");
    if (nothing && !word) {
      word = document.createElement("p");
      word.className = "nothing note";
      section.append(word);
    }
    if (nothing) word.textContent = `No ${what} matches among the newest.${what === "case" ? elsewhere() : ""}`;
    if (!nothing && word) word.remove();
    section.querySelector(".scroll").hidden = nothing;
  }

  function count(sections, noun) {
    const things = [...document.querySelectorAll(sections)].flatMap((each) => [...each.querySelectorAll(".cell, .one")]);
    const all = noun === "run" ? things.length : new Set(things.map(caseOf)).size;
    return all ? `${things.filter((each) => !each.hidden).length} of ${all} ${noun}${all === 1 ? "" : "s"}` : "";
  }

  function write() {
    const chosen = new URLSearchParams(selects.filter((select) => select.value).map((each) => [each.name, wordsOf(each)]));
    history.replaceState(null, "", String(chosen) ? `#${chosen}` : location.pathname + location.search);
  }

  function read() {
    const given = new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : "");
    for (const select of selects) {
      const words = given.get(select.name);
      const option = words === null ? null : [...select.options].find((each) => each.value && each.textContent === words);
      select.value = option ? option.value : "";
    }
    apply();
  }

  form.addEventListener("change", () => { write(); apply(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { write(); apply(); selects[0].focus(); }));
  addEventListener("hashchange", () => { if (!location.hash || location.hash.includes("=")) read(); });
  form.hidden = false;
  read();
})();
