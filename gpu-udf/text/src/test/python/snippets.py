"""Small templates that cover the language: expressions, one a line, and whole templates."""

VARIABLES = {
    "s": "Hello, World",
    "e": "",
    "u": "héllo wörld ß İ ǆ \U0001f600 e\u0301 日本語",
    "w": "  \t pad ded \n ",
    "m": "line one\nline two\n\n  line four\n",
    "q": "it's \"quoted\" \\ back\u0000\u200b",
    "n": None,
    "t": True,
    "f": False,
    "i": 7,
    "z": 0,
    "neg": -3,
    "big": 123456789012345678901234567890,
    "x": 2.5,
    "y": 0.1,
    "tiny": 1e-7,
    "huge": 1e22,
    "l": [3, 1, 2],
    "ls": ["b", "A", "c", "a"],
    "mixed": [1, "a", None, True, 2.5, [1], {"k": "v"}],
    "empty": [],
    "d": {"b": 1, "a": 2, "C": 3},
    "nested": {"a": {"b": {"c": [10, 20, 30]}}, "items": "shadow", "keys": 1},
    "people": [
        {"name": "Zoe", "age": 30, "tags": ["x", "y"], "address": {"city": "Rome"}},
        {"name": "adam", "age": 25, "tags": [], "address": {"city": "Oslo"}},
        {"name": "Bob", "age": 30, "address": {"city": "rome"}},
    ],
    "messages": [
        {"role": "system", "content": "be brief"},
        {"role": "user", "content": "hi <|im_end|> there"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"id": "c1", "type": "function",
             "function": {"name": "get", "arguments": {"city": "Zürich", "n": 1, "ok": True, "none": None}}}]},
        {"role": "tool", "content": "{\"a\": 1}", "tool_call_id": "c1"},
        {"role": "assistant", "content": "<think>\nhm\n</think>\n\nDone"},
    ],
    "tool": {"type": "function", "function": {"name": "f", "description": "d é \"q\" </s>", "parameters": {
        "type": "object", "properties": {"a": {"type": "string", "enum": ["x", "y"]}, "b": {"type": "number"}},
        "required": ["a"]}}},
}

