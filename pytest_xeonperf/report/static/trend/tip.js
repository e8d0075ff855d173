/* What is said about a run: the tooltip, and the comparison below a chart. Text nodes only, so that a name can say what
   it likes. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  function make(tag, text = "", className = "") {
    const element = document.createElement(tag);
    element.textContent = text;
    if (className) element.className = className;
    return element;
  }

  function row(list, name, value) {
    if (value) list.append(make("dt", name), make("dd", value));
  }

  const sideOf = (data, kind) => data[kind].label.split(",").slice(0, -1).join(",") || data[kind].label;
  const day = (spot) => spot.date.replace(" UTC", "");

  function tell(tip, data, index, pin) {
    const spot = data.spots[index];
    const list = make("dl");
    row(list, "speed-up", spot.speedup);
    row(list, sideOf(data, "candidate"), spot.candidate);
    row(list, sideOf(data, "baseline"), spot.baseline);
    row(list, "nothing measured", spot.gap);
    row(list, "commit", [spot.sha, spot.branch].filter(Boolean).join(" on "));
    row(list, "", spot.subject);
    row(list, "author", spot.author);
    row(list, "date", spot.date);
    spot.changes.forEach((change, number) => row(list, number ? "" : "changed", change));
    row(list, "level changed", spot.level);
    for (const alert of spot.alerts) row(list, "alert", alert.text);
    tip.replaceChildren(make("p", spot.verdict, `tip-head tone-${spot.tone}`), list);
    if (pin === index) tip.append(make("p", "pinned", "tip-pin"));
    else if (pin >= 0 && !spot.gap) tip.append(...against(data, pin, index));
  }

  function against(data, pin, index) {
    const list = make("dl");
    for (const [kind, ratio] of Object.entries(trend.changes(data, pin, index))) {
      row(list, kind === "speedup" ? "speed-up" : sideOf(data, kind), trend.change(ratio));
    }
    return [make("p", `against the pinned run of ${day(data.spots[pin])}`, "tip-pin"), list];
  }

  /* The tooltip itself: beside the run that it is about, and always on the chart. */
  function tooltip(box, data, state) {
    const element = make("div", "", "tip");
    element.hidden = true;
    element.setAttribute("aria-live", "polite");

    function place(index, left) {
      element.hidden = index < 0;
      if (index < 0) return;
      tell(element, data, index, state.pin);
      const beside = left > box.clientWidth / 2 ? left - element.offsetWidth - 14 : left + 14;
      element.style.left = `${Math.max(0, Math.min(beside, box.clientWidth - element.offsetWidth))}px`;
    }

    return { element, place };
  }

  /* Below a chart: what is pinned and what a reader can do with it, or the two runs side by side. */
  function pinboard(data, state, unpin) {
    const said = make("p");
    said.setAttribute("role", "status");
    const button = make("button", "Unpin", "tool");
    button.type = "button";
    button.addEventListener("click", unpin);
    const pair = make("div", "", "scroll");
    pair.tabIndex = 0; // so that keys can scroll it where it is wider than the window
    pair.setAttribute("role", "group");
    pair.setAttribute("aria-label", "The two runs side by side");
    const element = make("div", "", "pinned");
    element.append(said, button, pair);

    function update() {
      const { pin, other } = state;
      element.hidden = pin < 0;
      pair.hidden = other < 0;
      pair.replaceChildren(...(other < 0 ? [] : [table(data, state)]));
      if (pin < 0) said.textContent = "";
      else if (other >= 0) said.textContent = trend.sentence(data, pin, other);
      else {
        said.textContent = `The run of ${day(data.spots[pin])} is pinned: click another one, or press Space on it, `
          + "to compare the two.";
      }
    }

    return { element, update };
  }

  function table(data, { pin, other }) {
    const [from, to] = [data.spots[pin], data.spots[other]];
    const changes = trend.changes(data, pin, other);
    const made = make("table", "", "rows pair");
    made.append(make("caption", "The pinned run and the one it is compared with."));
    const headings = make("tr");
    for (const name of ["", "pinned", "compared", "change"]) {
      const heading = make(name ? "th" : "td", name);
      if (name) heading.scope = "col";
      headings.append(heading);
    }
    made.append(make("thead"), make("tbody"));
    made.tHead.append(headings);
    const line = (name, one, two, ratio) => {
      if (!one && !two) return;
      const heading = make("th", name);
      heading.scope = "row";
      const cells = make("tr");
      cells.append(heading, cell(one), cell(two), cell(ratio ? trend.change(ratio) : ""));
      made.tBodies[0].append(cells);
    };
    line("run", opening(from), opening(to));
    line("commit", [from.sha, from.subject].filter(Boolean).join(" "), [to.sha, to.subject].filter(Boolean).join(" "));
    line("verdict", from.verdict, to.verdict);
    line("speed-up", from.speedup, to.speedup, changes.speedup);
    line(sideOf(data, "candidate"), from.candidate, to.candidate, changes.candidate);
    line(sideOf(data, "baseline"), from.baseline, to.baseline, changes.baseline);
    return made;
  }

  function opening(spot) {
    if (!spot.href) return spot.date;
    const link = make("a", spot.date);
    link.href = spot.href;
    return link;
  }

  function cell(content) {
    const made = make("td");
    made.append(content);
    return made;
  }

  Object.assign(trend, { make, tooltip, pinboard });
})();
