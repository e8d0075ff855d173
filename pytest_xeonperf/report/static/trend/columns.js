/* The data of a chart: words and figures come as columns (columns.py, trend.py), and leave as spots and lines. */
(() => {
  "use strict";
  const trend = (globalThis.xeonperfTrend ??= {});

  const DIGITS = 7; // that 32 bits hold
  const known = new Map(); // a chart is taken apart once, whoever asks for it

  const bytesOf = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const rounded = (value) => Number(value.toPrecision(DIGITS));
  const each = (values, change) => values.map((value) => (value === null ? null : change(value)));

  function wordsOf([words, places], count) {
    if (words.length < 2) return Array(count).fill(words[0] ?? "");
    const bytes = bytesOf(places);
    const wide = words.length > 256 ? new Uint16Array(bytes.buffer) : bytes;
    return Array.from(wide, (place) => words[place]);
  }

  const figuresOf = (text) => Array.from(new Float32Array(bytesOf(text).buffer), (value) => (Number.isNaN(value) ? null : value));

  function columnsOf(packed, unpack) {
    return Object.fromEntries(Object.entries(packed).map(([name, column]) => [name, unpack(column)]));
  }

  function spotsOf({ trend: { count, levels, words: packed }, verdicts, hrefs, alerts }, moments) {
    const words = columnsOf(packed, (column) => wordsOf(column, count));
    return moments.map(([sha, date, branch, subject, author], index) => {
      const [verdict, tone] = verdicts[words.outcome[index]];
      return {
        href: hrefs[index] ?? "", sha, date: `${date} UTC`, branch, subject, author, verdict, tone,
        speedup: [words.speedup[index], words.low[index], words.high[index]].filter(Boolean).join(" "),
        baseline: words.baseline[index], candidate: words.candidate[index], gap: words.gap[index],
        changes: words.changes[index] ? words.changes[index].split("\n") : [], level: levels[index] ?? "",
        alerts: alerts[index] ?? [],
        floor: words.floor[index], change: words.change[index],
        unknown: { floor: words.no_floor[index], change: words.no_change[index] },
      };
    });
  }

  /* The lines of every panel: of the speed-up its ratio, the low end of its interval, the high end, the floor. */
  function linesOf({ trend: { figures: packed }, speedup, candidate, baseline }) {
    const figures = columnsOf(packed, figuresOf);
    const latency = (name, { scale }) => [each(figures[name], (value) => rounded(value / scale))];
    const [, top] = speedup.span; // an end that nothing bounds would be drawn a billion pixels away
    return {
      speedup: [
        each(figures.ratio, rounded), each(figures.low_ratio, rounded),
        each(figures.high_ratio, (value) => Math.min(rounded(value), top)), each(figures.floor_ratio, rounded),
      ],
      candidate: latency("candidate_ns", candidate),
      baseline: latency("baseline_ns", baseline),
    };
  }

  function unpack(name) {
    const [data, moments] = [name, `${name}-moments`].map((id) => JSON.parse(document.getElementById(id).textContent));
    const { trend: _columns, verdicts: _verdicts, hrefs: _hrefs, alerts: _alerts, ...told } = data;
    for (const [kind, lines] of Object.entries(linesOf(data))) told[kind].lines = lines;
    return { ...told, spots: spotsOf(data, moments) };
  }

  function unpacked(name) {
    if (!known.has(name)) known.set(name, unpack(name));
    return known.get(name);
  }

  Object.assign(trend, { unpacked });
})();
