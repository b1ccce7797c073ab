// Evaluates lines of {"expression", "input"} with the language's own implementation; a line each:
// {"plain"}, and {"inOrder"}, {"filled"} and {"kept"} where those differ from it.
//
// Habits of the reference are changed in copies of it, one after the other, so that a test can say
// exactly which of them makes a difference: it evaluates the parts of constructors at once (inOrder:
// one after the other), filters nothing as if it were an item (filled: nothing stays nothing), and
// writes into an empty array when it groups it (kept: it does not).
//
// Usage: node differential.js <folder with node_modules/jsonata>
const fs = require('fs');
const Module = require('module');
const path = require('path');
const readline = require('readline');

const file = path.join(process.argv[2], 'node_modules', 'jsonata', 'jsonata.js');

// The implementation with some of its text replaced; each text must be there as often as said.
const changed = (changes) => {
    let text = fs.readFileSync(file, 'utf8');
    for (const [from, to, times] of changes) {
        const pieces = text.split(from);
        if (pieces.length !== times + 1) throw new Error(`${file} is not the version expected: ${from}`);
        text = pieces.join(to);
    }
    const made = new Module(file);
    made._compile(text, file);
    return made.exports;
};

const each = `
    async function eachInOrder(items, evaluateOne) {
        const results = [];
        for (const [index, item] of items.entries()) results.push(await evaluateOne(item, index));
        return results;
    }
    async function evaluateFilter(`;
const inOrder = [
    [/await Promise\.all\(expr\.expressions\s*\.map\(/, 'await eachInOrder(expr.expressions, (', 1],
    ['await Promise.all(Object.keys(groups).map(', 'await eachInOrder(Object.keys(groups), (', 1],
    ['async function evaluateFilter(', each, 1],
];
const filled = [
    ...inOrder,
    ['var results = createSequence();\n        if( input && input.tupleStream)',
        'if (typeof input === "undefined") return undefined;\n        var results = createSequence();\n        if( input && input.tupleStream)', 1],
];
const kept = [...filled, ['input.push(undefined);', 'input = [undefined];', 1]];
const variants = {
    plain: changed([]), inOrder: changed(inOrder), filled: changed(filled), kept: changed(kept),
};

const isFunction = (value) =>
    typeof value === 'function' || (value && (value._jsonata_lambda || value._jsonata_function));

// A function anywhere makes a value that has no JSON form.
const holdsFunction = (value) =>
    isFunction(value) ||
    (value && typeof value === 'object' && Object.values(value).some(holdsFunction));

// Builtins remember how they were called last, even in an earlier expression: each starts anew.
const BUILTINS = ['sum', 'count', 'max', 'min', 'average', 'string', 'substring', 'substringBefore',
    'substringAfter', 'lowercase', 'uppercase', 'length', 'trim', 'pad', 'match', 'contains',
    'replace', 'split', 'join', 'formatNumber', 'formatBase', 'formatInteger', 'parseInteger',
    'number', 'floor', 'ceil', 'round', 'abs', 'sqrt', 'power', 'random', 'boolean', 'not', 'map',
    'zip', 'filter', 'single', 'reduce', 'sift', 'keys', 'lookup', 'append', 'exists', 'spread',
    'merge', 'reverse', 'each', 'error', 'assert', 'type', 'sort', 'shuffle', 'distinct',
    'base64encode', 'base64decode', 'encodeUrlComponent', 'encodeUrl', 'decodeUrlComponent',
    'decodeUrl', 'eval', 'toMillis', 'fromMillis', 'clone', 'now', 'millis'];

const builtins = async (jsonata) => {
    const found = await Promise.all(BUILTINS.map((name) => jsonata('$' + name).evaluate()));
    return found.filter((builtin) => typeof builtin === 'object');
};

const evaluate = async (jsonata, known, { expression, input }) => {
    for (const builtin of known) {
        delete builtin.token;
        delete builtin.position;
    }
    try {
        const value = await jsonata(expression).evaluate(JSON.parse(JSON.stringify(input)));
        if (value === undefined) return { nothing: true };
        if (holdsFunction(value)) return { function: true };
        return { value: JSON.stringify(value) };
    } catch (error) {
        if (!error.code) return { failed: String(error.message) };
        return { code: error.code, message: error.message, position: error.position };
    }
};

(async () => {
    const known = {};
    for (const name in variants) known[name] = await builtins(variants[name]);
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const asked = JSON.parse(line);
        const answer = {};
        for (const name in variants) {
            const outcome = await evaluate(variants[name], known[name], asked);
            if (JSON.stringify(outcome) !== JSON.stringify(answer.plain)) answer[name] = outcome;
        }
        process.stdout.write(JSON.stringify(answer) + '\n');
    }
})();
