// Plots of evaluations, drawn as SVG: means with their 95% intervals, spreads, differences.

import { s } from "./dom.js";

const ROW = 30;

// Units are pixels of a plot as wide as the view lets it be, so that text keeps its size on a phone.
function size() {
  return matchMedia("(max-width: 760px)").matches
    ? { width: 330, left: 96, right: 48, letters: 11 }
    : { width: 640, left: 150, right: 64, letters: 21 };
}

function scale(low, high) {
  const { width, left, right } = size();
  return (value) => left + ((value - low) / (high - low || 1)) * (width - left - right);
}

function frame(height, label, ...parts) {
  return s("svg", { viewBox: `0 0 ${size().width} ${height}`, class: "plot", role: "img", "aria-label": label }, parts);
}

function grid(x, ticks, height, shown) {
  return ticks.map((tick) => s("g", {},
    s("line", { class: "grid", x1: x(tick), x2: x(tick), y1: 4, y2: height - 20 }),
    s("text", { class: "tick", x: x(tick), y: height - 6, "text-anchor": "middle" }, shown(tick))));
}

// rows: { name, value, low, high, note }; values between 0 and 1.
export function intervals(rows, label) {
  const height = rows.length * ROW + 28;
  const x = scale(0, 1);
  return frame(height, label,
    grid(x, [0, 0.25, 0.5, 0.75, 1], height, (tick) => String(tick)),
    rows.map((row, index) => interval(row, x, index * ROW + 4 + ROW / 2, row.value.toFixed(3))));
}

function interval({ name, value, low, high, kind = "" }, x, y, shown) {
  const { width, left, letters } = size();
  const cut = name.length > letters ? `${name.slice(0, letters - 1)}…` : name;
  return s("g", { class: kind },
    s("title", {}, `${name}: ${shown}, 95% ${low.toFixed(3)} to ${high.toFixed(3)}`),
    s("text", { class: "name", x: left - 12, y: y + 4, "text-anchor": "end" }, cut),
    s("line", { class: "range", x1: x(low), x2: x(high), y1: y, y2: y }),
    s("line", { class: "end", x1: x(low), x2: x(low), y1: y - 4, y2: y + 4 }),
    s("line", { class: "end", x1: x(high), x2: x(high), y1: y - 4, y2: y + 4 }),
    s("circle", { class: "mean", cx: x(value), cy: y, r: 5 }),
    s("text", { class: "value", x: width - 4, y: y + 4, "text-anchor": "end" }, shown));
}

// rows: { name, value, low, high }: differences around zero, one of them good to the right.
export function differences(rows, label) {
  const widest = Math.max(0.01, ...rows.flatMap(({ low, high }) => [Math.abs(low), Math.abs(high)])) * 1.05;
  const height = rows.length * ROW + 28;
  const x = scale(-widest, widest);
  const signed = (value) => `${value > 0 ? "+" : ""}${value.toFixed(3)}`;
  return frame(height, label,
    grid(x, [-widest, -widest / 2, 0, widest / 2, widest], height, (tick) => (tick ? signed(tick) : "0")),
    s("line", { class: "zero", x1: x(0), x2: x(0), y1: 4, y2: height - 20 }),
    rows.map((row, index) => interval(
      { ...row, kind: row.low > 0 ? "better" : row.high < 0 ? "worse" : "" }, x, index * ROW + 4 + ROW / 2, signed(row.value))));
}

// How many of the values (between 0 and 1) lie in each tenth.
export function spread(values, label) {
  const bins = Array.from({ length: 10 }, () => 0);
  for (const value of values) bins[Math.min(9, Math.max(0, Math.floor(value * 10)))] += 1;
  const most = Math.max(1, ...bins);
  const [height, foot, step] = [150, 22, (size().width - 24) / 10];
  return frame(height, label, bins.map((count, index) => {
    const tall = (count / most) * (height - foot - 22);
    const x = 12 + index * step;
    return s("g", {},
      s("title", {}, `${index / 10} to ${(index + 1) / 10}: ${count}`),
      s("rect", { class: "column", x: x + 3, width: step - 6, y: height - foot - tall, height: Math.max(tall, count ? 2 : 0), rx: 3 }),
      count ? s("text", { class: "value", x: x + step / 2, y: height - foot - tall - 6, "text-anchor": "middle" }, count) : null,
      s("text", { class: "tick", x, y: height - 6, "text-anchor": "middle" }, index ? (index / 10).toFixed(1) : "0"));
  }));
}

// One thin column for each question, from what lost most to what won most.
export function changes(deltas, label) {
  const sorted = [...deltas].sort((a, b) => a - b);
  const [height, middle] = [130, 65];
  const most = Math.max(0.01, ...sorted.map(Math.abs));
  const { width } = size();
  const step = (width - 24) / Math.max(1, sorted.length);
  return frame(height, label,
    sorted.map((delta, index) => {
      const tall = (Math.abs(delta) / most) * (middle - 8);
      return s("rect", {
        class: delta > 0 ? "better" : delta < 0 ? "worse" : "same", x: 12 + index * step, width: Math.max(0.6, step - (step > 3 ? 1 : 0)),
        y: delta > 0 ? middle - tall : middle, height: Math.max(tall, 0.8),
      });
    }),
    s("line", { class: "zero", x1: 12, x2: width - 12, y1: middle, y2: middle }));
}
