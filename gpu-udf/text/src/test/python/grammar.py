"""Random templates from a grammar of the language, the same for the same seed."""

import random

NAMES = ["s", "e", "u", "n", "t", "f", "i", "z", "neg", "x", "l", "ls", "empty", "d", "people", "missing", "w"]
LITERALS = ["0", "1", "-2", "7", "2.5", "0.1", "''", "'a'", "'Hello'", "'a b c'", "true", "false", "none", "[]",
            "[1, 2, 3]", "['b', 'a']", "{}", "{'k': 'v', 'j': 2}", "(1, 'x')"]
BINARY = ["+", "-", "*", "/", "//", "%", "~", "==", "!=", "<", ">", "<=", ">=", "in", "not in", "and", "or"]
FILTERS = ["upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "list", "string", "int", "float",
           "abs", "round", "sort", "unique|list", "reverse|list", "join", "join('-')", "tojson", "default('x')",
           "default('y', true)", "sum", "min", "max", "replace('a', 'b')", "indent(2)", "items|list", "dictsort",
           "map('string')|list", "select|list", "reject|list", "batch(2)|list", "wordcount", "center(9)", "escape",
           "map('upper')|join(',')", "select('string')|list", "reject('none')|list", "tojson(indent=1)", "truncate(4)"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "mapping", "sequence",
         "iterable", "odd", "even", "true", "false", "eq 1", "in [1, 'a']", "divisibleby 2", "lower", "upper"]
METHODS = ["upper()", "lower()", "strip()", "split()", "split('l')", "startswith('H')", "endswith('d')",
           "replace('l', 'L')", "items()|list", "get('a')", "keys()|list", "title()", "count('l')", "index(1)",
           "find('o')", "join(ls)", "splitlines()", "lstrip('H')", "rsplit(' ', 1)", "partition(' ')"]
SUBSCRIPTS = ["[0]", "[-1]", "[1:]", "[:-1]", "[::-1]", "['a']", ".a", ".name", "[0].name", "[::2]", "[1:2]", ".foo"]


def expression(rng, depth):
    if depth <= 0 or rng.random() < 0.15:
        return rng.choice(NAMES + LITERALS)
    kind = rng.randrange(12)
    inner = expression(rng, depth - 1)
    if kind < 3:
        return f"{inner} {rng.choice(BINARY)} {expression(rng, depth - 1)}"
    if kind == 3:
        return f"({inner})"
    if kind < 6:
        return f"({inner})|{rng.choice(FILTERS)}" if rng.random() < 0.7 else f"{inner}|{rng.choice(FILTERS)}"
    if kind == 6:
        return f"{inner} is {rng.choice(['', 'not '])}{rng.choice(TESTS)}"
    if kind == 7:
        return f"({inner}).{rng.choice(METHODS)}"
    if kind == 8:
        return f"({inner}){rng.choice(SUBSCRIPTS)}"
    if kind == 9:
        return f"{inner} if {expression(rng, depth - 1)} else {expression(rng, depth - 1)}"
    if kind == 10:
        return f"[{inner}, {expression(rng, depth - 1)}]"
    return rng.choice(["not ", "-", "+"]) + inner


def space(rng):
    return rng.choice(["", "", " ", "\n", "\n  ", "  ", "\n\n"])


def statements(rng, depth):
    return "".join(space(rng) + statement(rng, depth) for _ in range(rng.randrange(1, 4))) + space(rng)


def tag(rng, body):
    return "{%" + rng.choice(["", "", "-", "+"]) + f" {body} " + rng.choice(["", "", "-", "+"]) + "%}"


def statement(rng, depth):
    kind = rng.randrange(8)
    if depth <= 0 or kind < 2:
        return "{{" + rng.choice(["", "-"]) + f" {expression(rng, 2)} " + rng.choice(["", "-"]) + "}}"
    if kind == 2:
        return rng.choice(["text", "a b", "x ", " y"]) + rng.choice(["", "{# c #}", "{#- c -#}"])
    inner = statements(rng, depth - 1)
    if kind == 3:
        otherwise = tag(rng, "else") + statements(rng, depth - 1) if rng.random() < 0.5 else ""
        return tag(rng, f"if {expression(rng, 2)}") + inner + otherwise + tag(rng, "endif")
    if kind == 4:
        name = rng.choice(["x", "v", "i"])
        jump = rng.choice(["", "", tag(rng, "if loop.index > 2") + tag(rng, "break") + tag(rng, "endif")])
        return (tag(rng, f"for {name} in {rng.choice(['l', 'ls', 'people', 'd', 'range(4)', 's', 'empty'])}") + jump
                + inner + rng.choice(["", "{{ loop.index }}", "{{ loop.last }}"]) + tag(rng, "endfor"))
    if kind == 5:
        return tag(rng, f"set {rng.choice(['x', 'v', 's', 'l'])} = {expression(rng, 2)}")
    if kind == 6:
        return tag(rng, f"set {rng.choice(['v', 's'])}") + inner + tag(rng, "endset")
    return tag(rng, "macro m(a, b=1)") + inner + tag(rng, "endmacro") + "{{ m(i) }}"


def templates(seed, count):
    rng = random.Random(seed)
    for index in range(count):
        if index % 3 < 2:
            yield "{{ " + expression(rng, 3) + " }}"
        else:
            yield statements(rng, 3)
