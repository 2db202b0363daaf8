// The words of the pages, as `api/locales` has them, so that a journey can be made in both languages.
import { readdirSync, readFileSync } from "node:fs";

const texts = Object.fromEntries(["sv", "en"].map((language) => [language, read(language)]));

function read(language) {
  const folder = new URL(`../../api/locales/${language}/`, import.meta.url);
  const lines = readdirSync(folder).flatMap((name) => readFileSync(new URL(name, folder), "utf8").split("\n"));
  return new Map(lines.map((line) => line.match(/^([a-z][\w-]*) = (.+)$/)).filter(Boolean).map(([, key, text]) => [key, text]));
}

// The words of a language by their keys, with what stands in them.
export function words(language) {
  return (key, values = {}) => {
    const text = texts[language].get(key);
    if (!text) throw new Error(`${language} has no words for ${key}`);
    return text.replace(/\{ \$(\w+) \}/g, (_, name) => values[name]);
  };
}