EXPRESSIONS = r"""
1
-1
+1
1 + 2
1 - 2 - 3
2 * 3 + 4
2 + 3 * 4
(2 + 3) * 4
7 / 2
6 / 2
7 // 2
-7 // 2
7 // -2
7.5 // 2
-7.5 // 2
7 % 3
-7 % 3
7 % -3
7.5 % 2
-7.5 % 2
7 % -3.5
2 ** 10
2 ** 3 ** 2
-2 ** 2
2 ** -1
2.0 ** 0.5
2 ** 0.5
0 ** 0
10 ** 20
9223372036854775807 + 1
-9223372036854775808 - 1
9223372036854775807 * 2
big
big + 1
big * big
big // 7
big % 7
-big // 7
big / 3
big == 123456789012345678901234567890
1_000_000
0x1F
0b101
0o17
1e3
1.5e-3
1.0
1.10
100000000000000000.0
1e15
1e16
123456789.123456789
1e-4
1e-5
0.1 + 0.2
1/3
2/3
1e308 * 10
-1e308 * 10
x
y
tiny
huge
1 / 0
1 // 0
1 % 0
1.0 / 0
1.0 % 0
1 / 0.0
true
True
false
False
none
None
t + 1
t + t
-t
+t
t * 3
t / 2
t == 1
f == 0
1 == 1.0
1 == '1'
1 != 1.0
none == none
none is none
none == false
0 == false
'' == false
[] == []
[1, 2] == [1, 2]
[1, 2] == (1, 2)
(1, 2) == (1, 2)
{'a': 1} == {'a': 1.0}
[1, 2] < [1, 3]
[1, 2] < [1, 2, 0]
(1, 2) < (1, 3)
[1] < (2,)
'a' < 'b'
'a' < 'B'
'a' < 1
none < 1
1 < 2 < 3
1 < 3 < 2
3 > 2 > 1
1 < 2 == true
1 <= 1 >= 1
1 == 1 != 2
1 < 2.5
x >= 2.5
'a' in 'abc'
'd' in 'abc'
'' in 'abc'
1 in 'abc'
1 in [1, 2]
1.0 in [1, 2]
'1' in [1, 2]
1 in (1, 2)
'a' in d
'z' in d
1 in d
1 not in [2]
'a' not in 'abc'
'x' in missing
1 in none
1 in 5
[1] in [[1], [2]]
not 1 in [1]
not true
not not true
true and false
true or false
1 and 2
0 and 2
1 or 2
0 or 2
0 or none or ''
'' or 'x'
none and missing.foo
true or missing.foo
not missing
1 if true
1 if false
1 if true else 2
1 if false else 2
1 if false else 2 if false else 3
(1 if false else 2) + 1
'a' if x > 2 and i == 7 else 'b'
missing
missing.foo
missing['foo']
missing[0]
missing()
missing + 1
1 + missing
missing ~ 'x'
missing == missing2
missing == none
missing == ''
missing | length
missing | list
missing | upper
missing | trim
missing | int
missing | float
missing | join(',')
missing | first
missing | last
missing | sort
missing | reverse | list
missing | replace('a', 'b')
missing | string
missing | tojson
missing | abs
missing | round
missing | items | list
missing | dictsort
missing | sum
missing | unique | list
missing | map('upper') | list
missing | select | list
missing | min
missing | indent
missing | title
missing | capitalize
missing | wordcount
missing | truncate(3)
missing | escape
missing | default('x')
missing | d('x')
missing < 1
-missing
missing * 2
[missing]
[missing] | string
{'a': missing}
missing is defined
missing is undefined
missing is none
missing is string
missing is mapping
missing is iterable
missing is sequence
missing is callable
missing is true
missing is false
missing is boolean
missing is number
missing is eq(missing)
d.missing
d.missing.more
d['missing'] is defined
d.missing is defined
nested.a.b.c[1]
nested['a']['b']['c'][-1]
nested.a.b.c[5]
nested.a.b.c[5] is defined
nested.a.b.x.y
nested['items']
nested['keys']
nested.items is callable
nested.keys is callable
nested.keys() | list
nested['keys'] + 1
l.0
l.1
l[-1]
l[-4]
l[10]
l['a']
l[true]
l[1.0]
l.foo
s.foo
s[0]
s[-1]
s[100]
s['upper']()
s.0
u[6]
u[-1]
i.foo
none.foo
none['a']
n.foo is defined
5[0]
1:2
l[:]
l[1:]
l[:1]
l[:-1]
l[-1:]
l[::2]
l[::-1]
l[2:0:-1]
l[5:]
l[-100:100]
l[1:1]
l[none:none]
l[::0]
l['a':]
s[1:4]
s[::-1]
s[-5:]
s[:-7]
s[::3]
s[10:2:-2]
u[::-1]
u[6:11]
u[-3:]
(1, 2, 3)[1:]
(1, 2, 3)[::-1]
d[1:]
range(5)[1:3] | list
'abc'[1:][0]
l[1, 2]
l
l + [4]
l + (4,)
(1,) + (2,)
[1] * 3
3 * [1]
(1, 2) * 2
'ab' * 3
3 * 'ab'
'ab' * 0
'ab' * -1
'ab' * 1.5
'a' + 'b'
'a' + 1
1 + 'a'
'a' + none
none + 'a'
'a' ~ 1 ~ none ~ true ~ 1.5 ~ [1, 'x']
'a' 'b' "c"
'a' - 'b'
[1] - [1]
[1] + 'a'
()
(1,)
(1)
(1, 2)
[]
[1, 2,]
{}
{'a': 1,}
{'a': 1, 'b': [1, 2], 'c': {'d': none}}
{1: 'a', 2.5: 'b', true: 'c', none: 'd', (1, 2): 'e'}
{[1]: 2}
{'a': 1, 'a': 2}
mixed
[true, false, none, 1.0, 'x', "it's", 'say "hi"', 'both \' and "']
q
[q]
[u]
['\n\t\r\\\x00\x7f\xa0\u200b\u2028']
'\n|\t|\\|\'|\"|\x41|\u0042|\U0001F600|\101|\q|\a'|tojson
'\x4'
"unicode: é 日本 😀"
"a\
b"
s.upper()
s.lower()
s.title()
s.capitalize()
s.swapcase()
s.casefold()
u.upper()
u.lower()
u.title()
u.capitalize()
'ǆ'.title()
'they\'re bill\'s friends'.title()
'they\'re bill\'s-friends (from [the] UK) <b'|title
w.strip()
w.lstrip()
w.rstrip()
[w.strip(), w.lstrip(), w.rstrip()]
'xxabcxx'.strip('x')
'xyabcyx'.strip('xy')
'xxabcxx'.lstrip('x')
'xxabcxx'.rstrip('x')
'\n\n a \n'.lstrip('\n')
'\u3000\u00a0a\u2003'.strip()|tojson
'\x1fa\x1c'.strip()|tojson
'\u200ba'.strip()|tojson
'a'.strip(none)
'a'.strip(1)
s.split()
s.split(',')
s.split(', ')
s.split('l')
s.split('l', 1)
s.split('zzz')
s.split('')
'a b  c '.split(' ')
' a b  c '.split()
' a b  c '.split(none, 1)
' a b  c '.rsplit(none, 1)
' a b  c '.split(maxsplit=1)
'a,b,c'.rsplit(',', 1)
'a,b,c'.rsplit(',')
'aaaa'.split('aa')
'aaaaa'.rsplit('aa')
''.split()
''.split(',')
'a\nb\r\nc\rd'.splitlines()
'a\nb\n'.splitlines(true)
''.splitlines()
'\n'.splitlines()
'a\u2028b\x85c\x1dd'.splitlines()
'<think>x</think>y'.split('</think>')[-1].lstrip('\n')
'<think>x</think>y'.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n')
'a-b-c'.partition('-')
'a-b-c'.rpartition('-')
'abc'.partition('-')
'abc'.rpartition('-')
s.replace('l', 'L')
s.replace('l', 'L', 1)
s.replace('', '-')
s.replace('', '-', 2)
s.replace('o', '')
s.replace('zz', 'y')
s.replace('l', 'L', 0)
u.replace('', '.')
s.startswith('Hello')
s.startswith('World')
s.startswith(('a', 'He'))
s.startswith('World', 7)
s.startswith('')
s.endswith('World')
s.endswith(('x', 'ld'))
s.endswith('Hello', 0, 5)
s.startswith(1)
s.find('o')
s.find('o', 5)
s.find('zz')
s.rfind('o')
s.index('W')
s.index('zz')
s.rindex('o')
s.count('l')
s.count('')
u.find('wörld')
u.find('語')
s.center(20) ~ '|'
s.center(21, '*')
'ab'.center(5, '*')
'abc'.center(6, '*')
'abc'.center(8, '*')
s.ljust(15, '.')
s.rjust(15, '.')
s.ljust(3)
'7'.zfill(3)
'-7'.zfill(4)
'abc'.zfill(2)
'a\tb'.expandtabs()
'a\tbc\td'.expandtabs(4)
'abc'.removeprefix('a')
'abc'.removeprefix('x')
'abc'.removesuffix('bc')
','.join(['a', 'b'])
','.join([])
','.join(['a', 1])
','.join('abc')
''.join(d)
'abc'.isalpha()
'ab1'.isalpha()
'ab1'.isalnum()
'123'.isdigit()
'12.3'.isdigit()
'123'.isdecimal()
'123'.isnumeric()
''.isdigit()
' \t'.isspace()
''.isspace()
'ABC'.isupper()
'AbC'.isupper()
'abc1'.islower()
'123'.islower()
'Hello World'.istitle()
'Hello world'.istitle()
'abc'.isascii()
'é'.isascii()
'a_1'.isidentifier()
'1a'.isidentifier()
'abc'.isprintable()
'a\n'.isprintable()
'{} {}'.format('a', 1)
'{0} {1} {0}'.format('a', 1)
'{a} {b}'.format(a=1, b='x')
'{{}}'.format()
'{:>5}|{:<5}|{:^5}|'.format('a', 'b', 'c')
'{:05d} {:,} {:.2f} {:x} {:e}'.format(42, 1234567, 3.14159, 255, 12345.678)
'{:+d} {: d} {:#x} {:b} {:%}'.format(1, 2, 255, 5, 0.25)
'{!r} {!s}'.format('a', 'b')
'{a[x]}'.format(a={'x': 1})
'{}'.format()
'{'.format()
'{x}'.format(y=1)
'{:*^9}'.format('mid')
'{:.3}'.format('abcdef')
'{:g} {:g} {:g}'.format(1.0, 0.00001, 1234567.0)
'%s' % 'a'
'%s %s' % ('a', 1)
'%s' % ['a']
'%s %s' % 'a'
'%s' % ('a', 'b')
'%d' % 3.7
'%d' % '3'
'%5d|%-5d|%05d|%+d' % (1, 2, 3, 4)
'%.2f %8.3f %e %g' % (3.14159, 2.71828, 12345.678, 0.0001)
'%x %X %o %#x' % (255, 255, 8, 255)
'%r %s' % ('a', 'b')
'%%' % ()
'100%' % ()
'%(a)s %(b)d' % {'a': 'x', 'b': 2}
'%(c)s' % {'a': 1}
'%5s|%-5s|%.2s' % ('ab', 'cd', 'efgh')
'%c' % 'x'
'%c' % 65
'%i' % true
'%s' % none
'%s' % missing
'x' % 1
'x' % d
d
d.a
d['a']
d.get('a')
d.get('zz')
d.get('zz', 5)
d.get('zz', none)
d.keys()
d.values()
d.items()
d.keys() | list
d.values() | list
d.items() | list
d.keys() | length
d.keys()[0]
d.copy()
d | length
d | list
d | first
d | last
d | join(',')
d | items | list
d | dictsort
d | dictsort(true)
d | dictsort(by='value')
d | dictsort(reverse=true)
d | dictsort(false, 'value', true)
d | dictsort(by='foo')
[] | items
d.update({'x': 1})
d.pop('a')
d.clear()
d.setdefault('a', 1)
l.append(1)
l.pop()
l.sort()
l.clear()
l.append
d.update is defined
l.index(1)
l.index(9)
l.count(1)
l.copy()
(1, 2, 1).count(1)
(1, 2).index(2)
(1, 2).append
s.__class__
s.__class__.__mro__
l.__len__
d.__class__ is defined
''.format_map
s.encode
'abc' | upper
'ABC' | lower
'hello world' | title
'HELLO wOrld' | capitalize
'hello-world foo_bar (baz)' | title
5 | upper
none | upper
w | trim ~ '|'
'xxaxx' | trim('x')
5 | trim
s | length
l | length
5 | length
none | length
u | length
s | count
s | list
5 | list
none | list
s | first
s | last
l | first
l | last
empty | first
empty | last
e | first
5 | first
s | reverse
l | reverse | list
l | reverse
d | reverse | list
u | reverse
l | sort
l | sort(reverse=true)
l | sort(true)
ls | sort
ls | sort(case_sensitive=true)
ls | sort(reverse=true)
mixed | sort
people | sort(attribute='age') | map(attribute='name') | join(',')
people | sort(attribute='age,name') | map(attribute='name') | join(',')
people | sort(attribute='address.city', reverse=true) | map(attribute='name') | list
people | sort(attribute='tags')
s | sort | join
d | sort
l | join
l | join('-')
l | join(1)
ls | join(', ')
people | join(', ', attribute='name')
people | join(',', 'age')
[1, none, true, missing] | join('|')
5 | join
l | min
l | max
ls | min
ls | max
ls | max(case_sensitive=true)
empty | min
empty | max
people | max(attribute='age')
people | min(attribute='name')
l | sum
empty | sum
people | sum(attribute='age')
l | sum(start=10)
ls | sum
[[1], [2]] | sum(start=[])
['a'] | sum(start='')
[1, 2, 1, 3, 2] | unique | list
ls | unique | list
ls | unique(true) | list
[1, 1.0, true, '1'] | unique | list
people | unique(attribute='age') | map(attribute='name') | list
[[1], [1]] | unique | list
ls | map('upper') | list
ls | map('upper')|join
ls | map('replace', 'a', 'z') | list
people | map(attribute='name') | list
people | map(attribute='address.city') | list
people | map(attribute='tags', default='none') | list
people | map(attribute='tags.0') | list
people | map(attribute='zz') | list
[[1, 2], [3, 4]] | map('sum') | list
[[1, 2], [3, 4]] | map(attribute=0) | list
[[1, 2], [3, 4]] | map('first') | list
l | map
l | map('nosuch') | list
l | map('string') | list
[0, 1, 2, '', 'a', none] | select | list
[0, 1, 2, '', 'a', none] | reject | list
[1, 2, 3, 4] | select('odd') | list
[1, 2, 3, 4] | reject('odd') | list
[1, 2, 3, 4] | select('greaterthan', 2) | list
[1, 2, 3, 4] | select('>', 2) | list
[1, 2, 3, 4] | select('in', [2, 3]) | list
[1, 'a', none] | select('string') | list
[1, 2] | select('nosuch') | list
people | selectattr('age', 'equalto', 30) | map(attribute='name') | list
people | selectattr('age', '==', 30) | list | length
people | selectattr('tags') | map(attribute='name') | list
people | selectattr('tags', 'defined') | map(attribute='name') | list
people | rejectattr('age', 'gt', 26) | map(attribute='name') | list
people | rejectattr('tags') | map(attribute='name') | list
people | selectattr('address.city', 'eq', 'Rome') | map(attribute='name') | list
people | selectattr | list
messages | selectattr('role', 'equalto', 'user') | list | length
messages | selectattr('role', 'ne', 'system') | map(attribute='role') | join(',')
people | groupby('age') | length
people | groupby('address.city') | map('first') | list
people | groupby('address.city', case_sensitive=true) | map(attribute='grouper') | list
[1, 2, 3, 4, 5] | batch(2) | list
[1, 2, 3, 4, 5] | batch(2, 'x') | list
[1, 2, 3, 4, 5] | slice(2) | list
[1, 2, 3, 4, 5] | slice(3, 'x') | list
5 | string
[1] | string
none | string
'5' | int
'5.7' | int
' 5 ' | int
'abc' | int
'abc' | int(9)
'abc' | int(default=none)
5.9 | int
-5.9 | int
none | int
true | int
[] | int
'1f' | int(0, 16)
'0x1f' | int(base=16)
'0b11' | int(base=2)
'1_000' | int
'1e3' | int
'' | int
'inf' | int(3)
'5' | float
'abc' | float
'abc' | float(1.5)
'1e3' | float
' 1.5 ' | float
'inf' | float
'-inf' | float
'nan' | float
true | float
none | float
5 | float
-5 | abs
-5.5 | abs
'a' | abs
true | abs
2.5 | round
3.5 | round
2.675 | round(2)
42.55 | round(1)
42.55 | round(1, 'floor')
42.55 | round(1, 'ceil')
42 | round
42 | round(1, 'floor')
42 | round(method='ceil')
1234 | round(-2)
1250 | round(-2)
1350.0 | round(-2)
-2.5 | round
-0.4 | round
2.5 | round(method='ceil')
-2.5 | round(method='floor')
'a' | round
2.5 | round(1, 'foo')
n | default('x')
n | default('x', true)
e | default('x')
e | default('x', true)
e | default('x', boolean=true)
z | default(5, true)
none | default
m | indent
m | indent(2)
m | indent(2, true)
m | indent(2, true, true)
m | indent(2, blank=true)
m | indent('> ')
m | indent(width=3, first=true)
'' | indent(2)
'' | indent(2, true)
'' | indent(2, true, true)
'a\n' | indent(2) | tojson
'a\n\n' | indent(2, blank=true) | tojson
5 | indent
s | replace('l', 'L')
s | replace('l', 'L', 1)
s | replace('l', 'L', count=2)
5 | replace(5, 6)
s | replace('l')
'a b c d e f g' | truncate(9)
'a b c d e f g' | truncate(5)
'a b c d e f g' | truncate(5, true)
'a b c d e f g' | truncate(5, true, '', 0)
'a b c d e f g' | truncate(5, false, '…', 0)
'abcdefghijklmnop' | truncate(8, leeway=0)
'abc' | truncate(2)
s | truncate
s | center(20)
s | wordcount
'' | wordcount
'%s-%s' | format('a', 1)
'%(a)s' | format(a=1)
'a b&c/d é' | urlencode
'<a href="x">\'&</a>' | escape
'<a>' | e
'<a>' | safe
'<a>' | escape | escape
'<a>' | escape | forceescape
('<a>' | safe) + '<b>'
'<b>' + ('<a>' | safe)
('<a>' | safe) ~ '<b>'
['<' | e]
'<a>' | safe | upper
('<a>' | safe) == '<a>'
('<a>' | safe) is string
('<a>' | safe) is escaped
('a' | safe) | tojson
'a' | attr('upper')
d | attr('a')
d | attr('a') is defined
l | tojson
mixed | tojson
d | tojson
tool | tojson
tool | tojson(indent=4)
tool | tojson(indent=2)
tool | tojson(indent='\t')
tool | tojson(indent=0)
tool | tojson(sort_keys=true)
tool | tojson(separators=(',', ':'))
tool | tojson(separators=[',', ':'], indent=1)
u | tojson
u | tojson(ensure_ascii=true)
u | tojson(true)
q | tojson
'</script>&\'"' | tojson
[] | tojson(indent=2)
{} | tojson(indent=2)
[[], {}] | tojson(indent=2)
{'a': [1, {'b': []}]} | tojson(indent=3)
1.0 | tojson
1e100 | tojson
1e-7 | tojson
none | tojson
true | tojson
(1, 2) | tojson
{1: 2, 'a': 3} | tojson
{true: 1, none: 2, 1.5: 3} | tojson
{(1, 2): 3} | tojson
{'b': 1, 'a': 2} | tojson(sort_keys=true)
range(3) | tojson
d.items() | tojson
d.items() | list | tojson
ls | map('upper') | tojson
'inf' | float | tojson
namespace(a=1) | tojson
'\x00\x1f\x7f\u2028' | tojson
'a' | tojson(nosuch=1)
'a' | tojson(1, 2, 3, 4, 5)
'a' | upper('x')
'a' | upper(x=1)
i is odd
i is even
2.5 is odd
3.0 is odd
'a' is odd
i is divisibleby 7
i is divisibleby(3)
i is divisibleby 0
i is number
x is number
t is number
s is number
i is integer
t is integer
x is integer
x is float
i is float
t is boolean
i is boolean
t is true
i is true
f is false
z is false
s is string
i is string
l is string
n is none
n is not none
e is none
d is mapping
l is mapping
l is sequence
s is sequence
d is sequence
i is sequence
n is sequence
(1, 2) is sequence
range(3) is sequence
d.items() is sequence
(l | map('string')) is sequence
l is iterable
s is iterable
i is iterable
d.items() is iterable
(l | map('string')) is iterable
range is callable
s.upper is callable
s is callable
s is lower
'abc' is lower
'ABC' is upper
'Abc' is upper
i is eq 7
i is equalto 7
i == 7 is true
i is ne 7
i is not eq 7
i is gt 5
i is lt 5
i is ge 7
i is le 6
i is greaterthan 5 and i is lessthan 10
i is in [7, 8]
i is in(l)
i is not in [7]
'a' is in 'abc'
i is sameas 7
n is sameas none
l is sameas l
[] is sameas []
'upper' is filter
'nosuch' is filter
'odd' is test
'nosuch' is test
i is defined and i is number
not i is defined
i is defined == true
i is not defined
i is defined is true
i + 1 is odd
-5 | abs
-i | abs
i is odd or false
1 is number and 2
'a' is string ~ 'b'
range(3)
range(3) | list
range(1, 10, 3) | list
range(10, 0, -3) | list
range(0) | list
range(1, 3, 0)
range(3)[1]
range(3)[-1]
range(3)[5]
range(3) | length
2 in range(3)
range(3) == range(3)
range('a')
range(1.5)
range(100001) | length
range(100000) | length
range(1, 2, 3)
range(5, 1)
range(0, 5, 2)
dict(a=1, b=2)
dict({'a': 1}, b=2)
dict([('a', 1), ('b', 2)])
dict(d) == d
dict(**d)
namespace(a=1).a
namespace({'a': 1}).a
namespace(a=1).b
namespace(a=1)['a']
namespace(_a=1)
cycler('a', 'b').next()
joiner(',')()
strftime_now('%Y-%m-%d')
strftime_now('%d %b %Y')
strftime_now('%A, %B %d, %Y %H:%M:%S %j %p %I %y %a %e')
strftime_now('%-d %-m %%')
raise_exception('no: ' ~ i)
raise_exception()
nosuch('x')
s('x')
5()
l()
s.upper('x')
s.upper().lower().title()
s.upper ()
(s).upper()
('a' ~ 'b').upper()
[1, 2][0]
{'a': {'b': 1}}.a.b
{'a': 1}['a']
(l | sort)[0]
l | sort | first
l|sort|join('')|upper
(1, 2)|join(',')
1, 2
1,
'a' if
1 +
(1
[1
{1
foo bar
1 2
"unterminated
'a' | 
'a' | nosuch
'a' is nosuch
'a' is
'a'.
'a'.1
a[
a.b.c
a..b
1 = 2
== 1
not
x if y else
f(a=1, a=2)
f(a=1, 2)
f(*l)
'{}-{}-{}'.format(*l)
'{a}'.format(**{'a': 1})
'{}-{}-{}'.format(*l, **d)
messages[0].role
messages[0]['content']
messages[-1].content.split('</think>')[-1].lstrip('\n')
messages[::-1][0].role
messages[1:][0]['role']
messages[2].tool_calls[0].function.arguments | tojson
messages[2].tool_calls[0].function.arguments.items() | list
messages[2]['content'] is none
messages[2].content is string
messages[2].content + 'x'
messages[0].tool_calls is defined
messages[0].tool_calls
messages | length - 1
messages | length > 3
messages | map(attribute='role') | list
(messages | last).role
messages | selectattr('tool_calls', 'defined') | list | length
'<|im_end|>' in messages[1].content
tool.function.parameters.properties.items() | list
tool.function.parameters.properties | dictsort
tool['function']['parameters']['required']
tool.items() | map('first') | list
loop
loop is defined
caller is defined
varargs is defined
""".strip("\n").split("\n")

