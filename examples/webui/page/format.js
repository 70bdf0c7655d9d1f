// Numbers as people read them.

export function clock(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const pad = (n) => String(n).padStart(2, "0");
  const h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
  return h > 0 ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

export function size(bytes) {
  for (const [unit, value] of [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (bytes >= value) {
      const n = bytes / value;
      return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`;
    }
  }
  return `${bytes} bytes`;
}

export function about(seconds) {
  if (seconds < 10) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 50) return `${Math.round(seconds / 5) * 5} s`;
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

const endings = { one: "st", two: "nd", few: "rd", other: "th" };
const ordinals = new Intl.PluralRules("en", { type: "ordinal" });

export function ordinal(n) {
  return `${n}${endings[ordinals.select(n)]}`;
}

const languages = new Intl.DisplayNames(["en"], { type: "language" });

export function language(code) {
  try {
    return languages.of(code);
  } catch {
    return code; // an engine's own word
  }
}

export function words(n) {
  return n === 1 ? "1 word" : `${n.toLocaleString("en")} words`;
}
