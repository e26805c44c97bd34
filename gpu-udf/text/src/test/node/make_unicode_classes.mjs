// Writes the table that io.millrace.text.tokenizer.UnicodeClasses reads:
//   node make_unicode_classes.mjs > ../../main/resources/io/millrace/text/tokenizer/unicode-classes.txt
// One line for each run of code points of one class, from U+0000 on: the class's letter and the run's length.
const classes = [
  ["W", /^\p{White_Space}$/u],
  ["U", /^[\p{Lu}\p{Lt}]$/u],
  ["l", /^\p{Ll}$/u],
  ["o", /^[\p{Lm}\p{Lo}]$/u],
  ["M", /^\p{M}$/u],
  ["N", /^\p{N}$/u],
  ["P", /^\p{P}$/u],
  ["S", /^\p{S}$/u],
  ["x", /^[^]$/u],
];
const lines = [`# Classes of code points, Unicode ${process.versions.unicode}. Made by make_unicode_classes.mjs.`];
let last = null;
let length = 0;
for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
  const text = String.fromCodePoint(codePoint);
  const letter = codePoint >= 0xd800 && codePoint <= 0xdfff ? "x" : classes.find(([, regex]) => regex.test(text))[0];
  if (letter !== last && last !== null) {
    lines.push(`${last} ${length}`);
    length = 0;
  }
  last = letter;
  length++;
}
lines.push(`${last} ${length}`);
console.log(lines.join("\n"));
