/* What a reader has set up on a chart, in the address after the #: a link that is copied shows the same. Runs are named
   by when they were and of what commit, so that a link stays true when others join them and when their pages go. What
   makes no sense is passed over. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const DELAY_MS = 150; // browsers refuse an address that changes too often
  const AXES = { y: ["log", "zero"], x: ["date"] };

  const stamp = (spot) => spot.date.replace(/\D/g, ""); // digits: they sort as the dates do
  const runOf = (spot) => (/^run-(.+)\.html$/.exec(spot.href) || ["", ""])[1];
  const named = new WeakMap(); // the names of a chart are made once

  /* What an address calls each point: minute and commit, and a number where an earlier point is called so. */
  function namesOf(spots) {
    const seen = new Map();
    return spots.map((spot) => {
      const name = [stamp(spot), spot.sha.replace(/\W/g, "")].filter(Boolean).join("-");
      const count = (seen.get(name) ?? 0) + 1;
      seen.set(name, count);
      return count > 1 ? `${name}.${count}` : name;
    });
  }

  function names(spots) {
    if (!named.has(spots)) named.set(spots, namesOf(spots));
    return named.get(spots);
  }

  /* Where everything is shown and nothing is pinned. */
  function untouched(spots) {
    return { first: 0, last: spots.length - 1, pin: -1, other: -1, x: "", y: "" };
  }

  function parameters() {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text : "");
  }

  function zoomIn(text, spots) {
    const [, from, to] = /^(\d{12})-(\d{12})$/.exec(text) || [];
    if (!from) return {};
    const seen = spots.flatMap((spot, index) => (stamp(spot) >= from && stamp(spot) <= to ? [index] : []));
    return seen.length ? { first: seen[0], last: seen[seen.length - 1] } : {};
  }

  /* Links of old have the id of a run that had a page, or the minute alone. */
  function measured(name, spots) {
    if (!name) return -1;
    const index = names(spots).indexOf(name);
    if (index >= 0) return spots[index].gap ? -1 : index;
    return spots.findIndex((spot) => !spot.gap && (runOf(spot) === name || stamp(spot) === name));
  }

  /* The state of one chart, as the address has it. */
  function read(key, spots) {
    const given = parameters();
    const value = (name) => given.get(`${key}.${name}`) || "";
    const pin = measured(value("pin"), spots);
    const other = pin < 0 ? -1 : measured(value("with"), spots);
    return {
      ...untouched(spots),
      ...zoomIn(value("zoom"), spots),
      pin,
      other: other === pin ? -1 : other,
      x: AXES.x.includes(value("x")) ? value("x") : "",
      y: AXES.y.includes(value("y")) ? value("y") : "",
    };
  }

  function write(key, spots, state) {
    const given = parameters();
    const all = state.first === 0 && state.last === spots.length - 1;
    const values = {
      zoom: all ? "" : `${stamp(spots[state.first])}-${stamp(spots[state.last])}`,
      pin: state.pin < 0 ? "" : names(spots)[state.pin],
      with: state.other < 0 ? "" : names(spots)[state.other],
      x: state.x,
      y: state.y,
    };
    for (const [name, value] of Object.entries(values)) {
      if (value) given.set(`${key}.${name}`, value);
      else given.delete(`${key}.${name}`);
    }
    const text = given.toString();
    if (text === parameters().toString()) return; // the address may also name a place on the page
    history.replaceState(null, "", text ? `#${text}` : location.pathname + location.search);
  }

  /* A writer that waits until a chart has come to rest; `flush` does not. */
  function writer(key, spots) {
    let waiting = null;
    let latest = null;
    function flush() {
      clearTimeout(waiting);
      if (latest) write(key, spots, latest);
      latest = null;
    }
    function later(state) {
      latest = { ...state };
      clearTimeout(waiting);
      waiting = setTimeout(flush, DELAY_MS);
    }
    return { later, flush };
  }

  Object.assign(trend, { untouched, readState: read, writer, runOf });
})();
