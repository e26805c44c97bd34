"""Writes the texts that the tokenizers are compared on, one JSON string a line:

    python3 make_tokenizer_texts.py > ../resources/tokenizer/texts.jsonl

Own text, and random text from a seed. No lone surrogates: reference tools refuse them.
"""

import json
import random

SPECIAL = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>", "<s>", "</s>", "<unk>",
    "<|begin_of_text|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>", "<bos>", "<eos>", "[INST]", "[/INST]",
    "<tool_call>", "</tool_call>", "<think>",
]

HAND = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\t", "\t\t", "\r\n", "\r\n\r\n", "\r", "\u00a0", "\u3000",
    "a", " a",
    "  a", "   a", "a ", "a  ", "a   b", "a\n", "a\n\n", "a\n\nb", "a \n b", "a  \n\n  b", "\n\n\n\na", "a\tb",
    "a\t\tb",
    " \t a", "\t a", "a\r\nb\r\n", "a \r\n \r\n b", "\n \n \n", "  \n  \n  x", "x \u00a0 y", "x\u2028y\u2029z\u0085w",
    "Hello, world!", "Hello,world", " Hello", "Hello  world", "HELLO WORLD", "hELLO wORLD", "HelloWorld",
    "helloWorldFooBAR",
    "The quick brown fox jumps over the lazy dog.",
    "It's what we've said: they're done, I'm sure, he'd go, we'll see, can't.",
    "IT'S WHAT WE'VE SAID: THEY'RE DONE, I'M SURE, HE'D GO, WE'LL SEE, CAN'T.", "It'S 'Ve 'rE 'lL 'Ll x'sx x'dog 'tis",
    "don\u2019t it\u2019s we\u2019ve", "'s", "'", "''", "'s's's", " 's", "a's b't", "'re're", "'\u017f '\u017fa",
    "'\u017fab x'\u017fab", "'l 'v 'r",
    "0", "1", "12", "123", "1234", "12345", "123456", "1234567", "12345678901234567890", "1 2 3", " 1", "  12",
    "3.14159",
    "1,000,000.00", "-42", "+7", "1e-9", "0x1F", "2026-11-23T08:17:53Z", "v1.2.3", "a1b2c3", "1a", "a1",
    "x=1;y=22;z=333",
    "\u0661\u0662\u0663\u0664", "\u00bd \u00b2 \u2167 \u2460", "\uff11\uff12\uff13", "\u4e00\u4e8c\u4e09",
    "\U0001d7ce\U0001d7cf",
    "!", "!!", "!!!", "?!", "...", " ...", "... ", "a...b", "(a)", "[b]", "{c}", "<d>", "\"e\"", "#$%&", "foo_bar",
    "__init__",
    "--", "---", "\u2014", "\u2026", "\u00ab\u00bb", "$100", "100%", "a+b=c", "a^b|c~d", "\u20ac5", "`x`", "\\n",
    "/*", "*/", "///", "a/b/c",
    "http://example.org/a?b=c&d=e#f", "me@example.org", "!\n", "!\n\n", "!\r\n!", "/\n/", "//\n\n", "?/\n x",
    "\U0001f600", "\U0001f600\U0001f600", " \U0001f600", "a\U0001f600b",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466",
    "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "\U0001f44d\U0001f3fd", "\u2764\ufe0f", "1\ufe0f\u20e3",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\u65e5\u672c\u8a9e", "\u4f60\u597d\uff0c\u4e16\u754c\uff01", "\ud55c\uad6d\uc5b4 \ubb38\uc7a5",
    "\u3053\u3093\u306b\u3061\u306f\u3001\u4e16\u754c\u3002", "\u30ab\u30bf\u30ab\u30ca\u30fc",
    "\u4e2d\u6587 mixed \u82f1\u6587",
    "\u4ef7\u683c100\u5143", "\U00020000\U0002a6d6", "e\u0301", "\u00e9", "n\u0303o", "a\u0308\u0323",
    "Z\u0351\u036b\u0343a\u0363l\u0362g\u0355o", "\u0301a", " \u0301", "\u0301\u0301",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "\u0645\u064e\u0631\u0652\u062d\u064e\u0628\u064b\u0627",
    "\u0928\u092e\u0938\u094d\u0924\u0947 \u0926\u0941\u0928\u093f\u092f\u093e",
    "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35", "\u05e9\u05dc\u05d5\u05dd",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!",
    "\u0393\u03b5\u03b9\u03ac \u03c3\u03bf\u03c5", "stra\u00dfe STRASSE \u1e9e", "\u01c5ungla \u01c4 \u01c6",
    "\u0130stanbul \u0131", "\ufb01ligree", "\u00df'S \u00c9T\u00c9 \u00e9T\u00e9", "\u02b0\u02b1 \u00aa\u00ba",
    "\U0001d400\U0001d41a \U00010400\U00010428", "\ufeffbom", "\u200b\u200c\u200d", "\u0000", "\u0001\u0002",
    "\u001c\u001d\u001e\u001f", "\u007f", "\ufffd", "\ufdd0", "\uffff", "\ue000", "\u0378",
    "\u2581", "\u2581a \u2581b", "\u0120", "\u0120a\u010a", "<0x41>", "<0x0A>",
    "def f(x):\n    return x * 2\n\n\nclass A(B):\n\tdef __init__(self, *args):\n\t\tself.x = args[0]\n",
    "public static void main(String[] args) {\n    System.out.println(\"Hi\\n\");\n}\n",
    "SELECT a.id, COUNT(*) FROM t AS a WHERE a.x >= 10 AND b <> 'y' GROUP BY 1;",
    "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"K\u00f6ln\", \"days\": 3}}",
    "<html><body class='x'>&amp;</body></html>",
    "for (int i=0;i<n;i++){a[i]+=b[i]*c[i];}", "x   =    1    # note", "if a:\n        b\n    else:\n  c",
    "$ ls -la | grep '^d' && echo \"$HOME\"",
    "| a | b |\n|---|---|\n| 1 | 2 |\n", "- [ ] one\n- [x] two\n\n* * *\n", "\t\t\t\tdeep\n\t\t\t\t\tdeeper",
    "a" * 50, "A" * 50, "ab" * 40, "!" * 60, "=" * 80, "-" * 33,
    " " * 31, " " * 64, "x" + " " * 40 + "y", "\n" * 40, "\n" * 33 + "x", "\t" * 20, " \n" * 12, "\u3000" * 5 + "x",
    "0" * 30, "9" * 31,
]