TEMPLATES = [
    "plain text",
    "",
    "\n",
    "a\n",
    "a\n\n",
    "a\r\nb\rc\n",
    "{{ s }}\n{{ i }}\n",
    "{{ 'a' }}\n\n{{ 'b' }}",
    "{% if true %}\nx\n{% endif %}\ny",
    "{% if true %}x{% endif %}\n\ny",
    "  {% if true %}\n    x\n  {% endif %}\n  y",
    "\t{% if true %}\n\tx\n\t{% endif %}y",
    "a  {% if true %}  b  {% endif %}  c",
    "a  {%- if true -%}  b  {%- endif -%}  c",
    "a\n  {%- if true %}\n b\n  {%- endif %}\n c",
    "a\n  {%+ if true %}\n b\n  {%+ endif %}\n c",
    "a\n  {% if true +%}\n b\n  {% endif +%}\n c",
    "a \n {{- 'x' -}} \n b",
    "a {{- -1 }} {{-1}} {{ -1 -}} b",
    "a {{+1}} {{+ 1 }} b",
    "  {# comment #}\n x",
    "  {#- comment -#}\n x",
    "  {#+ comment +#}\n x",
    "a {# c #} b {#- d -#} e {##}f{#-#}g",
    "{# multi\nline #}\nx",
    "{# unclosed",
    "{{ 'unclosed'",
    "{{ unclosed",
    "{% if x",
    "{% raw %}{{ x }} {% if %}{% endraw %}",
    "  {% raw %}\n  {{ x }}\n  {% endraw %}\n y",
    "a {%- raw -%}  {{ x }}  {%- endraw -%}  b",
    "{% raw %}unclosed",
    "{%raw%}a{%endraw%}b",
    "{% rawx %}",
    "{{ '}}' }} {{ \"{%\" }} {{ '{{' }}",
    "{{ {'a': {'b': 1}}}}",
    "{{ {'a': {'b': 1}}['a'] }}",
    "{ { % } } # {",
    "{{ '%}' }}{% if '%}' %}x{% endif %}",
    "{% if x > 2 %}big{% elif x > 1 %}mid{% else %}small{% endif %}",
    "{% if z %}a{% elif f %}b{% elif t %}c{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if %}a{% endif %}",
    "{% if a %}x",
    "{% endif %}",
    "{% if t %}a{% else %}b{% elif %}c{% endif %}",
    "{% unknown %}",
    "{% for %}",
    "{% for x in l %}{{ x }}{% endfor %}",
    "{% for x in l %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in empty %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in missing %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in n %}{{ x }}{% endfor %}",
    "{% for x in 5 %}{{ x }}{% endfor %}",
    "{% for c in u %}{{ c }}|{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for (a, b), c in [((1, 2), 3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% for a, b in ['xy', 'zw'] %}{{ a }}-{{ b }} {% endfor %}",
    "{% for a, b in 5 %}{% endfor %}",
    "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}",
    "{% for x in l if x > 1 %}{{ x }}:{{ loop.index }}/{{ loop.length }} {% endfor %}",
    "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in (l if t else empty) %}{{ x }}{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}"
    "{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}<{{ loop.nextitem }};{% endfor %}",
    "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }} {% endfor %}",
    "{% for m in messages %}{% if loop.previtem and loop.previtem.role == 'user' %}{{ m.role }}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.cycle('odd', 'even') }} {% endfor %}",
    "{% for x in [1, 1, 2, 2, 1] %}{% if loop.changed(x) %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop.nosuch }}{% endfor %}",
    "{% for x in l %}{{ loop.nosuch.more }}{% endfor %}",
    "{% for x in l %}{% for y in ls %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}",
    "{% for x in l %}{% set outer = loop %}{% for y in ls %}{{ outer.index }}{{ y }}{% endfor %} {% endfor %}",
    "{% for x in l|map('string') %}{{ loop.length }}{{ loop.last }}{{ x }}{% endfor %}",
    "{% for x in range(3) %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in range(10) %}{% if x == 3 %}{% continue %}{% endif %}{% if x == 6 %}{% break %}{% endif %}{{ x }}"
    "{% endfor %}",
    "{% for x in l %}{% break %}{% else %}none{% endfor %}",
    "{% break %}",
    "{% for x in l %}{% endfor %}{% continue %}",
    "{% for x in l recursive %}{{ x }}{% endfor %}",
    "{% for x in [[1, [2]], 3] recursive %}{{ loop.depth }}"
    "{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}{% endif %}{% endfor %}",
    "{% for x in l %}{{ loop(x) }}{% endfor %}",
    "{% for x in l %}{{ x }}{% endfor %}{{ x }}",
    "{% set v = 1 %}{% for x in l %}{{ v }}{% set v = v + x %}{{ v }} {% endfor %}{{ v }}",
    "{% set v = 1 %}{% if t %}{% set v = 2 %}{% endif %}{{ v }}",
    "{% if f %}{% set v = 2 %}{% endif %}{{ v }}|{{ v is defined }}",
    "{% for x in l %}{% set v = x %}{% endfor %}{{ v is defined }}",
    "{% for x in l %}{% if loop.first %}{% set v = x %}{% endif %}{{ v }}{% endfor %}",
    "{% for x in l %}{{ v }}{% set v = x %}{% endfor %}",
    "{% for s in l %}{{ s }}{% endfor %}{{ s }}",
    "{% for x in x %}{{ x }}{% endfor %}",
    "{% set ns = namespace(a=1, b=[]) %}{% for x in l %}{% set ns.a = ns.a + x %}{% set ns.b = ns.b + [x] %}"
    "{% endfor %}"
    "{{ ns.a }} {{ ns.b }}",
    "{% set ns = namespace() %}{% set ns.a = 1 %}{{ ns.a }}{{ ns.b }}{{ ns.b is defined }}",
    "{% set ns = namespace() %}{% set ns._a = 1 %}",
    "{% set d.a = 5 %}",
    "{% set missing.a = 5 %}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set a, b = [1, 2, 3] %}{{ a }}",
    "{% set (a, b) = (1, 2) %}{{ a }}{{ b }}",
    "{% set a = 1, 2 %}{{ a }}",
    "{% set a = [1, 2][0] %}{{ a }}",
    "{% set a %}text {{ i }}{% endset %}{{ a }}|{{ a is string }}",
    "{% set a | upper %}text {{ i }}{% endset %}{{ a }}",
    "{% set a | replace('t', 'T') | trim %} text {% endset %}[{{ a }}]",
    "{% set a %}{% set b = 1 %}{{ b }}{% endset %}{{ a }}{{ b is defined }}",
    "{% set true = 1 %}",
    "{% set 5 = 1 %}",
    "{% set a b = 1 %}",
    "{% set a = %}",
    "{% set i = i + 1 %}{{ i }}",
    "{% with a = 1, b = i %}{{ a }}{{ b }}{% set c = 3 %}{% endwith %}{{ a is defined }}{{ c is defined }}",
    "{% with %}{% set c = 3 %}{{ c }}{% endwith %}{{ c is defined }}",
    "{% set a = 1 %}{% with a = 2, b = a %}{{ a }}{{ b }}{% endwith %}",
    "{% filter upper %}abc {{ s }}{% endfilter %}",
    "{% filter replace('a', 'b') | upper %}abc{% set z = 1 %}{% endfilter %}{{ z }}",
    "{% filter nosuch %}{% endfilter %}",
    "{% generation %}a{{ i }}{% set g = 1 %}{% endgeneration %}{{ g is defined }}",
    "x\n  {% generation %}\n a\n  {% endgeneration %}\n b",
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}",
    "{% macro m(a, b=2) %}{{ a }}-{{ b }}{% endmacro %}{{ m(1) }} {{ m(1, 3) }} {{ m(b=4, a=5) }} {{ m() }}",
    "{% macro m(a) %}{{ a is defined }}{% endmacro %}{{ m() }}{{ m(1) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(b=2) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, a=2) }}",
    "{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, 3, x=4) }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a=i) %}{{ a }}{% endmacro %}{{ m() }}{% set i = 9 %}{{ m() }}",
    "{% macro m(a, b=1, c) %}{% endmacro %}",
    "{% macro m(n) %}{% if n > 0 %}{{ n }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(5) }}",
    "{% macro m() %}{{ v }}{% endmacro %}{% set v = 1 %}{{ m() }}{% set v = 2 %}{{ m() }}",
    "{% macro m() %}{% set v = 5 %}{{ v }}{% endmacro %}{{ m() }}{{ v is defined }}",
    "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}{{ m is defined }}",
    "{% macro m() %}{{ loop is defined }}{% endmacro %}{% for x in l %}{{ m() }}{% endfor %}",
    "{% macro m(x) %}  {{ x }}\n{% endmacro %}[{{ m('a') | trim }}]",
    "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}B{% endmacro %}{{ a() }}",
    "{% macro m() %}x{% endmacro %}{{ m.name }} {{ m.arguments }} {{ m is callable }}",
    "{% macro m() %}[{{ caller() }}]{% endmacro %}{% call m() %}body {{ i }}{% endcall %}",
    "{% macro m() %}{{ caller(1) }}{{ caller(2) }}{% endmacro %}{% call(a) m() %}<{{ a }}>{% endcall %}",
    "{% macro m(x) %}{{ x }}{{ caller() if caller else 'no' }}{% endmacro %}{{ m(1) }}",
    "{% call 5 %}{% endcall %}",
    "{% macro m(schema, level=0) %}{% for k, v in schema.items() %}{{ '  ' * level }}{{ k }}\n"
    "{% if v is mapping %}{{ m(v, level + 1) }}{% endif %}{% endfor %}{% endmacro %}{{ m(tool) }}",
    "{% print 'x' %}",
    "{{ joiner }}" if False else "{% set j = joiner(', ') %}{% for x in l %}{{ j() }}{{ x }}{% endfor %}",
    "{% set j = joiner() %}{{ j() }}a{{ j() }}b",
    "{% set c = cycler(1, 2, 3) %}{{ c.next() }}{{ c.next() }}{{ c.current }}{{ c.next() }}{{ c.next() }}"
    "{{ c.reset() }}{{ c.next() }}",
    "{% set g = ls | map('upper') %}{{ g | list }}{{ g | list }}",
    "{% set g = l | select('odd') %}{% for x in g %}{{ x }}{% endfor %}{% for x in g %}{{ x }}{% else %}spent"
    "{% endfor %}",
    "{% set g = d.items() %}{% for k, v in g %}{{ k }}{% endfor %}{% for k, v in g %}{{ k }}{% endfor %}",
    "{% if t and not f or missing.x %}a{% endif %}",
    "{% if 'a' is string and 1 is number %}a{% endif %}",
    "{% if messages[0]['role'] == 'system' %}{% set sys = messages[0]['content'] %}{% set messages = messages[1:] %}"
    "{% else %}{% set sys = '' %}{% endif %}{{ sys }}{{ messages | length }}",
    "{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}",
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}",
    "{% for message in messages -%}\n  {{ message.role }}: {{- message.content | default('none', true) }}\n"
    "{% endfor -%}\n done",
    "{%- for message in messages %}\n    {%- if message.tool_calls %}\n        {%- for c in message.tool_calls %}\n"
    "            {{- '{\"name\": \"' + c.function.name + '\", \"arguments\": ' }}\n"
    "            {{- c.function.arguments | tojson }}\n            {{- '}' }}\n        {%- endfor %}\n"
    "    {%- endif %}\n{%- endfor %}",
    "{% set ns = namespace(last=-1) %}{% for m in messages[::-1] %}"
    "{% set index = (messages | length - 1) - loop.index0 %}"
    "{% if m.role == 'user' and m.content is string "
    "and not (m.content.startswith('<tool>') and m.content.endswith('</tool>')) %}"
    "{% set ns.last = index %}{% break %}{% endif %}{% endfor %}{{ ns.last }}",
    "{{ strftime_now('%d %b %Y') if strftime_now is defined else '26 Jul 2024' }}",
    "{% if strftime_now is defined %}{% set date = strftime_now('%d %b %Y') %}{% else %}{% set date = 'x' %}"
    "{% endif %}{{ date }}",
    "{% if tools is none or tools is undefined %}{% set tools = 'x' %}{% endif %}{{ tools }}",
    "{% if not tools is defined %}{% set tools = none %}{% endif %}{{ tools }}",
    "{% if 'x' is nosuch %}a{% endif %}",
    "{% if false %}{{ 'x' | nosuch }}{% endif %}ok",
    "{% if true %}{{ 'x' | nosuch }}{% endif %}",
    "{{ 'x' | nosuch }}",
    "{% for x in l: %}{{ x }}{% endfor %}",
    "{% if t: %}a{% endif %}",
    "{{ 1 if t }}{{ 1 if f }}|",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{% do l.append(1) %}",
    "{% set x = l.append(4) %}{{ l }}",
    "{{ caller() }}",
    "{{ range }}" if False else "{{ range is defined }}{{ namespace is defined }}{{ dict is defined }}",
    "{% for x in range(3) %}{% for y in range(x) %}{{ x }}{{ y }}{% if y == 1 %}{% break %}{% endif %}"
    "{% endfor %},{% endfor %}",
    "{% for x in l %}{% filter upper %}{% break %}{% endfilter %}{% endfor %}",
    "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ loop.index }}{% else %}e{% endfor %}",
    "\n{% for x in l %}\n{{ x }}\n{% endfor %}\n",
    "\n\n{%- for x in l %}\n\n{{ x }}\n\n{%- endfor %}\n\n",
    "    {{ s }}\n    {%- if t %}\n        yes\n    {%- endif %}\n",
    "{{ s }}    \n    {% if t %}yes{% endif %}    \n    no",
    "{% if t %}{% if t %}a{% endif %}\n{% endif %}\nb",
    "{% set x = 'a' %}\n{% set y = 'b' %}\n{{ x }}{{ y }}\n",
    "line{% set x = 1 %}\nline",
    "{{ 'a' -}}\n\n  b",
    "{{ '\\n' -}}\n\n  b",
    "\u00a0{% if t %}x{% endif %}\u2003{%- if t %}y{% endif %}",
    "{{s}}{{i}}{%if t%}y{%endif%}",
    "{{\ns\n|\nupper\n}}",
    "{% set x = {\n'a': 1,\n'b': [1,\n2]\n} %}{{ x }}",
    "{% set x = [\n  'a',\n  'b',\n] %}{{ x }}",
    "{% for x in l %}{{ i }}{% endfor %}{% set i = 9 %}{{ i }}",
    "{{ i }}{% for x in l %}{{ i }}{% endfor %}{% set i = 9 %}{{ i }}",
    "{% for x in l %}{{ i }}{% endfor %}{% if t %}{% set i = 9 %}{% endif %}{{ i }}",
    "{% if t %}{% for x in l %}{{ i }}{% endfor %}{% set i = 9 %}{% endif %}{{ i }}",
    "{% for x in l %}{% for y in l %}{{ i }}{% endfor %}{% set i = 9 %}{{ i }}{% endfor %}{{ i }}",
    "{% for x in l %}{% for y in l %}{{ i }}{% endfor %}{% set i = 9 %}{{ i }}{% endfor %}",
    "{% set i %}{{ i }}{% endset %}[{{ i }}]",
    "{% set i %}{% if t %}{{ i }}{% endif %}{% set i = 3 %}{{ i }}{% endset %}[{{ i }}]",
    "{{ i }}{% set i %}{{ i }}{% endset %}[{{ i }}]",
    "{% macro m() %}{{ i }}{% endmacro %}{{ m() }}{% set i = 9 %}{{ m() }}",
    "{% macro m() %}{{ i }}{% set i = 2 %}{{ i }}{% endmacro %}{{ m() }}{{ i }}",
    "{% macro m() %}{% set i = 2 %}{% for x in l %}{{ i }}{% endfor %}{% endmacro %}{{ m() }}{{ i }}",
    "{% filter upper %}{{ s }}{% endfilter %}{% set s = 'x' %}{{ s }}",
    "{% with y = i %}{{ y }}{{ i }}{% endwith %}{% set i = 2 %}{{ i }}",
    "{% with y = 1 %}{{ i }}{% endwith %}{% set i = 2 %}{{ i }}",
    "{% for x in l if i %}{{ i }}{% endfor %}{% set i = 2 %}",
    "{% macro s() %}m{% endmacro %}{{ s() }}",
    "{% for x in l %}{{ s }}{% endfor %}{% macro s() %}m{% endmacro %}",
    "{% set ns.a = 1 %}{% set ns = namespace() %}",
    "{% set ns = namespace() %}{% for x in l %}{% set ns.a = x %}{% set ns = 1 %}{% endfor %}",
    "{% for x in l %}{% set range = 1 %}{% for y in l %}{{ range }}{% endfor %}{% endfor %}{{ range(2) | list }}",
    "{% for x in l %}{{ x }}{% set x = 5 %}{{ x }}{% endfor %}",
    "{% for x in l %}{% for x in ls %}{{ x }}{% endfor %}{{ x }}{% endfor %}",
    "{% set x = x + 1 %}{% for y in l %}{{ x }}{% set x = x + y %}{% endfor %}{{ x }}",
]