WORDS = (
    "the of and to in is was he for it with as his on be at by had not are but from or have an they which "
    "one you were her all she there would their we him been has when who will more no if out so said what "
    "up its about into than them can only other new some could time these two may then do first any my "
    "now such like our over man me even most made after stream session token decode prefill cache block "
    "agent tool model latency Flink Kafka checkpoint savepoint"
).split()

ALPHABETS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "aAbB'sStTdDmM", "0123456789", " \t\n\r", "  \n",
    ".,;:!?-_/\\|()[]{}<>@#$%^&*+=~`\"'",
    "\u00e0\u00e9\u00ee\u00f5\u00fc\u00df\u00c5\u00d8\u00c6", "\u0430\u0431\u0432\u0413\u0414\u0415",
    "\u03b1\u03b2\u0393\u0394", "\u4e2d\u6587\u5b57\u65e5\u672c\u8a9e", "\u3042\u30a2\u30fc\u3001\u3002",
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u0939\u093f\u0928\u094d\u0926\u0940",
    "\U0001f600\U0001f468\u200d\U0001f469\ufe0f\U0001f1e9\U0001f1ea", "\u0300\u0301\u0308\u0323",
    "\u00a0\u2003\u3000\u2028\u0085", "\u00bd\u00b2\u0663\u2167",
    "\U00010400\U00010428\U0001d400\U00020000", "\u200b\ufeff\u00ad\ue000\ufffd",
]

BLOCKS = [(0x20, 0x7E), (0xA0, 0x24F), (0x250, 0x36F), (0x370, 0x52F), (0x590, 0x77F), (0x900, 0xDFF), (0xE00,
0x11FF), (0x1E00, 0x206F),
          (0x2070, 0x2BFF), (0x3000, 0x33FF), (0x4E00, 0x9FFF), (0xA000, 0xABFF), (0xAC00, 0xD7A3), (0xF900, 0xFFFD),
          (0x10000, 0x10FFF), (0x1D400, 0x1D7FF),
          (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF)]


def random_texts(rng):
    for _ in range(40):
        yield " ".join(rng.choice(WORDS) for _ in range(rng.randint(3, 25))) + rng.choice([".", "!", "?\n", "", "\n\n"])
    for _ in range(70):
        parts = []
        for _ in range(rng.randint(1, 12)):
            alphabet = rng.choice(ALPHABETS)
            parts.append("".join(rng.choice(alphabet) for _ in range(rng.randint(1, 6))))
        yield "".join(parts)
    for _ in range(40):
        yield "".join(chr(rng.randint(*rng.choice(BLOCKS))) for _ in range(rng.randint(1, 25)))
    for _ in range(30):
        yield "".join(rng.choice([rng.choice(SPECIAL), rng.choice(WORDS), " ", "\n", rng.choice(SPECIAL)[1:],
        rng.choice(SPECIAL)[:-2]])
                      for _ in range(rng.randint(1, 8)))


def main():
    texts = HAND + SPECIAL + [f"a {token} b" for token in SPECIAL] + list(random_texts(random.Random(20261123)))
    for text in dict.fromkeys(texts):
        print(json.dumps(text))


main()
